"""Every setting of the server, with its default and what it does: the only module that reads the environment."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings.sources import PydanticBaseSettingsSource

from content_core.errors import ServiceError

__all__ = ["Settings", "SettingsError", "check_secrets", "read_settings"]


class SettingsError(ServiceError):
    """One or more settings are wrong or missing; the message lists all of them."""

    code = "OC700"
    status = 500


class Settings(BaseSettings):
    """Flags first, then ``OPENCAAS_*`` environment variables, then these defaults."""

    model_config = SettingsConfigDict(
        env_prefix="OPENCAAS_", frozen=True, extra="ignore", hide_input_in_errors=True, populate_by_name=True
    )

    host: str = Field("127.0.0.1", description="Address to listen on; loopback unless told otherwise.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: int = Field(1, ge=1, le=64, description="Server processes that share the port.")
    mongodb_uri: SecretStr | None = Field(
        None, description="MongoDB to use. Without it an embedded one is started under the data directory."
    )
    data_dir: Path = Field(Path(".opencaas"), description="Where the embedded MongoDB and its secrets live.")
    mongod: str | None = Field(None, description="The mongod binary of the embedded MongoDB, if not the one found.")
    admin_user: str = Field("admin", min_length=1, description="Name of the admin user (HTTP Basic).")
    admin_password: SecretStr | None = Field(
        None, description="Password of the admin user. Required with an external MongoDB; else made and kept."
    )
    token_secret: SecretStr | None = Field(
        None, description="Secret that signs security tokens. Required with an external MongoDB; else made and kept."
    )
    master_api_key: SecretStr | None = Field(
        None, description="A global API key with all rights, created at start if it is not there."
    )
    store_driver: Literal["motor", "pymongo"] = Field(
        "motor", description="Driver of the read path: Motor, or PyMongo's own asynchronous client."
    )
    default_limit: int = Field(
        20,
        ge=1,
        description="Documents of a GraphQL list whose definition and query name no limit; generated ones say 20.",
    )
    max_limit: int = Field(
        100,
        ge=20,
        description="Largest limit of a GraphQL list; a larger one is refused. At least 20 and the default limit.",
    )
    query_time_limit_ms: int = Field(30_000, ge=1, description="Time a request may spend on its queries; then 408.")
    max_body_bytes: int = Field(1_048_576, ge=1024, description="Largest body of a GraphQL request.")
    max_definition_bytes: int = Field(
        16_000_000, ge=1024, description="Largest body of a REST write (MongoDB stores documents up to 16 MiB)."
    )
    max_tokens: int = Field(15_000, ge=1, description="Tokens of a GraphQL document, counted before it is validated.")
    max_operations: int = Field(25, ge=1, description="Operations of a GraphQL document.")
    max_fragments: int = Field(500, ge=0, description="Fragments that a GraphQL document defines.")
    max_spreads: int = Field(
        2_000, ge=0, description="Uses of fragments, named and inline, in a GraphQL operation, counted at each spread."
    )
    max_depth: int = Field(25, ge=1, description="Fields inside each other in a GraphQL operation.")
    max_fields: int = Field(
        2_000, ge=1, description="Fields of a GraphQL operation; those of fragments count at each spread."
    )
    max_aliases: int = Field(100, ge=0, description="Fields of a GraphQL operation that have an alias, counted alike.")
    max_root_fields: int = Field(20, ge=1, description="Fields at the root of a GraphQL operation.")
    max_introspection_fields: int = Field(500, ge=1, description="Fields of an operation that asks for the schema.")
    max_introspection_depth: int = Field(20, ge=1, description="Fields inside each other in such an operation.")
    max_cost: int = Field(
        50_000, ge=1, description="What a GraphQL operation may cost, where its definition has no descriptor.maxCost."
    )
    max_input_values: int = Field(
        100_000,
        ge=1,
        description="Values in arguments and variables of a GraphQL operation, as often as they are read.",
    )
    max_response_bytes: int = Field(20_000_000, ge=1024, description="Largest body of a GraphQL answer.")
    plan_cache_size: int = Field(
        1_000, ge=0, description="GraphQL documents of all applications that a worker keeps planned and compiled."
    )
    plan_cache_bytes: int = Field(
        16_777_216, ge=0, description="Memory that a worker spends on them, as it is estimated; 0 keeps none."
    )
    compile_queries: bool = Field(
        True,
        description="GraphQL queries are compiled; without, graphql-core executes all of them, which takes longer.",
    )
    graphql_http: Literal["compat", "standard"] = Field(
        "compat",
        description="Statuses and media types of GraphQL answers: compat is the original's, "
        "standard GraphQL over HTTP.",
    )
    graphql_verbose: bool = Field(
        False, description="GraphQL answers carry the statistics of data loaders; for testing, since it costs speed."
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Origins (comma separated) whose pages may send credentials across sites."
    )
    public_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Base addresses (comma separated) by which clients know this server; the first is in links."
    )
    default_page_size: int = Field(20, ge=0, description="Elements of a REST list where pagesize is not given.")
    max_page_size: int = Field(
        100, ge=1, description="Largest pagesize of a REST list; a larger one is refused. Sync jobs ask for 100."
    )
    no_properties_with_filter: bool = Field(
        True, description="Whether a REST list that is filtered leaves out its own properties (np)."
    )
    resolve_refs: bool = Field(True, description="Whether resolveRef is answered; without, it is ignored.")
    resolve_refs_depth: int = Field(3, ge=1, le=10, description="References that resolveRef follows in a row.")
    resolve_refs_max: int = Field(100, ge=1, description="Different references that one request resolves.")
    aggregation_time_limit_ms: int = Field(
        30_000, ge=1, description="Time MongoDB may work on a REST aggregation; then 408."
    )
    max_aggregation_bytes: int = Field(
        33_554_432, ge=1024, description="Largest result of a REST aggregation, as BSON; a larger one is refused."
    )
    max_change_streams: int = Field(
        100, ge=1, description="Different change streams that a worker follows; each is a cursor of MongoDB."
    )
    max_watchers: int = Field(5_000, ge=1, description="WebSockets on change streams that a worker serves.")
    max_watchers_per_stream: int = Field(2_000, ge=1, description="WebSockets on the same change stream, per worker.")
    watcher_queue_bytes: int = Field(
        1_048_576,
        ge=1024,
        description="What may wait for a slow client of a change stream, beside one larger event; then it is closed.",
    )
    stream_resume_seconds: float = Field(
        60.0,
        ge=0,
        description="How long change streams wait for a MongoDB that is away; then their clients are closed.",
    )
    max_file_bytes: int = Field(268_435_456, ge=1, description="Largest file of a bucket.")
    max_file_metadata_bytes: int = Field(
        1_048_576, ge=2, le=15_000_000, description="Largest metadata that come with an upload."
    )
    max_upload_parts: int = Field(50, ge=1, description="Parts of an upload; the file and its metadata are two.")
    upload_idle_seconds: float = Field(
        60.0, gt=0, le=300, description="How long an upload may pause; then 408. Nothing of it is kept."
    )
    compression_level: int = Field(
        1, ge=0, le=9, description="How hard answers are compressed: 1 is fast, 9 is small, 0 is not at all."
    )
    metrics_user: str = Field("metrics", min_length=1, description="Name of the user who may read /_metrics.")
    metrics_password: SecretStr | None = Field(
        None, description="Password of the metrics user. Without one only the admin may read /_metrics."
    )
    metrics_level: Literal["root", "database", "collection"] = Field(
        "root", description="How finely request timers are told apart; the finer ones are at /{db}/_metrics and below."
    )
    metrics_operations: int = Field(
        200, ge=0, description="GraphQL operations that metrics tell apart, per worker; more are counted together."
    )
    metrics_projects: int = Field(
        1_000, ge=0, description="States of projects whose last sync metrics show; further ones are left out."
    )
    otlp_endpoint: str | None = Field(
        None,
        validation_alias=AliasChoices("OPENCAAS_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="Base address of an OTLP receiver (HTTP) for traces; OTEL_EXPORTER_OTLP_ENDPOINT does as well.",
    )
    ready_grace_seconds: float = Field(
        30.0, ge=0, description="Time for which a server without its change feed still counts as ready."
    )
    keep_alive_seconds: int = Field(
        75, ge=1, description="How long a connection may be idle; longer than a balancer in front keeps its own."
    )
    drain_seconds: float = Field(
        0.0, ge=0, description="Time at SIGTERM in which the server still answers, but says that it is not ready."
    )
    grace_seconds: float = Field(20.0, ge=0, description="Time that running requests get to finish at SIGTERM.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe event logged.")
    log_format: Literal["auto", "json", "text"] = Field("auto", description="auto: text on a terminal, else JSON.")

    @model_validator(mode="after")
    def _order_limits(self) -> Self:
        if self.default_limit > self.max_limit:
            raise ValueError("OPENCAAS_DEFAULT_LIMIT must not be larger than OPENCAAS_MAX_LIMIT")
        return self

    @field_validator("allowed_origins", "public_urls", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment; no dotenv files, no secrets directory."""
        del settings_cls, dotenv_settings, file_secret_settings
        return init_settings, env_settings


def read_settings(**flags: object) -> Settings:
    """Combine flags, environment and defaults.

    Args:
        flags: values by field name; ``None`` means that the flag was not given.

    Raises:
        SettingsError: with every wrong value at once.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic checks the values
    except ValidationError as error:
        raise SettingsError(_explain(error)) from error


def check_secrets(settings: Settings) -> None:
    """Refuse an external MongoDB without secrets of its own: there are no default ones.

    Raises:
        SettingsError: naming what is missing.
    """
    if settings.mongodb_uri is None:
        return
    missing = [
        f"OPENCAAS_{name.upper()}"
        for name in ("admin_password", "token_secret")
        if not (secret := getattr(settings, name)) or not secret.get_secret_value()
    ]
    if missing:
        raise SettingsError(
            f"{' and '.join(missing)} must be set when the server uses an external MongoDB",
            hint="there are no default secrets; make your own, with openssl rand -hex 32 for example",
        )


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in problem["loc"])
        place = f"OPENCAAS_{name.upper()} (or --{name.replace('_', '-')}): " if name else ""
        lines.append(place + problem["msg"].removeprefix("Value error, "))
    return "; ".join(sorted(lines))
