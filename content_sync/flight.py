"""Bounded concurrency: work on a few elements at a time, read in a thread by whoever produces them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from typing import Any, Final, TypeVar

from content_core.errors import ServiceError

__all__ = ["fly", "together"]

T = TypeVar("T")

_END: Final[Any] = object()


async def _in_thread(items: Generator[T, None, None]) -> AsyncGenerator[T, None]:
    """Draw from an iterator in a thread of its own, one element at a time, so that the event loop stays free.

    When it is left early, it waits until the element under way is there, since a thread cannot be interrupted.
    """
    loop = asyncio.get_running_loop()
    with closing(items), ThreadPoolExecutor(1, thread_name_prefix="source") as thread:
        while (item := await loop.run_in_executor(thread, next, items, _END)) is not _END:
            yield item


async def fly(items: Generator[T, None, None], work: Callable[[T], Awaitable[None]], *, limit: int) -> None:
    """Work on elements, a few at a time; one more is read ahead, in a thread.

    Raises:
        ServiceError: the first one of the work, or of the reading; all other work is cancelled.
    """
    room = asyncio.Semaphore(limit)

    async def one(item: T) -> None:
        try:
            await work(item)
        finally:
            room.release()

    try:
        async with aclosing(_in_thread(items)) as arriving, asyncio.TaskGroup() as group:
            async for item in arriving:
                await room.acquire()
                group.create_task(one(item))
    except BaseExceptionGroup as problems:
        raise _first(problems) from problems


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """Do several things at the same time.

    Raises:
        ServiceError: the first one; all other work is cancelled.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for each in work:
                group.create_task(each)
    except BaseExceptionGroup as problems:
        raise _first(problems) from problems


def _first(problems: BaseExceptionGroup[BaseException]) -> BaseException:
    """What a person should hear of: an error of ours before any other."""
    known = problems.subgroup(ServiceError)
    found: BaseException = known if known is not None else problems
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
