"""Check a release from inside the cluster: health, the admin's query, the metrics, and that strangers get nothing."""

# ruff: noqa: INP001 - a program for a container, not part of a package
import os
import sys
from base64 import b64encode
from http import HTTPStatus
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

SERVER = os.environ["SERVER"]
ADMIN = (os.environ["ADMIN_USER"], os.environ["ADMIN_PASSWORD"])
METRICS = (os.environ["METRICS_USER"], os.environ["METRICS_PASSWORD"])
CHECKS = (
    ("the server is ready", "/_logic/ready", None, HTTPStatus.OK),
    ("MongoDB has a primary", "/_logic/healthcheck", None, HTTPStatus.OK),
    ("the admin's query is answered", "/?pagesize=1", ADMIN, HTTPStatus.OK),
    ("Prometheus may read metrics", "/_metrics", METRICS, HTTPStatus.OK),
    ("without a password there is no answer", "/", None, HTTPStatus.UNAUTHORIZED),
    ("a wrong password is refused", "/", (ADMIN[0], "wrong"), HTTPStatus.UNAUTHORIZED),
)


def status(path: str, user: tuple[str, str] | None) -> int:
    """Ask the server and return the status; 0 if there is no answer."""
    request = Request(SERVER + path)  # noqa: S310 - the chart's own
    if user:
        request.add_header("Authorization", "Basic " + b64encode(":".join(user).encode()).decode())
    try:
        with urlopen(request, timeout=20) as answer:  # noqa: S310
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except (URLError, OSError):
        return 0


def main() -> int:
    """Run all checks; none stops the others."""
    failed = 0
    for what, path, user, wanted in CHECKS:
        got = status(path, user)
        failed += got != wanted
        sys.stdout.write(f"{'ok    ' if got == wanted else 'FAILED'} {what} ({path}: {got})\n")
    return failed


sys.exit(main())
