"""Where a sync job reads a project from: CaaS JSON documents, or an External Sync export.

**Documents** are taken over exactly. They are a directory (or a ``.zip``, ``.tar``, ``.tar.gz`` or ``.tgz`` archive of
one), or a single file::

    preview/**/*.json                  one document in a file, an array of them, or a listing as GET answers it
    release/**/*.ndjson                one document in a line; also .jsonl
    preview.ndjson                     a file's name may say the state as well
    <project GID>.preview.content/     so does the name of a collection, which says the project too
    project.json                       may say the project: {"project": "<GID>"}
    media/                             binaries of both states
    <project GID>.release.files/       binaries of one state; also release.files/

The folder or name nearest to a document says its state; where none does, the caller must. Names that begin with a dot
are passed over, symbolic links are reported and not followed. ``{base}/`` at the beginning of a text stands for the
server's address. ``_etag``, ``_links`` and ``changeInfo.lastSynced`` are the server's own and left out; a document
without a revision gets a hash of its content for one.

A binary belongs to the Media document that describes it. It is found under the first of these names in ``media/``:
its file id (``<GID>[.<language>_<COUNTRY>][.<resolution>]``, or as in the document's ``/binary`` URL), the file id with
the extension, the path in ``seoRoute``, ``<uid or fileName>[_<LANGUAGE>][_<resolution>].<extension>`` (without
``_ORIGINAL``). ``media/index.json`` can name others: ``{"<file id>": "<file>"}`` or
``{"<file id>": {"file": "<file>", "path": "Photos/ridge.jpg", "contentType": "image/jpeg"}}``. A document whose binary
is not there keeps the address that it has.

**An export** holds one state, which the caller says (``preview`` if not). See ``content_sync.source.export``.
"""

import shutil
import weakref
from collections.abc import Sequence
from pathlib import Path

from content_sync.model import State
from content_sync.source.archive import is_archive, named_after, unpack
from content_sync.source.documents import DocumentsSource
from content_sync.source.errors import SourceError
from content_sync.source.export import ExportSource
from content_sync.source.export.project import Address
from content_sync.source.limits import SourceLimits
from content_sync.source.memory import FileMemory
from content_sync.source.skips import SkipLog
from schema_gen.errors import NotAnExportError

__all__ = ["DocumentsSource", "ExportSource", "FileMemory", "SourceError", "SourceLimits", "open_source"]

_STORES = frozenset({"TemplateStore", "PageStore", "SiteStore", "MediaStore", "ContentStore", "GlobalStore", "Global"})
_DEFAULT_LIMITS = SourceLimits()


def open_source(
    path: Path,
    *,
    state: State | None = None,
    languages: Sequence[str] = (),
    base: str = "",
    tenant: str = "",
    project: str | None = None,
    limits: SourceLimits = _DEFAULT_LIMITS,
    memory: FileMemory | None = None,
) -> DocumentsSource | ExportSource:
    """Open whatever lies at a path.

    Args:
        path: a directory, an archive or a file.
        state: the state of what does not say it itself; exports never do and are preview without this.
        languages: only these, by abbreviation or locale; ``EN=en_GB`` says what a language of an export is.
        base: the server's address, for the addresses in references.
        tenant: the tenant, likewise.
        project: the project's GID, which an export does not tell.
        limits: what reading may cost.
        memory: what is known of files from before, with ``base`` in its context; archives have no use for it.

    Raises:
        SourceError: nothing at this path can be synchronised.
        NotAnExportError: an export without templates.
    """
    if not path.exists():
        raise SourceError(f"{path}: no such file or directory")
    skips = SkipLog(limits.skipped)
    unpacked = unpack(path, limits=limits, skips=skips) if path.is_file() and is_archive(path) else None
    try:
        source = _open(
            unpacked or path,
            state=state,
            languages=languages,
            address=Address(base=base.rstrip("/"), tenant=tenant, project=project or ""),
            limits=limits,
            memory=memory if unpacked is None else None,
        )
    except BaseException as problem:
        if unpacked is not None:
            shutil.rmtree(unpacked, ignore_errors=True)
            if isinstance(problem, SourceError | NotAnExportError):
                raise named_after(path, unpacked, problem) from problem
        raise
    if unpacked is not None:
        weakref.finalize(source, shutil.rmtree, unpacked, ignore_errors=True)
        for skipped in skips.all():
            source.skips.add(skipped.what, skipped.why, broken=skipped.broken)
    return source


def _open(
    path: Path,
    *,
    state: State | None,
    languages: Sequence[str],
    address: Address,
    limits: SourceLimits,
    memory: FileMemory | None,
) -> DocumentsSource | ExportSource:
    if path.is_dir() and _is_export(path):
        return ExportSource(
            path, state=state or "preview", languages=languages, address=address, limits=limits, memory=memory
        )
    return DocumentsSource(
        path,
        state=state,
        languages=languages,
        base=address.base,
        project=address.project or None,
        limits=limits,
        memory=memory,
    )


def _is_export(path: Path) -> bool:
    """Whether a directory has stores, or one directory in it has, and there are no documents beside that."""
    names = {entry.name for entry in path.iterdir()}
    if names & _STORES:
        return True
    below = [entry for entry in path.iterdir() if entry.is_dir() and (entry / "TemplateStore").is_dir()]
    return bool(below) and not names & {"preview", "release", "content", "project.json"}
