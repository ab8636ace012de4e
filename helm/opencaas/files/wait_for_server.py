"""Wait until a server is ready: a job that begins with the release would be too early."""

# ruff: noqa: INP001 - a program for a container, not part of a package
import os
import sys
import time
from http import HTTPStatus
from urllib.error import URLError
from urllib.request import urlopen


def main() -> int:
    """Ask SERVER once a second, for as long as WAIT_SECONDS says."""
    deadline = time.monotonic() + float(os.environ["WAIT_SECONDS"])
    while True:
        try:
            with urlopen(f"{os.environ['SERVER']}/_logic/ready", timeout=5) as answer:  # noqa: S310 - the chart's own
                if answer.status == HTTPStatus.OK:
                    sys.stderr.write("the server is ready\n")
                    return 0
        except (URLError, OSError) as error:
            sys.stderr.write(f"the server is not ready: {error}\n")
        if time.monotonic() > deadline:
            return 1
        time.sleep(1)


sys.exit(main())
