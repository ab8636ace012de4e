"""The README's first example, as it stands there."""

import json
import re
from pathlib import Path
from typing import Any

README = Path(__file__).resolve().parents[2] / "README.md"


def readme_query() -> str:
    """Read the first GraphQL block."""
    return _block("graphql")


def readme_answer() -> Any:
    """Read the first JSON block."""
    return json.loads(_block("json"))


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, f"no {language} block in the README"
    return found[1]
