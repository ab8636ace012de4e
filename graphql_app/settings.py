"""The settings of the GraphQL application, as one frozen value; ``opencaas`` fills it from its own settings."""

from dataclasses import dataclass

from graphql_app.schema.mappings import Limits

__all__ = ["GraphQLSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLSettings:
    """What an operator may change.

    Attributes:
        default_limit: documents of a list whose mapping names no limit.
        max_limit: largest limit of a list; a larger one is refused, and "no limit" means this one.
        query_time_limit_ms: time that one request may take from the start of its execution; then 408.
        max_tokens: tokens of an operation, counted while it is parsed, before it is validated.
        max_body_bytes: largest body of a request.
        max_validation_errors: validation stops after so many errors.
        plan_cache_size: operations that are kept parsed and validated, for each version of an application.
        plan_cache_bytes: length of their texts together; longer operations are parsed each time.
        batch_keys: keys that one merged database call looks up at most.
        parallel_queries: database calls that one request has under way at a time.
        regex_length: longest regular expression of a filter, in characters.
        poll_seconds: how often definitions are compared with the database while the change feed is down.
        compile_queries: plans are compiled; without, graphql-core executes all of them.
        allowed_origins: origins whose pages may send credentials across sites; empty: none may.
    """

    default_limit: int = 20
    max_limit: int = 100
    query_time_limit_ms: int = 30_000
    max_tokens: int = 15_000
    max_body_bytes: int = 1_048_576
    max_validation_errors: int = 100
    plan_cache_size: int = 1_000
    plan_cache_bytes: int = 4_194_304
    batch_keys: int = 1_000
    parallel_queries: int = 16
    regex_length: int = 1_000
    poll_seconds: float = 2.0
    compile_queries: bool = True
    allowed_origins: tuple[str, ...] = ()

    @property
    def limits(self) -> Limits:
        """The part that definitions are checked against."""
        return Limits(default_limit=self.default_limit, max_limit=self.max_limit)
