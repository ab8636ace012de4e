"""How long a change stream lasts: what does not end it, and what does, with which code."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.frames import Opcode

from content_core.access import KeyStore
from content_core.names import ADMIN_DATABASE
from content_core.store import ChangeFeed, Store
from rest_compat import RestSettings
from tests.patience import PATIENCE, Stopwatch
from tests.rest_compat.streams.conftest import (
    COLLECTION,
    CRUD,
    Live,
    close_of,
    event,
    no_event,
    opened_live,
    watched,
    watching,
)

GONE = (1001, "the collection or its database was dropped or renamed")
REMOVED = (1001, "the definition of the change stream is gone")
CHANGED = (1012, "the definition of the change stream has changed")
FORBIDDEN = (1008, "the API key is gone or does not open this any more")
SLOW = (1013, "the client reads too slowly")


@asynccontextmanager
async def frames_of(live: Live) -> AsyncIterator[asyncio.StreamReader]:
    """Watch without a library that answers by itself: give the reader behind the handshake."""
    key = await live.key()
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    head = (
        f"GET {live.collection}/_streams/crud HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    writer.write(head.encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    try:
        yield reader
    finally:
        writer.transport.abort()


async def frame_of(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read a short frame: its opcode and what it holds."""
    first, length = await reader.readexactly(2)
    return first & 0x0F, await reader.readexactly(length)


async def until(check: Any, seconds: float = PATIENCE) -> bool:
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.02)
    return True


async def test_frames_from_clients_are_ignored(live: Live) -> None:
    async with watching(live) as client:
        for sent in ("", "hello", '{"operationType":"insert"}', b"\0\1", b""):
            await client.send(sent)
        pong = await client.ping()
        async with asyncio.timeout(PATIENCE):
            await pong
        await live.put("a")

        assert "a" == (await event(client))["documentKey"]["_id"]


async def test_message_in_parts_is_ignored_too(live: Live) -> None:
    async with watching(live) as client:
        await client.send(["a", "b", "c"])
        await live.put("a")

        assert "a" == (await event(client))["documentKey"]["_id"]


async def test_large_message_of_a_client_ends_its_connection_only(live: Live) -> None:
    async with watching(live) as client, watching(live) as other:
        await client.send("x" * 100_000)

        assert 1009 == (await close_of(client))[0]
        await live.put("a")
        assert "a" == (await event(other))["documentKey"]["_id"]


async def test_pings_are_frames_of_their_own_and_no_text_comes_between_events(
    store: Store, feed: ChangeFeed, database: str
) -> None:
    async with opened_live(store, feed, database, ping_seconds=0.2) as live, frames_of(live) as reader:
        async with asyncio.timeout(PATIENCE):
            opcode, payload = await frame_of(reader)

        assert (Opcode.PING, 4) == (opcode, len(payload))
        with pytest.raises(TimeoutError):  # one ping at a time, and nothing else
            async with asyncio.timeout(0.6):
                await frame_of(reader)


async def test_two_streams_of_the_same_stages_are_one_cursor(live: Live) -> None:
    await live.define(CRUD, {**CRUD, "uri": "alias"})
    async with watching(live) as one, watching(live, "alias") as two, watching(live) as three:
        assert (1, 1, 3) == (await watched(live), live.upstreams.streams, live.upstreams.watchers)
        await live.put("a")

        assert ["a", "a", "a"] == [(await event(each))["documentKey"]["_id"] for each in (one, two, three)]


async def test_other_variables_and_modes_are_other_cursors(live: Live) -> None:
    await live.define({"uri": "by", "stages": [{"$match": {"fullDocument.n": {"$var": "n"}}}]})
    async with (
        watching(live, "by", 'avars={"n":1}') as one,
        watching(live, "by", 'avars={"n":2}') as two,
        watching(live, "by", "avars={n:1}"),
        watching(live, "by", 'avars={"n":1}&jsonMode=extended') as extended,
    ):
        assert 3 == await watched(live)
        await live.put("a", n=1)
        await live.put("b", n=2)

        assert [1, 2] == [(await event(each))["fullDocument"]["n"] for each in (one, two)]
        assert {"$numberInt": "1"} == (await event(extended))["fullDocument"]["n"]


async def test_last_who_leaves_closes_the_cursor(live: Live) -> None:
    async with watching(live) as first:
        async with watching(live):
            pass
        assert await until(lambda: live.upstreams.watchers == 1)
        await live.put("a")
        assert "a" == (await event(first))["documentKey"]["_id"]
    assert await until(lambda: live.upstreams.streams == 0)
    async with asyncio.timeout(PATIENCE):
        while await watched(live):  # noqa: ASYNC110  # the cursor of a stream that nobody watches does not stay open
            await asyncio.sleep(0.05)


