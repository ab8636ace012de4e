"""``GET /_metrics``: the figures of the whole server, for the metrics user and the admin (rest-api 11.2).

``/<database>/_metrics`` and ``/<database>/<collection>/_metrics`` have the timers of one database or collection, where
the settings say that these are told apart.
"""

import asyncio
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from content_core.access import AccessControl, Credentials
from content_core.access.credentials import PasswordLogin, parse_authorization
from content_core.errors import (
    ForbiddenError,
    MethodNotAllowedError,
    NotFoundError,
    RequestError,
    ServiceError,
    UnauthenticatedError,
)
from opencaas.metrics.board import Board
from opencaas.metrics.figures import ALL, Figures
from opencaas.metrics.forms import JSON_TYPE, TEXT_TYPE, render_json, render_text
from opencaas.metrics.recorder import Labels
from opencaas.metrics.requests import Level
from rest_compat.cors import answer_headers, preflight_headers
from rest_compat.errors import render_error
from rest_compat.reply import Reply
from rest_compat.request import Request, parse_path, parse_request
from rest_compat.resources import METHODS, Kind, read_resource

__all__ = ["MetricsEndpoint", "MetricsUser", "NotAcceptableError", "is_metrics_path"]


_LAST: Final = "_metrics"
_REPS: Final = frozenset({"s", "standard", "hal", "shal", "pj", "plain_json"})
_NO_STORE: Final = {"Cache-Control": "no-store"}


class NotAcceptableError(RequestError):
    """The ``Accept`` header asks for a form in which the figures are not given."""

    code = "OC702"
    status = 406


@dataclass(frozen=True, slots=True)
class MetricsUser:
    """Who may read the figures and nothing else.

    Args:
        name: for HTTP Basic.
        password: without one there is no such user.
    """

    name: str
    password: str | None

    def is_meant(self, credentials: Credentials) -> bool:
        """Tell, in constant time, whether the credentials are this user's."""
        if self.password is None or credentials.security_token is not None or credentials.authorization is None:
            return False
        login = parse_authorization(credentials.authorization)
        if not isinstance(login, PasswordLogin):
            return False
        same_user = hmac.compare_digest(login.user.encode(), self.name.encode())
        same_password = hmac.compare_digest(login.password.encode(), self.password.encode())
        return same_user and same_password


def is_metrics_path(scope: Scope) -> bool:
    """Tell whether a request is about figures."""
    if not scope["path"].rstrip("/").lower().endswith(_LAST):
        return False
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return read_resource(parse_path(raw.partition(b"?")[0])[0]).kind is Kind.METRICS


class MetricsEndpoint:
    """ASGI endpoint of the three addresses.

    Args:
        board: the figures of all processes.
        access: knows the admin.
        user: who else may read.
        level: how finely timers are told apart.
        exists: says whether there is a database (with an empty collection), or a collection.
        known: gives gauges that every process knows by itself, by name and labels.
        allowed_origins: web origins whose pages may send credentials.
        realm: what browsers show when they ask for a password.
    """

    def __init__(
        self,
        board: Board,
        *,
        access: AccessControl,
        user: MetricsUser,
        level: Level,
        exists: Callable[[str, str], bool],
        known: Callable[[], Mapping[tuple[str, Labels], float]] = dict,
        allowed_origins: tuple[str, ...] = (),
        realm: str = "OpenCaaS",
    ) -> None:
        self._board = board
        self._access = access
        self._user = user
        self._depth = ("root", "database", "collection").index(level)
        self._exists = exists
        self._known = known
        self._allowed_origins = allowed_origins
        self._realm = realm

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        request = parse_request(scope)
        try:
            reply = await self._answer(request)
        except ServiceError as error:
            reply = render_error(error, request, realm=self._realm)
        headers = {**answer_headers(request.headers.get("origin"), self._allowed_origins), **_NO_STORE, **reply.headers}
        response = Response(reply.body, status_code=reply.status, headers=headers, media_type=reply.media_type)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Reply:
        if request.method == "OPTIONS":
            return Reply(status=200, headers=preflight_headers(METHODS[Kind.METRICS]))
        await self._admit(request)
        if not request.reads:
            raise MethodNotAllowedError(f"method {request.method} not allowed")
        if request.problem is not None:
            raise request.problem
        place = request.segments[:-1]
        if len(place) > self._depth or (place and not self._exists(place[0], "".join(place[1:]))):
            raise NotFoundError("resource does not exist")
        render, media_type = (render_json, JSON_TYPE) if _wants_json(request) else (render_text, TEXT_TYPE)
        database, collection = (*place, ALL, ALL)[:2]
        known = self._known()
        # Some milliseconds of adding up: in a thread, so that others are answered in between.
        body = await asyncio.to_thread(lambda: render(Figures.read(self._board, known), database, collection))
        return Reply(status=200, body=body, media_type=media_type)

    async def _admit(self, request: Request) -> None:
        if not request.credentials.given:
            raise UnauthenticatedError("credentials are missing")
        if self._user.is_meant(request.credentials):
            return
        principal = await self._access.authenticate(request.credentials, tenant=None)
        if principal.kind != "admin":
            raise ForbiddenError("figures are for the metrics user and the admin")


def _wants_json(request: Request) -> bool:
    """Choose the form: by ``rep``, else by the type that ``Accept`` wants most; text where both are as welcome.

    Raises:
        NotAcceptableError: neither is.
    """
    if any(rep.lower() in _REPS for rep in request.query.get("rep", ())[:1]):
        return True
    accept = request.headers.get("accept", "").strip() or "*/*"
    text, json = (_welcome(accept, *media_type) for media_type in (("text", "plain"), ("application", "json")))
    if max(text, json)[0] <= 0:
        raise NotAcceptableError("figures are given as text/plain and as application/json")
    return json > text


def _welcome(accept: str, kind: str, subtype: str) -> tuple[float, int]:
    """Give how welcome a type is: the weight of the closest range that covers it, then how close that one is."""
    ranges = ("*/*", f"{kind}/*", f"{kind}/{subtype}")
    best = (0.0, -1)
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        closeness = ranges.index(name) if name in ranges else -1
        if closeness > best[1]:
            best = (_weight(parameters), closeness)
    return best


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
