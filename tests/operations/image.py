"""The image without a container engine: every step of the Dockerfile, run on a Debian made by debootstrap.

By hand, as root: ``python -m tests.operations.image DIRECTORY``. The directory then has ``build`` and ``image``,
and each step was printed with the time that it took.

What differs from a real build: the base is Debian's Python (``/usr/bin/python3``) in place of the Python image's
(``/usr/local/bin/python3``) on the same Debian; what the Python image has to install packages with is empty files here,
so that their removal is seen; a layer is a copy of the whole tree; the builder sees this machine's certificates.
"""

import fnmatch
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.operations.chroot import Chroot, make_debian
from tests.operations.dockerfile import DockerfileError, Stage, Step, command_of, pairs_of, read_dockerfile

__all__ = ["Image", "build_image", "configured", "context_files"]

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("python3", "python3-venv")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INSTALLERS = (
    "bin/pip", "bin/pip3", "bin/pip3.11", "bin/wheel", "lib/python3.11/ensurepip/__init__.py",
    "lib/python3.11/site-packages/pip/__init__.py", "lib/python3.11/site-packages/pip-24.0.dist-info/RECORD",
    "lib/python3.11/site-packages/setuptools/__init__.py",
    "lib/python3.11/site-packages/setuptools-79.0.1.dist-info/RECORD",
    "lib/python3.11/site-packages/wheel/__init__.py", "lib/python3.11/site-packages/wheel-0.45.1.dist-info/RECORD",
)  # fmt: skip
"""Below /usr/local of the Python image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A tree and what a container of it would be started with."""

    tree: Chroot
    env: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    arguments: dict[str, str] = field(default_factory=dict)
    cwd: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def line(self, *words: str, env: dict[str, str] | None = None, entrypoint: list[str] | None = None) -> list[str]:
        """Make the command line that stands for ``docker run IMAGE words``; no words mean the image's own."""
        begin = self.entrypoint if entrypoint is None else entrypoint
        env = self.env | (env or {})
        return self.tree.run_line([*begin, *(words or self.command)], env=env, cwd=self.cwd, user=self.user)


def context_files(root: Path) -> Iterator[Path]:
    """List what .dockerignore lets through to the builder, in the part of its language that ours uses.

    Raises:
        DockerfileError: a pattern of another form.
    """
    lines = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    kept = {line[1:] for line in patterns if line.startswith("!")}
    anywhere = [line.removeprefix("**/") for line in patterns if line.startswith("**/")]
    if len(kept) + len(anywhere) + 1 != len(patterns) or patterns[0] != "*":
        raise DockerfileError(".dockerignore has a pattern that is not understood here")
    for name in sorted(kept):
        top = root / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            parts = path.relative_to(root).parts
            if path.is_file() and not any(fnmatch.filter(parts, pattern) for pattern in anywhere):
                yield path


def build_image(home: Path, *, say: Callable[[str], None] = lambda _line: None) -> Image:
    """Build the image of the project's Dockerfile.

    Args:
        home: an empty directory for the trees.
        say: hears of each step and its seconds.

    Raises:
        RuntimeError: a step failed; with its line, what it ran and the end of what that said.
        DockerfileError: the Dockerfile has something that is not understood here.
    """
    stages = read_dockerfile(ROOT / "Dockerfile")
    began = time.monotonic()
    base = make_debian(home / "base", suite=_suite(stages), packages=PACKAGES)
    for name in INSTALLERS:
        path = base.root / "usr/local" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    say(f"{time.monotonic() - began:6.1f} s  debootstrap")
    built: dict[str, Image] = {}
    for number, stage in enumerate(stages):
        tree = Chroot(home / (stage.name or "image"))
        if number + 1 < len(stages):
            subprocess.run(["cp", "-a", "--reflink=auto", str(base.root), str(tree.root)], check=True)
        else:
            base.root.rename(tree.root)
        image = Image(tree=tree)
        for step in stage.steps:
            began = time.monotonic()
            image = _apply(step, image, built)
            say(f"{time.monotonic() - began:6.1f} s  {step.line}: {step.word} {step.text[:100]}")
        built[stage.name or str(number)] = image
    return image


def configured(image: Image, stage: Stage) -> Image:
    """Read what containers are started with, and change no tree."""
    for step in stage.steps:
        if step.word not in {"COPY", "RUN", "WORKDIR"}:
            image = _apply(step, image, {})
        elif step.word == "WORKDIR":
            image = replace(image, cwd=step.text)
    return image


def _suite(stages: list[Stage]) -> str:
    """Name the Debian that the base image is made of."""
    (image,) = {stage.image for stage in stages}
    return image.rpartition("-")[2]


def _apply(step: Step, image: Image, built: dict[str, Image]) -> Image:
    """Do what an instruction says to the tree, or to what a container of it is started with."""
    text = step.text
    known = image.arguments | image.env
    match step.word:
        case "ENV":
            image = replace(image, env=image.env | pairs_of(text, known))
        case "ARG":
            image = replace(image, arguments=image.arguments | pairs_of(text, known))
        case "WORKDIR":
            (image.tree.root / text.lstrip("/")).mkdir(parents=True, exist_ok=True)
            image = replace(image, cwd=text)
        case "USER":
            image = replace(image, user=text)
        case "ENTRYPOINT":
            image = replace(image, entrypoint=command_of(text))
        case "CMD":
            image = replace(image, command=command_of(text))
        case "HEALTHCHECK":
            image = replace(image, health=command_of(text.partition("CMD ")[2]))
        case "RUN":
            _run(step, image)
        case "COPY":
            _copy(text, image, built)
        case "EXPOSE" | "LABEL":
            pass  # they say something to people
        case _:
            raise DockerfileError(f"line {step.line}: {step.word} is not understood here")
    return image


def _run(step: Step, image: Image) -> None:
    if image.user != "0:0":
        raise DockerfileError(f"line {step.line}: RUN behind USER is not understood here")
    line = image.tree.build_line(step.text, env=image.arguments | image.env, cwd=image.cwd)
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"line {step.line}: {step.text}\n{(done.stdout + done.stderr)[-3000:]}")


def _copy(text: str, image: Image, built: dict[str, Image]) -> None:
    words = shlex.split(text)
    if words[0].startswith("--from="):
        source, target = words[1:]
        stage = built[words[0].removeprefix("--from=")]
        shutil.copytree(f"{stage.tree.root}{source}", f"{image.tree.root}{target}", symlinks=True)
        return
    *sources, target = words
    folder = image.tree.root / image.cwd.lstrip("/") / target
    files = list(context_files(ROOT))
    for source in sources:
        chosen = [path for path in files if path == ROOT / source or ROOT / source in path.parents]
        if not chosen:
            raise RuntimeError(f"COPY {source}: .dockerignore lets nothing of it through")
        for path in chosen:
            inside = path.relative_to(ROOT / source) if (ROOT / source).is_dir() else Path(path.name)
            copy = folder / inside
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)


if __name__ == "__main__":
    print(f"built {build_image(Path(sys.argv[1]), say=print).tree.root}")  # noqa: T201
