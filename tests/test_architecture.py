"""The rooms import each other only as the contracts in ``pyproject.toml`` allow."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]

    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout


def test_a_forbidden_import_is_found(tmp_path: Path) -> None:
    """The contracts themselves work: a copy of the tree with one wrong import is refused."""
    for room in ("content_core", "content_sync", "fixtures", "graphql_app", "opencaas", "rest_compat", "schema_gen"):
        (tmp_path / room).mkdir()
        for source in (ROOT / room).rglob("*.py"):
            if "node_modules" in source.parts:
                continue
            target = tmp_path / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "schema_gen" / "wrong.py").write_text("import content_core.store\n", encoding="utf-8")
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]

    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert result.returncode != 0
    assert "schema_gen.wrong" in result.stdout
