"""Every error that a client, a job or an operator can meet, as one tree.

A stage raises; one edge per protocol renders (GraphQL errors, REST bodies, CLI messages). The tree::

    ServiceError                        OC900  500  something unexpected, masked towards clients
    ├── RequestError                    OC100  400  the request cannot be understood
    │   ├── IllegalNameError            OC101  400  a database, collection or document name that cannot exist
    │   ├── BodyTooLargeError           OC102  413  the body is over the limit
    │   ├── UnsupportedMediaTypeError   OC103  415  the body has a media type that is not read here
    │   ├── MethodNotAllowedError       OC104  405  the resource knows no such method
    │   ├── NotFoundError               OC105  404  no such resource
    │   ├── ReservedNameError           OC106  403  the name belongs to the server
    │   ├── ConflictError               OC107  409  the write collides with what is stored
    │   ├── NotSupportedError           OC108  501  the resource cannot do this, by its kind or its settings
    │   ├── RangeNotSatisfiableError    OC109  416  the file has no such bytes
    │   └── UploadStalledError          OC110  408  the client stopped sending in the middle of a file
    ├── DefinitionError                 OC200  400  an application definition is not valid
    ├── PlanError                       OC300  400  an operation is over a limit or asks for something refused
    │   ├── OperatorRefusedError        OC301  403  an operator that runs code or leaves the tenant
    │   │   └── PipelineRefusedError    OC310  403  a pipeline runs code, shows the server, or reaches too far
    │   │       ├── PipelineNameError   OC311  400  a collection in a pipeline is not named by a constant
    │   │       └── PipelineMalformedError  OC312  422  this is no pipeline that MongoDB knows
    │   └── PlanRefusedError            OC302  400  (graphql_app) the operation does not parse, or is not valid
    │       └── LimitExceededError      OC303  400  (graphql_app) the operation is over a limit
    ├── AuthError
    │   ├── UnauthenticatedError        OC401  401  no or wrong credentials
    │   └── ForbiddenError              OC402  403  known, but without the right
    └── StoreError                      OC500  500  MongoDB refused or is away
        ├── StoreUnavailableError       OC501  500  MongoDB cannot be reached, or has no primary
        ├── StoreTimeoutError           OC502  408  a query ran over its time limit
        ├── DuplicateKeyError           OC503  409  a unique index refused the write
        ├── QueryRefusedError           OC504  400  MongoDB calls the query or the write malformed
        │   └── PipelineFailedError     OC520  422  MongoDB refuses a pipeline, or it fails on the documents
        ├── ResultTooLargeError         OC521  422  a pipeline gives more than the limit
        ├── EmbeddedMongoError          OC505  500  the embedded mongod could not be found, started or reached
        │   └── DataDirInUseError       OC506  500  another server owns the data directory
        ├── TooManyWatchersError        OC507  503  as many change streams or watchers as the settings allow
        └── ReplicaSetError             OC508  500  a replica set is not as it has to be for what is asked

The rooms add their own below these, with codes from OC302, OC600 and OC700 on; docs/errors.md lists all.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

__all__ = [
    "AuthError",
    "BodyTooLargeError",
    "ConflictError",
    "DataDirInUseError",
    "DefinitionError",
    "DuplicateKeyError",
    "EmbeddedMongoError",
    "ForbiddenError",
    "IllegalNameError",
    "MethodNotAllowedError",
    "NotFoundError",
    "NotSupportedError",
    "OperatorRefusedError",
    "PipelineFailedError",
    "PipelineMalformedError",
    "PipelineNameError",
    "PipelineRefusedError",
    "PlanError",
    "QueryRefusedError",
    "RangeNotSatisfiableError",
    "ReplicaSetError",
    "RequestError",
    "ReservedNameError",
    "ResultTooLargeError",
    "ServiceError",
    "StoreError",
    "StoreTimeoutError",
    "StoreUnavailableError",
    "TooManyWatchersError",
    "UnauthenticatedError",
    "UnsupportedMediaTypeError",
    "UploadStalledError",
]


class ServiceError(Exception):
    """An error with a stable code and an HTTP status.

    Args:
        message: one sentence for the person who reads the answer; no secrets, no stack trace.
        details: the variable parts, as JSON values.
        hint: what to do about it, if there is something to do.
    """

    code: ClassVar[str] = "OC900"
    status: ClassVar[int] = 500
    retry_after: ClassVar[int | None] = None
    """Seconds after which the same request may well succeed; clients get them as ``Retry-After``."""

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, Any] = details or {}
        self.hint = hint

    @property
    def advice(self) -> str:
        """The message, and what to do about it where that is known."""
        return f"{self.message}; {self.hint}" if self.hint else self.message


class RequestError(ServiceError):
    """The request cannot be understood."""

    code = "OC100"
    status = 400


class IllegalNameError(RequestError):
    """A name that no database, collection or document can have."""

    code = "OC101"


class BodyTooLargeError(RequestError):
    """The body is larger than the limit that the settings name."""

    code = "OC102"
    status = 413


class UnsupportedMediaTypeError(RequestError):
    """The body's media type is not read at this address."""

    code = "OC103"
    status = 415


