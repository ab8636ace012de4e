"""What tests of the image share: the image, built once per run."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operations.chroot import may_mount
from tests.operations.image import Image, build_image
from tests.tools import requires


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    """The image of the Dockerfile as it is now; it takes about a minute."""
    requires("debootstrap")
    if not may_mount():
        if os.environ.get("CI") == "true":
            pytest.fail("the image is built by root, and in CI that has to be")
        pytest.skip("only root may build the image's trees and mount in them")
    home = Path(tempfile.mkdtemp(prefix="opencaas-image-"))
    home.chmod(0o755)  # others than root have to get into the tree
    try:
        yield build_image(home)
    finally:
        shutil.rmtree(home)
