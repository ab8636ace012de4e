"""The settings of the GraphQL application, as one frozen value; ``opencaas`` fills it from its own settings."""

from dataclasses import dataclass, field
from typing import Literal

from graphql_app.plan.guards import Bounds
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
        bounds: how large an operation may be, counted before it is validated.
        max_cost: what an operation may cost by the rule of spec 9.2, where its application says nothing else.
        max_input_values: values in arguments and variables, counted as often as fields read them.
        max_response_bytes: largest body of an answer.
        max_body_bytes: largest body of a request.
        http: ``compat`` answers as the original does, ``standard`` as GraphQL over HTTP has it.
        max_validation_errors: validation stops after so many errors.
        plan_cache_size: operations of all applications together that are kept parsed, validated and compiled.
        plan_cache_bytes: memory that they may take, as it is estimated; larger ones are parsed each time.
        batch_keys: keys that one merged database call looks up at most.
        parallel_queries: database calls that one request has under way at a time.
        regex_length: longest regular expression of a filter, in characters.
        poll_seconds: how often definitions are compared with the database while the change feed is down.
        verbose: answers tell what data loaders would have counted; graphql-core then executes all plans.
        compile_queries: plans are compiled; without, graphql-core executes all of them.
        allowed_origins: origins whose pages may send credentials across sites; empty: none may.
    """

    default_limit: int = 20
    max_limit: int = 100
    query_time_limit_ms: int = 30_000
    max_tokens: int = 15_000
    bounds: Bounds = field(default_factory=Bounds)
    max_cost: int = 50_000
    max_input_values: int = 100_000
    max_response_bytes: int = 20_000_000
    max_body_bytes: int = 1_048_576
    http: Literal["compat", "standard"] = "compat"
    max_validation_errors: int = 100
    plan_cache_size: int = 1_000
    plan_cache_bytes: int = 16_777_216
    batch_keys: int = 1_000
    parallel_queries: int = 16
    regex_length: int = 1_000
    poll_seconds: float = 2.0
    verbose: bool = False
    compile_queries: bool = True
    allowed_origins: tuple[str, ...] = ()

    @property
    def limits(self) -> Limits:
        """The part that definitions are checked against."""
        return Limits(default_limit=self.default_limit, max_limit=self.max_limit)
