"""What an operator may choose about the REST interface."""

from dataclasses import dataclass

__all__ = ["RestSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestSettings:
    """Settings of the REST interface.

    Args:
        default_page_size: elements of a list where ``pagesize`` is not given.
        max_page_size: the largest ``pagesize`` that is answered.
        max_body_bytes: the largest JSON body that is read.
        allowed_origins: web origins whose pages may use cookies; pages of all others may read answers without.
        public_url: the base of absolute links, such as ``https://caas.example``; empty takes it from each request.
        public_urls: further bases under which clients know this server; references to them are resolved.
        query_time_limit_ms: how long MongoDB may work on one query; past it the answer is 408.
        aggregation_time_limit_ms: how long MongoDB may work on one aggregation; past it the answer is 408.
        max_aggregation_bytes: how large the result of an aggregation may be, as BSON; past it the answer is 422.
        max_regex_length: the longest regular expression in a query.
        no_properties_with_filter: whether a list that is filtered leaves its own properties out.
        resolve_refs: whether ``resolveRef`` is answered.
        resolve_refs_depth: how many references one behind the other are followed.
        resolve_refs_max: how many different references one request resolves.
        watcher_queue_bytes: how much may wait for a client that reads a change stream too slowly.
        max_file_bytes: the largest file that is stored.
        max_file_metadata_bytes: the largest JSON that describes a file while it is uploaded.
        max_upload_parts: how many parts an upload may have.
        upload_idle_seconds: how long an upload may pause.
        realm: what browsers show when they ask for user and password.
    """

    default_page_size: int = 20
    max_page_size: int = 100
    max_body_bytes: int = 16 * 1024 * 1024
    allowed_origins: tuple[str, ...] = ()
    public_url: str = ""
    public_urls: tuple[str, ...] = ()
    query_time_limit_ms: int = 30_000
    aggregation_time_limit_ms: int = 30_000
    max_aggregation_bytes: int = 32 * 1024 * 1024
    max_regex_length: int = 1_000
    no_properties_with_filter: bool = True
    resolve_refs: bool = True
    resolve_refs_depth: int = 3
    resolve_refs_max: int = 100
    watcher_queue_bytes: int = 1024 * 1024
    max_file_bytes: int = 256 * 1024 * 1024
    max_file_metadata_bytes: int = 1024 * 1024
    max_upload_parts: int = 50
    upload_idle_seconds: float = 60.0
    realm: str = "OpenCaaS"
