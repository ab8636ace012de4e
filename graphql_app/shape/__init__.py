"""From outcomes and errors to response bodies; pure: nothing here waits or knows HTTP beyond a status number."""

from graphql_app.shape.errors import render_field_error, render_refusal, render_service_error
from graphql_app.shape.response import Answer, shape_errors, shape_outcome

__all__ = ["Answer", "render_field_error", "render_refusal", "render_service_error", "shape_errors", "shape_outcome"]
