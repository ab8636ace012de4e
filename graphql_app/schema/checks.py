"""What is wrong with a definition, collected in the order in which it is told."""

from enum import IntEnum, auto

__all__ = ["Check", "Findings"]


class Check(IntEnum):
    """The checks of a definition in their order; the first that fails leads the message."""

    ID = auto()
    DESCRIPTOR = auto()
    DESCRIPTOR_MEMBER = auto()
    URI = auto()
    SCHEMA_TYPE = auto()
    SCHEMA_SYNTAX = auto()
    MAPPINGS_MISSING = auto()
    MAPPINGS_TYPE = auto()
    TYPE_ENTRY = auto()
    FIELD_ENTRY = auto()
    PLACE_MISSING = auto()
    PLACE_TYPE = auto()
    STAGES_TYPE = auto()
    MEMBER_TYPE = auto()
    LIMIT_TYPE = auto()
    LIMIT_VALUE = auto()
    SKIP_TYPE = auto()
    ENUM_ENTRY = auto()
    ABSTRACT_ENTRY = auto()
    RESOLVER_MISSING = auto()
    RESOLVER_TYPE = auto()
    PREDICATE = auto()
    MEMBER_UNMAPPED = auto()
    QUERY_UNMAPPED = auto()
    EXTENDED_JSON = auto()
    DATABASE = auto()
    COLLECTION = auto()
    OPERATOR = auto()
    ARGUMENT = auto()
    NO_PARENT = auto()
    NOT_A_MEMBER = auto()
    SCHEMA_MEANING = auto()


class Findings:
    """Reasons to refuse a definition, and warnings about one that is accepted."""

    def __init__(self) -> None:
        self._reasons: list[tuple[Check, str]] = []
        self._warnings: list[str] = []

    def refuse(self, check: Check, reason: str) -> None:
        """Note a reason to refuse the definition."""
        self._reasons.append((check, reason))

    def warn(self, text: str) -> None:
        """Note something odd that does no harm."""
        self._warnings.append(text)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons in the order of the checks, each of them once."""
        in_order = sorted(self._reasons, key=lambda reason: reason[0])
        return tuple(dict.fromkeys(text for _, text in in_order))

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings in the order of their discovery."""
        return tuple(self._warnings)
