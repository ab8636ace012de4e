"""When a request is worth repeating, and how long to wait before: exponential back-off with jitter, bounded."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

__all__ = ["Retrying", "passing_status"]


def passing_status(status: int) -> bool:
    """Whether an answer speaks of trouble that may pass: 408, 429, and the server's errors but for 501."""
    return status in {408, 429} or (status >= 500 and status != 501)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """How often and how patiently a request is repeated.

    Attributes:
        attempts: how often a request is sent at most, the first time included.
        first_delay: seconds before the first repetition; doubled each time.
        longest_delay: most seconds before a repetition of our own choice.
        longest_wait: most seconds that a server's ``Retry-After`` is followed.
    """

    attempts: int = 6
    first_delay: float = 0.5
    longest_delay: float = 20.0
    longest_wait: float = 120.0

    def delay(self, attempt: int, response: httpx.Response | None = None) -> float:
        """Choose the seconds to wait after a failed attempt, counted from 1.

        Half of the delay is chance, so that many clients of a server that was away do not all come back at once.
        """
        wished = _retry_after(response) if response is not None else None
        if wished is not None:
            return min(wished, self.longest_wait)
        whole = min(self.first_delay * 2.0 ** min(attempt - 1, 64), self.longest_delay)
        return whole / 2 + random.uniform(0, whole / 2)  # noqa: S311 - no secret


def _retry_after(response: httpx.Response) -> float | None:
    """Read ``Retry-After``: seconds or a date; what is neither counts as absent."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
