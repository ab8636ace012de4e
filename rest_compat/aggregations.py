"""Aggregations: pipelines in the metadata of a collection, run with the values and the rights of a request."""

from typing import Final

from content_core.access import AccessControl
from content_core.documents import Document
from content_core.errors import (
    DuplicateKeyError,
    NotFoundError,
    PipelineFailedError,
    ResultTooLargeError,
    StoreError,
    StoreTimeoutError,
    StoreUnavailableError,
)
from content_core.pipelines import Touch, inspect_pipeline
from content_core.store import Store
from rest_compat.call import Call
from rest_compat.metadata import Properties
from rest_compat.pipeline_access import check_names, check_rights
from rest_compat.pipeline_definitions import Aggregation, find_aggregation
from rest_compat.pipeline_variables import PLACEHOLDERS, fill_stages, paging_variables, read_avars
from rest_compat.places import find_place
from rest_compat.query import parse_query
from rest_compat.query_safety import refuse_unsafe
from rest_compat.reply import Reply
from rest_compat.representation import Listing, list_reply
from rest_compat.resources import Kind, Resource
from rest_compat.settings import RestSettings
from rest_compat.validation import Validation

__all__ = ["Aggregations"]

_AS_ANY: Final = (StoreUnavailableError, DuplicateKeyError, ResultTooLargeError)
"""Failures that mean the same whatever MongoDB was asked."""

_OF_SERVER: Final = frozenset({1, 8, 13, 18, 91, 112, 189, 237, 11600, 11602, 13297})
"""Codes of MongoDB that are not about the pipeline: no right, a conflict, an operation that somebody ended."""

_MEMORY: Final = frozenset({146, 292})
_TOO_MUCH: Final = "the pipeline takes more memory than MongoDB allows"


class Aggregations:
    """The handler of ``/<database>/<collection>/_aggrs/<uri>``.

    Args:
        store: where documents are.
        access: weighs the rights on what a pipeline touches.
        properties: has the definitions.
        validation: knows which collections have a schema.
        settings: page sizes and limits.
    """

    def __init__(
        self,
        store: Store,
        access: AccessControl,
        properties: Properties,
        validation: Validation,
        settings: RestSettings,
    ) -> None:
        self._store = store
        self._access = access
        self._properties = properties
        self._validation = validation
        self._settings = settings

    async def run(self, call: Call) -> Reply:
        """Run an aggregation and give its whole result; a pipeline that writes gives an empty one."""
        query = parse_query(call.request, self._settings)
        variables = {**read_avars(call.request), **paging_variables(query.page)}
        database, collection = call.resource.database, call.resource.collection
        properties = await self._properties.of_collection(database, collection)
        aggregation = find_aggregation(properties, call.resource.document)
        # Names of collections are constants already before values take their places.
        inspect_pipeline(aggregation.stages, placeholders=PLACEHOLDERS)
        stages = fill_stages(aggregation.stages, variables)
        await self._check(call, stages)
        documents = await self._aggregate(database, collection, stages, aggregation)
        listing = Listing(
            properties={},
            groups={"rh:result": documents} if documents else {},
            size=None if documents else 0,
        )
        return list_reply(listing, query, {})

    async def _check(self, call: Call, stages: list[Document]) -> None:
        database = call.resource.database
        touches = inspect_pipeline(stages)
        check_names(touches, database=database)
        check_rights(self._access, call.principal, touches, database=database)
        refuse_unsafe(stages, parameter="pipeline", max_regex_length=self._settings.max_regex_length)
        for touch in touches:
            if touch.access != "read":
                await self._check_target(touch, database)

    async def _check_target(self, touch: Touch, database: str) -> None:
        """Make sure that a collection may be written as a whole: its database is there, and it has no schema."""
        target = Resource(Kind.COLLECTION, touch.database or database, touch.collection)
        place = await find_place(self._store, target)
        if not place.names:
            raise NotFoundError(f"Db '{place.database}' does not exist")
        self._validation.refuse_unchecked(place, write=touch.stage)

    async def _aggregate(
        self, database: str, collection: str, stages: list[Document], aggregation: Aggregation
    ) -> list[Document]:
        try:
            return await self._store.aggregate(
                database,
                collection,
                stages,
                allow_disk_use=aggregation.allow_disk_use,
                max_time_ms=self._settings.aggregation_time_limit_ms,
                max_bytes=self._settings.max_aggregation_bytes,
            )
        except StoreTimeoutError as error:
            raise StoreTimeoutError("Operation exceeded time limit", details=error.details) from error
        except _AS_ANY:
            raise
        except StoreError as error:
            code = error.details.get("code")
            if code in _OF_SERVER:
                raise
            message = _TOO_MUCH if code in _MEMORY else error.message
            # Without the code, which has another meaning in other operations.
            details = {name: value for name, value in error.details.items() if name != "code"}
            raise PipelineFailedError(message, details=details) from error
