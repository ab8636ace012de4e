"""From outcomes and errors to response bodies; pure: nothing here waits or knows HTTP beyond a status number."""

from graphql_app.shape.errors import render_field_error, render_refusal, render_service_error
from graphql_app.shape.response import Answer, bound_answer, extend_answer, shape_errors, shape_outcome
from graphql_app.shape.schema_answers import SchemaAnswers

__all__ = [
    "Answer",
    "SchemaAnswers",
    "bound_answer",
    "extend_answer",
    "render_field_error",
    "render_refusal",
    "render_service_error",
    "shape_errors",
    "shape_outcome",
]
