"""The texts of generated types and fields, taken from what the project's developers wrote for their editors."""

from collections.abc import Sequence
from typing import Final

from schema_gen.model import FormField, Language, Template

__all__ = ["describe_field", "describe_template", "tidy"]

_LONGEST: Final = 300


def tidy(text: str) -> str:
    """Make one printable line of moderate length out of any text."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def describe_template(template: Template, languages: Sequence[Language]) -> str:
    """Name a template: kind, display name in the project's master language, uid."""
    names = dict(template.display_names)
    master = next((language.abbreviation for language in languages if language.master), "")
    name = tidy(names.get(master) or next(iter(names.values()), ""))
    shown = f' "{name}"' if name else ""
    return f"{template.kind.value} template{shown} (uid {tidy(template.uid)})"


def describe_field(field: FormField, *, renamed: bool) -> str:
    """Say what editors read beside a field, and which component it is."""
    texts = [tidy(text).rstrip(".") for text in (field.label, field.description)]
    component = tidy(f"{field.component} {field.plugin}" if field.plugin else field.component)
    origin = [f"Named {tidy(field.name)} in the form"] if renamed else []
    return ". ".join([*(text for text in texts if text), component, *origin]) + "."