@asynccontextmanager
async def watching_by_short_token(live: Live) -> AsyncIterator[tuple[ClientConnection, str]]:
    """Watch with a token that lasts for two seconds; one that is over before it could be used is replaced."""
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        key = await live.key()
        while True:
            token = await live.token(key, ttl=2)
            try:
                client = await stack.enter_async_context(watching(live, query=f"securetoken={token}"))
            except websockets.InvalidStatus:
                continue
            break
        yield client, token


async def test_expired_token_leaves_open_sockets_alone(live: Live) -> None:
    async with watching_by_short_token(live) as (client, token):
        await asyncio.sleep(3.1)
        await live.put("a")

        assert "a" == (await event(client))["documentKey"]["_id"]
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with watching(live, query=f"securetoken={token}"):
                pass
        assert 401 == refused.value.response.status_code


@pytest.mark.parametrize("by", ["header", "token"])
async def test_deleted_key_closes_within_a_second(live: Live, by: str) -> None:
    key = await live.key()
    query = f"securetoken={await live.token(key)}" if by == "token" else ""
    await live.key("k-other")
    other_header = {"Authorization": "Bearer k-other"}
    async with watching(live, query=query) as client, watching(live, additional_headers=other_header) as other:
        with Stopwatch() as stopwatch:
            await live.admin.delete(f"/{live.database}/apikeys/{key}")

            assert FORBIDDEN == await close_of(client)
        assert stopwatch.seconds < 1
        await live.put("a")
        assert "a" == (await event(other))["documentKey"]["_id"]


async def test_key_deleted_behind_the_servers_back_closes_as_well(live: Live) -> None:
    async with watching(live) as client:
        with Stopwatch() as stopwatch:
            await live.store.delete(live.database, "apikeys", "k-reader")

            assert FORBIDDEN == await close_of(client)
        assert stopwatch.seconds < 1.5


async def test_key_that_loses_the_right_closes_and_one_that_keeps_it_does_not(live: Live) -> None:
    async with watching(live) as client:
        await live.key(name="k-reader", description="the same rights")
        await no_event(client)
        await live.key(permissions=[{"url": "/elsewhere/", "methods": ["GET"]}])

        assert FORBIDDEN == await close_of(client)


async def test_dropped_collection_of_keys_closes_those_who_had_one(live: Live) -> None:
    admin = {"Authorization": "Basic YWRtaW46Y29ycmVjdCBob3JzZQ=="}
    async with watching(live) as client, watching(live, additional_headers=admin) as by_admin:
        await live.store.drop_collection(live.database, "apikeys")

        assert FORBIDDEN == await close_of(client)
        await live.put("a")
        assert "a" == (await event(by_admin))["documentKey"]["_id"]


async def test_deleted_global_key_closes(live: Live, store: Store) -> None:
    name = f"k-{live.database}"
    permissions = [{"url": f"/{live.database}/", "methods": ["GET"]}]
    await KeyStore(store).create(ADMIN_DATABASE, {"_id": name, "key": name, "permissions": permissions})
    async with watching(live, additional_headers={"Authorization": f"Bearer {name}"}) as client:
        await live.put("a")
        assert "a" == (await event(client))["documentKey"]["_id"]
        await store.delete(ADMIN_DATABASE, "apikeys", name)

        assert FORBIDDEN == await close_of(client)


async def test_changed_definition_closes_its_watchers_only(live: Live) -> None:
    other = {"uri": "other", "stages": []}
    await live.define(CRUD, other)
    async with watching(live) as client, watching(live, "other") as unchanged:
        await live.define({**CRUD, "stages": [{"$match": {"operationType": "insert"}}]}, other)

        assert CHANGED == await close_of(client)
        await live.put("a")
        assert "a" == (await event(unchanged))["documentKey"]["_id"]


async def test_other_metadata_of_the_collection_may_change(live: Live) -> None:
    async with watching(live) as client:
        await live.admin.patch(live.collection, json={"description": "new"})
        await no_event(client)
        await live.put("a")

        assert "a" == (await event(client))["documentKey"]["_id"]