class MethodNotAllowedError(RequestError):
    """The resource exists as a kind, but has no such method."""

    code = "OC104"
    status = 405


class NotFoundError(RequestError):
    """No such resource."""

    code = "OC105"
    status = 404


class ReservedNameError(RequestError):
    """The name belongs to the server or to MongoDB."""

    code = "OC106"
    status = 403


class ConflictError(RequestError):
    """The write collides with what is stored."""

    code = "OC107"
    status = 409


class NotSupportedError(RequestError):
    """The resource cannot do this, by its kind or by its settings."""

    code = "OC108"
    status = 501


class RangeNotSatisfiableError(RequestError):
    """The file has no such bytes."""

    code = "OC109"
    status = 416


class UploadStalledError(RequestError):
    """The client stopped sending in the middle of a file."""

    code = "OC110"
    status = 408


class DefinitionError(ServiceError):
    """An application definition is not valid.

    Args:
        reasons: every reason found, in the order of the checks; the first one leads the message.
        index: its place among several that were sent together.
    """

    code = "OC200"
    status = 400

    def __init__(self, *reasons: str, index: int | None = None) -> None:
        super().__init__("; ".join(reasons), details={"reasons": list(reasons)})
        self.reasons = reasons
        self.index = index


class PlanError(ServiceError):
    """An operation is over a limit."""

    code = "OC300"
    status = 400


class OperatorRefusedError(PlanError):
    """A query operator that runs code, writes, or shows the server."""

    code = "OC301"
    status = 403


class PipelineRefusedError(OperatorRefusedError):
    """A pipeline runs code, shows the server, or touches what it may not.

    Args:
        what: what is wrong, naming stage and collection.
        location: where, such as ``pipeline[1].$lookup``.
    """

    code = "OC310"
    prefix: ClassVar[str] = "aggregation pipeline security violation: "

    def __init__(self, what: str, *, location: str) -> None:
        super().__init__(f"{self.prefix}{what}", details={"location": location})
        self.what = what
        self.location = location


class PipelineNameError(PipelineRefusedError):
    """A pipeline names a collection by something else than a constant string."""

    code = "OC311"
    status = 400


class PipelineMalformedError(PipelineRefusedError):
    """This is no pipeline that MongoDB knows."""

    code = "OC312"
    status = 422
    prefix = "malformed aggregation pipeline: "


class AuthError(ServiceError):
    """The request stops at the door."""

    code = "OC400"
    status = 401


class UnauthenticatedError(AuthError):
    """No credentials, or wrong ones."""

    code = "OC401"
    status = 401


class ForbiddenError(AuthError):
    """Good credentials without the right."""

    code = "OC402"
    status = 403


class StoreError(ServiceError):
    """MongoDB refused, or something between us and it failed."""

    code = "OC500"
    status = 500


class StoreUnavailableError(StoreError):
    """MongoDB cannot be reached, or has no primary."""

    code = "OC501"
    retry_after = 5  # within the time of an election, so that clients come back soon after it


class StoreTimeoutError(StoreError):
    """A query ran over its time limit."""

    code = "OC502"
    status = 408


class DuplicateKeyError(StoreError):
    """A unique index refused the write."""

    code = "OC503"
    status = 409


class QueryRefusedError(StoreError):
    """MongoDB calls the query or the write malformed: the client's doing."""

    code = "OC504"
    status = 400


class PipelineFailedError(QueryRefusedError):
    """MongoDB refuses a pipeline, or the pipeline fails on the documents that it meets."""

    code = "OC520"
    status = 422


class ResultTooLargeError(StoreError):
    """A pipeline gives more than the limit that the settings name."""

    code = "OC521"
    status = 422


class EmbeddedMongoError(StoreError):
    """The embedded mongod could not be found, started or reached."""

    code = "OC505"


class DataDirInUseError(EmbeddedMongoError):
    """Another server owns the data directory."""

    code = "OC506"


class TooManyWatchersError(StoreError):
    """The server has as many change streams, or as many watchers, as its settings allow."""

    code = "OC507"
    status = 503
    retry_after = 30


class ReplicaSetError(StoreError):
    """A replica set, or what is known about it, is not as it has to be for what is asked."""

    code = "OC508"
