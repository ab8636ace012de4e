"""One GraphQL request from HTTP to HTTP: who asks, which application, what is asked, and the answer."""

from typing import Any, Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from content_core import observe
from content_core.access import AccessControl, Principal
from content_core.errors import (
    BodyTooLargeError,
    ForbiddenError,
    RequestError,
    StoreUnavailableError,
    UnauthenticatedError,
)
from content_core.store import Store
from graphql_app.engine import Engine
from graphql_app.http.incoming import Incoming
from graphql_app.http.negotiation import GRAPHQL_RESPONSE, AnswerForm, choose_form
from graphql_app.http.request import Address, GraphQLRequest, parse_query_string, parse_request, read_body
from graphql_app.registry import ActiveApp, Registry
from graphql_app.settings import GraphQLSettings
from graphql_app.shape import Answer, render_service_error, shape_errors
from graphql_app.shape.errors import render_incident

__all__ = ["GraphQLEndpoint"]

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NOT_FOUND = "GraphQL app not found"
_NOT_ACCEPTABLE = "Answers have the type application/graphql-response+json or application/json"
_UNCACHED: Final = {"Cache-Control": "no-store"}


class GraphQLEndpoint:
    """The ASGI application behind every GraphQL address."""

    def __init__(self, *, store: Store, access: AccessControl, registry: Registry, settings: GraphQLSettings) -> None:
        self._engine = Engine(store=store, settings=settings)
        self._store = store
        self._access = access
        self._registry = registry
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        request = Incoming(scope, receive)
        form = choose_form(request.header(b"accept"), self._settings.http)
        try:
            response = await self._respond(request, form)
        except ClientDisconnect:
            return
        except StoreUnavailableError as error:
            message = f"Unable to establish a connection to the database: {error.message}"
            away = shape_errors(error.status, [render_service_error(message, code=error.code)])
            response = _render(form, away, headers={"Retry-After": str(error.retry_after)})
        except Exception as error:  # noqa: BLE001 - the edge: clients see a number, the log sees the rest
            response = _render(form, shape_errors(500, [render_incident(error)]))
        await response(scope, receive, send)

    async def _respond(self, request: Incoming, form: AnswerForm | None) -> Response:
        allowed = ("GET", "POST") if self._settings.http == "standard" else ("POST",)
        if request.method not in _METHODS:
            return _refuse_method(form, allowed)
        address = Address.of(request.path)
        await self._store.await_primary()
        try:
            with observe.stage("access"):
                principal = await self._admit(request, address)
        except UnauthenticatedError:
            return Response(status_code=401, headers=_UNCACHED | _challenge(request))
        except ForbiddenError:
            return Response(status_code=403, headers=_UNCACHED)
        if request.method not in allowed:
            return _refuse_method(form, allowed)
        if form is None:
            return _render(form, shape_errors(406, [render_service_error(_NOT_ACCEPTABLE)]))
        return await self._execute(request, address, principal, form)

    async def _execute(self, request: Incoming, address: Address, principal: Principal, form: AnswerForm) -> Response:
        active = self._registry.active(address.key) if address.key is not None else None
        if active is None:
            return _render(form, self._refuse_address(address))
        try:
            with observe.stage("body"):
                asked = await self._read(request, form)
        except BodyTooLargeError as error:
            return _render(form, shape_errors(413, [render_service_error(error.message, code=error.code)]))
        except RequestError as error:
            return _render(form, _refuse_body(error))
        answer = await self._answer(active, asked, principal, request)
        if answer.status == 405:
            return _refuse_method(form, ("POST",), answer)
        return _render(form, answer, form.status(answer))

    async def _read(self, request: Incoming, form: AnswerForm) -> GraphQLRequest:
        if request.method == "GET":
            return parse_query_string(request.query_parameters)
        declared = request.header(b"content-length")
        body = await read_body(request.next_part, declared=declared, limit=self._settings.max_body_bytes)
        return parse_request(body, request.header(b"content-type"), strict=form.standard)

    async def _admit(self, request: Incoming, address: Address) -> Principal:
        principal = await self._access.authenticate(request.credentials, tenant=address.tenant)
        if address.key is None:
            self._access.authorize_path(principal, method="POST", segments=address.segments)
        else:
            self._access.authorize_app(principal, key=address.key)
        return principal

    async def _answer(
        self, active: ActiveApp, asked: GraphQLRequest, principal: Principal, request: Incoming
    ) -> Answer:
        observe.note(app=active.app.definition.key.uri)
        return await self._engine.answer(
            active,
            asked.query,
            operation_name=asked.operation_name,
            variables=asked.variables,
            user=_describe_user(principal),
            read_only=request.method == "GET",
            show_cost=request.header(b"x-caas-cost") == "1",
            explain=request.header(b"x-caas-explain") == "1" and self._may_explain(active, principal),
        )

    def _may_explain(self, active: ActiveApp, principal: Principal) -> bool:
        """Plans show documents and filters: they are for whoever may read the collections themselves."""
        collections = active.app.definition.collections
        return all(self._access.may_read_collection(principal, *place) for place in collections)

    def _refuse_address(self, address: Address) -> Answer:
        problem = self._registry.problem(address.key) if address.key is not None else None
        if problem is None:
            return shape_errors(404, [render_service_error(_NOT_FOUND)])
        return shape_errors(400, [render_service_error(f"Invalid GraphQL app definition: {problem}")])


def _describe_user(principal: Principal) -> dict[str, Any]:
    """Give what ``@user`` stands for (graphql-apps 3.6): keys have no accounts."""
    return {"_id": principal.key_id, "tenant": principal.tenant, "global": principal.tenant is None}


def _refuse_body(error: RequestError) -> Answer:
    entry = render_service_error(error.message, code=error.code)
    entry["extensions"]["classification"] = "ValidationError"
    return shape_errors(400, [entry])


def _refuse_method(form: AnswerForm | None, allowed: tuple[str, ...], answer: Answer | None = None) -> Response:
    answer = answer or shape_errors(405, [render_service_error("Method Not Allowed")])
    return _render(form, answer, headers={"Allow": ", ".join((*allowed, "OPTIONS"))})


def _challenge(request: Incoming) -> dict[str, str]:
    quiet = request.header(b"no-auth-challenge") is not None or "noauthchallenge" in request.query_parameters
    return {} if quiet else {"WWW-Authenticate": 'Basic realm="OpenCaaS"'}


def _render(
    form: AnswerForm | None, answer: Answer, status: int | None = None, *, headers: dict[str, str] | None = None
) -> Response:
    return Response(
        answer.body,
        status_code=status or answer.status,
        headers=_UNCACHED | (headers or {}),
        media_type=form.media_type if form else GRAPHQL_RESPONSE,
    )
