"""However an export is damaged, reading ends: with documents, with what was left out, or with an error of ours."""

import random
import shutil
from pathlib import Path

import orjson
import pytest

from content_core.errors import ServiceError
from content_sync.source import open_source
from fixtures import PROJECTS

_ODD = (
    b"",
    b"<",
    b"\xff\xfe",
    b"\0",
    b"]]>",
    b"&x;",
    b'"',
    b"9" * 40,
    b"-1",
    b"<TEXT/>",
    b"</FIELD>",
    b"../../x",
    b"\xed\xa0\x80",
)
_ROUNDS = 5
_DAMAGES = 25


@pytest.mark.parametrize("seed", range(_ROUNDS))
def test_damaged_export_is_read_to_its_end(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    root = tmp_path / "export"
    shutil.copytree(PROJECTS["demo"].export, root)
    files = sorted(path for path in root.rglob("*") if path.suffix in {".xml", ".txt"})
    stores = [path for path in files if "TemplateStore" not in path.parts]
    for path in (*chance.sample(stores, _DAMAGES), *chance.sample(files, _DAMAGES // 5)):
        _damage(path, chance)
    try:
        source = open_source(root, languages=() if seed % 2 else ("EN=en_GB",))
        found = list(source.documents("preview"))
        media = list(source.media("preview"))
    except ServiceError:
        return
    assert found
    assert media
    assert source.skipped()
    for document in found:
        assert orjson.loads(orjson.dumps(document)) == document
        assert document["_id"].endswith((".en_GB", ".de_DE"))
    assert len({document["_id"] for document in found}) == len(found)


def _damage(path: Path, chance: random.Random) -> None:
    if chance.random() < 0.1:
        path.unlink()
        return
    content = path.read_bytes()
    place = chance.randrange(len(content) + 1)
    cut = chance.choice((0, 1, 5, 50))
    path.write_bytes(content[:place] + chance.choice(_ODD) + content[place + cut :])
