"""The composition: one store, one change feed and one access control, shared by the applications of a process."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from content_core import observe
from content_core.access import AccessControl, KeyStore
from content_core.errors import ServiceError
from content_core.store import ChangeFeed, ChangeStreams, Store
from content_core.store.monitoring import CommandWatch, ConnectionWatch
from graphql_app.app import create_app as create_graphql_app
from graphql_app.plan import Bounds
from graphql_app.registry import Registry
from graphql_app.settings import GraphQLSettings
from opencaas.compression import Compression
from opencaas.draining import Draining
from opencaas.health import HEALTH_PATHS
from opencaas.lifespan import Lifespan
from opencaas.metrics.endpoint import is_metrics_path
from opencaas.monitoring import Monitoring, Surroundings
from opencaas.settings import Settings
from rest_compat.app import create_app as create_rest_app
from rest_compat.settings import RestSettings

__all__ = ["Services", "create_app"]


@dataclass(slots=True)
class Services:
    """What a process opens once: made by :meth:`open`, started and stopped by the application's lifespan."""

    store: Store
    feed: ChangeFeed
    access: AccessControl
    keys: KeyStore
    registry: Registry
    upstreams: ChangeStreams
    master_api_key: str | None

    @classmethod
    def open(cls, settings: Settings, *, uri: str, admin_password: str, token_secret: str | None = None) -> "Services":
        """Connect the rooms; nothing is awaited yet.

        Args:
            settings: the server's settings.
            uri: the MongoDB to use, the embedded one's or the configured one.
            admin_password: the admin user's password.
            token_secret: signs security tokens; None makes one that no other process knows.
        """
        store = Store.open(uri, driver=settings.store_driver, event_listeners=[CommandWatch(), ConnectionWatch()])
        feed = ChangeFeed(store)
        access = AccessControl(
            store,
            feed,
            admin_user=settings.admin_user,
            admin_password=admin_password,
            token_secret=token_secret,
            allowed_origins=settings.allowed_origins,
        )
        registry = Registry(store, feed, graphql_settings(settings))
        upstreams = ChangeStreams(
            store,
            max_streams=settings.max_change_streams,
            max_watchers=settings.max_watchers,
            max_watchers_per_stream=settings.max_watchers_per_stream,
            resume_seconds=settings.stream_resume_seconds,
        )
        master = settings.master_api_key.get_secret_value() if settings.master_api_key else None
        return cls(store, feed, access, KeyStore(store), registry, upstreams, master)

    async def start(self) -> None:
        """Open the change feed first, so that nothing written while the registry loads is missed."""
        await self.feed.start()
        await self.store.connect()
        await self.keys.start(master_key=self.master_api_key)
        await self.registry.start()

    async def stop(self) -> None:
        """Close in reverse order."""
        await self.upstreams.stop()
        await self.registry.stop()
        self.access.close()
        await self.feed.stop()
        await self.store.close()


def create_app(
    services: Services,
    settings: Settings,
    *,
    start_failed: Callable[[ServiceError], None] = lambda _error: None,
    surroundings: Surroundings | None = None,
) -> ASGIApp:
    """Build the server's ASGI application.

    Paths that begin with ``/graphql/`` go to the GraphQL application, health and figures answer by themselves, and
    everything else is the REST interface.

    Args:
        services: what the rooms share; started and stopped with the application.
        settings: the server's settings.
        start_failed: hears why the services could not be started.
        surroundings: figures and log lines of the server that this process is a part of; None where it is alone.

    Raises:
        TracingError: traces are wanted, but what makes them is not installed.
    """
    surroundings = surroundings or Surroundings.alone()
    board = surroundings.board
    monitoring = Monitoring(
        settings,
        surroundings,
        store=services.store,
        feed=services.feed,
        access=services.access,
    )

    async def start() -> None:
        await services.start()
        await monitoring.start()

    async def stop() -> None:
        await monitoring.stop()
        await services.stop()

    rooms = _Rooms(
        graphql=create_graphql_app(
            store=services.store,
            access=services.access,
            registry=services.registry,
            settings=graphql_settings(settings),
        ),
        health=monitoring.health,
        metrics=monitoring.metrics,
        rest=create_rest_app(
            store=services.store,
            access=services.access,
            keys=services.keys,
            definitions=services.registry,
            settings=RestSettings(
                max_body_bytes=settings.max_definition_bytes,
                allowed_origins=settings.allowed_origins,
                query_time_limit_ms=settings.query_time_limit_ms,
                public_url=settings.public_urls[0] if settings.public_urls else "",
                public_urls=settings.public_urls,
                default_page_size=settings.default_page_size,
                max_page_size=settings.max_page_size,
                no_properties_with_filter=settings.no_properties_with_filter,
                resolve_refs=settings.resolve_refs,
                resolve_refs_depth=settings.resolve_refs_depth,
                resolve_refs_max=settings.resolve_refs_max,
                max_file_bytes=settings.max_file_bytes,
                max_file_metadata_bytes=settings.max_file_metadata_bytes,
                max_upload_parts=settings.max_upload_parts,
                upload_idle_seconds=settings.upload_idle_seconds,
                aggregation_time_limit_ms=settings.aggregation_time_limit_ms,
                max_aggregation_bytes=settings.max_aggregation_bytes,
                watcher_queue_bytes=settings.watcher_queue_bytes,
            ),
            feed=services.feed,
            upstreams=services.upstreams,
        ),
    )
    answering = monitoring.around(Compression(rooms, level=settings.compression_level))
    last = Draining(answering, draining=lambda: board.draining)
    return Lifespan(last, start=start, stop=stop, start_failed=start_failed)


def graphql_settings(settings: Settings) -> GraphQLSettings:
    """Pick the settings of the GraphQL application."""
    return GraphQLSettings(
        default_limit=settings.default_limit,
        max_limit=settings.max_limit,
        query_time_limit_ms=settings.query_time_limit_ms,
        max_body_bytes=settings.max_body_bytes,
        max_tokens=settings.max_tokens,
        bounds=Bounds(
            max_operations=settings.max_operations,
            max_fragments=settings.max_fragments,
            max_spreads=settings.max_spreads,
            max_depth=settings.max_depth,
            max_fields=settings.max_fields,
            max_aliases=settings.max_aliases,
            max_root_fields=settings.max_root_fields,
            max_introspection_fields=settings.max_introspection_fields,
            max_introspection_depth=settings.max_introspection_depth,
        ),
        max_cost=settings.max_cost,
        max_input_values=settings.max_input_values,
        max_response_bytes=settings.max_response_bytes,
        plan_cache_size=settings.plan_cache_size,
        plan_cache_bytes=settings.plan_cache_bytes,
        compile_queries=settings.compile_queries,
        http=settings.graphql_http,
        verbose=settings.graphql_verbose,
        allowed_origins=settings.allowed_origins,
    )


@dataclass(frozen=True, slots=True)
class _Rooms:
    graphql: ASGIApp
    health: ASGIApp
    metrics: ASGIApp
    rest: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if scope["type"] == "websocket":  # change streams are the only ones
            await self.rest(scope, receive, send)
        elif path == "/graphql" or path.startswith("/graphql/"):
            observe.note(route="GRAPHQL", template="/graphql/{app}")
            await self.graphql(scope, receive, send)
        elif path.rstrip("/") in HEALTH_PATHS:
            observe.note(route="HEALTH", template=path.rstrip("/"))
            await self.health(scope, receive, send)
        elif is_metrics_path(scope):
            observe.note(route="METRICS", template="/_metrics")
            await self.metrics(scope, receive, send)
        else:
            await self.rest(scope, receive, send)