async def test_removed_definition_closes(live: Live) -> None:
    async with watching(live) as client:
        await live.admin.put(live.collection, json={})

        assert REMOVED == await close_of(client)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the feed, which knows of a dropped collection that its definitions are gone, wait long for the stream."""
    monkeypatch.setattr("rest_compat.stream_guard._DROP_SECONDS", PATIENCE)


@pytest.mark.usefixtures("unhurried")
async def test_collection_dropped_through_the_interface_closes_after_its_last_event(live: Live) -> None:
    async with watching(live) as client:
        await live.put("a")
        version = (await live.admin.get(live.collection)).headers["etag"]
        answer = await live.admin.delete(live.collection, headers={"If-Match": version})

        assert 204 == answer.status_code
        assert "a" == (await event(client))["documentKey"]["_id"]
        assert GONE == await close_of(client)
    assert await until(lambda: live.upstreams.watchers == 0)


@pytest.mark.usefixtures("unhurried")
async def test_collection_dropped_in_the_database_closes(live: Live) -> None:
    async with watching(live) as client:
        await live.store.drop_collection(live.database, COLLECTION)

        assert GONE == await close_of(client)


@pytest.mark.usefixtures("unhurried")
async def test_dropped_database_closes(live: Live) -> None:
    async with watching(live) as client:
        await live.store.drop_database(live.database)

        assert GONE == await close_of(client)


async def test_slow_reader_is_closed_and_others_do_not_notice(store: Store, feed: ChangeFeed, database: str) -> None:
    settings = RestSettings(watcher_queue_bytes=256 * 1024)
    body = "x" * 400_000
    async with (
        opened_live(store, feed, database, settings=settings) as live,
        watching(live) as quick,
        frames_of(live) as slow,
    ):
        slow._transport.pause_reading()  # type: ignore[attr-defined]
        written = 0
        while live.upstreams.watchers == 2 and written < 60:
            await live.put(f"d{written}", body=body)
            assert f"d{written}" == (await event(quick))["documentKey"]["_id"]
            written += 1
        assert 1 == live.upstreams.watchers
        slow._transport.resume_reading()  # type: ignore[attr-defined]
        slow._limit = 2**30  # type: ignore[attr-defined]
        opcodes = []
        async with asyncio.timeout(PATIENCE):
            while True:
                opcode, payload = await long_frame_of(slow)
                opcodes.append(opcode)
                if opcode == Opcode.CLOSE:
                    break
        await live.put("last")

        assert SLOW == (int.from_bytes(payload[:2], "big"), payload[2:].decode())
        assert {Opcode.TEXT} == set(opcodes[:-1])
        assert "last" == (await event(quick))["documentKey"]["_id"]


async def long_frame_of(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, length = await reader.readexactly(2)
    if length >= 126:
        length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
    return first & 0x0F, await reader.readexactly(length)


async def all_frames_of(reader: asyncio.StreamReader) -> None:
    while True:
        await long_frame_of(reader)


async def test_reader_who_never_reads_again_is_cut_off(store: Store, feed: ChangeFeed, database: str) -> None:
    settings = RestSettings(watcher_queue_bytes=64 * 1024)
    async with opened_live(store, feed, database, settings=settings) as live, frames_of(live) as slow:
        transport: Any = slow._transport  # type: ignore[attr-defined]
        transport.pause_reading()
        written = 0
        while live.upstreams.watchers and written < 100:
            await live.put("d", body="x" * 400_000, n=written)
            written += 1
        assert 0 == live.upstreams.watchers
        await asyncio.sleep(7)  # twice the time that the server gives it
        transport.resume_reading()

        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(all_frames_of(slow), PATIENCE)


async def test_event_larger_than_the_queue_reaches_who_reads(store: Store, feed: ChangeFeed, database: str) -> None:
    settings = RestSettings(watcher_queue_bytes=1024)
    async with opened_live(store, feed, database, settings=settings) as live, watching(live) as client:
        await live.put("large", body="x" * 2_000_000)

        assert 2_000_000 == len((await event(client))["fullDocument"]["body"])


async def test_every_watcher_hears_everything_in_order(live: Live) -> None:
    names = [f"n{number:03}" for number in range(150)]

    async def listen() -> list[str]:
        async with watching(live) as client:
            ready.release()
            return [(await event(client))["documentKey"]["_id"] for _ in names]

    ready = asyncio.Semaphore(0)
    await live.key()
    listening = [asyncio.create_task(listen()) for _ in range(20)]
    for _ in listening:
        await ready.acquire()
    for name in names:
        await live.put(name)

    assert [names] * 20 == list(await asyncio.gather(*listening))


async def test_gap_in_the_feed_is_made_up_for(store: Store, database: str) -> None:
    """Keys and definitions that changed while nobody told of it."""
    feed = ChangeFeed(store)
    async with opened_live(store, feed, database) as live:
        await live.define(CRUD, {"uri": "other", "stages": []})
        await live.key("k-other")
        header = {"Authorization": "Bearer k-other"}
        async with watching(live) as client, watching(live, "other", additional_headers=header) as other:
            await store.delete(database, "apikeys", "k-reader")
            await live.define(CRUD, {"uri": "other", "stages": [{"$match": {"n": 1}}]})
            feed._gap = True
            await feed.start()

            assert [FORBIDDEN, CHANGED] == [await close_of(each) for each in (client, other)]
        await feed.stop()


async def test_change_between_asking_and_watching_is_not_missed(live: Live) -> None:
    """A definition that changes while a watcher is on its way in."""
    for _ in range(10):
        async with watching(live) as client:
            changed = {**CRUD, "stages": [*CRUD["stages"], {"$match": {"n": 1}}]}
            await asyncio.gather(live.define(changed), asyncio.sleep(0))
            assert CHANGED == await close_of(client)
        await live.define(CRUD)
