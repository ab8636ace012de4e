"""A clock that tests put forward, so that a time limit ends when they say so and not when the machine is busy."""

import asyncio

import pytest

__all__ = ["Clock"]


class Clock:
    """The clock of the running event loop: real time, and what it was put forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._ahead = 0.0
        real = loop.time
        monkeypatch.setattr(loop, "time", lambda: real() + self._ahead)

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self._ahead += seconds


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)
