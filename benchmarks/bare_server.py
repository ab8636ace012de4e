"""The least that an HTTP answer costs: a function without any framework on uvicorn, with uvloop and httptools.

``python -m benchmarks.bare_server`` prints ``ready`` and its address, and serves until SIGTERM.
"""

import socket
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["main", "serve"]

_ANSWER: Final = b'{"data":{"__typename":"Query"}}'
_HEADERS: Final = [(b"content-type", b"application/json"), (b"content-length", str(len(_ANSWER)).encode())]


def main() -> None:
    """Give everybody the same answer."""

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": _ANSWER})

    serve(app)


def serve(app: ASGIApp) -> None:
    """Serve an application on a free port, in the way in which ``opencaas serve`` does."""
    listening = socket.create_server(("127.0.0.1", 0))
    print(f"ready http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_keep_alive=120,  # connections wait while others take their turns
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
