"""Opening and closing the drivers' clients."""

import gc
import warnings

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from content_core.store.drivers import open_driver


async def test_client_closed_while_it_connects_leaves_no_socket() -> None:
    """A selection that times out ends in the moment in which the client connects once more."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for _ in range(4):
            driver = open_driver("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100", "pymongo")
            with pytest.raises(ServerSelectionTimeoutError):
                await driver.client["d"]["c"].find_one()
            await driver.close()
            gc.collect()

    assert [] == [str(warning.message) for warning in seen]


async def test_client_that_never_connected_closes() -> None:
    await open_driver("mongodb://127.0.0.1:1/", "pymongo").close()
