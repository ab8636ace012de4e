"""The chart as helm renders it: one call per set of values and run, and the objects that come out of it."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

__all__ = ["CHART", "NAMESPACE", "RELEASE", "Chart", "Object", "Rendering", "nested", "read_yaml", "run_helm"]

CHART: Final = Path(__file__).parents[2] / "helm" / "opencaas"
RELEASE: Final = "shop"
NAMESPACE: Final = "content"

_POD_TEMPLATES: Final = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}

Object = dict[str, Any]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # written in C where that is there
    """Refuses a key that a map has twice: Helm takes the last one, other tools refuse the file."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"twice in one map: {[key for key in keys if keys.count(key) > 1]}"
        read: dict[Any, Any] = super().construct_mapping(node, deep)
        return read


def read_yaml(text: str) -> list[Any]:
    """Read all documents of a YAML text that are not empty."""
    return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]


def nested(path: str, value: Any) -> dict[str, Any]:
    """Write one parameter as values: ``a.b`` and 1 are ``{"a": {"b": 1}}``."""
    for name in reversed(path.split(".")):
        value = {name: value}
    found: dict[str, Any] = value
    return found


def run_helm(
    helm: Path, *arguments: str, values: Mapping[str, Any] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run helm without a user's settings, plug-ins or cluster.

    Args:
        helm: The program.
        arguments: Command and flags.
        values: Given on standard input as ``--values -``.

    Returns:
        What it wrote and its status, which the caller judges.
    """
    given = () if values is None else ("--values", "-")
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "HELM_CACHE_HOME": "/nonexistent"}
    return subprocess.run(
        [str(helm), *arguments, *given],
        input=None if values is None else json.dumps(values),
        stdin=subprocess.DEVNULL if values is None else None,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )


@dataclass(frozen=True, slots=True)
class Rendering:
    """Everything that one set of values becomes."""

    objects: tuple[Object, ...]

    def of(self, kind: str) -> list[Object]:
        """List the objects of a kind."""
        return [each for each in self.objects if each["kind"] == kind]

    def one(self, kind: str, name: str) -> Object:
        """Return the one object of that kind and name; the test fails if it is not there or there twice."""
        found = [each for each in self.of(kind) if each["metadata"]["name"] == name]
        assert len(found) == 1, f"{kind} {name} is there {len(found)} times; {self.names(kind)}"
        return found[0]

    def names(self, kind: str) -> list[str]:
        """List the names of the objects of a kind, sorted."""
        return sorted(each["metadata"]["name"] for each in self.of(kind))

    def templates(self) -> Iterator[tuple[str, Object]]:
        """Yield ``Kind/name`` and the pod template (metadata, spec) of everything that makes pods, and bare pods."""
        for each in self.objects:
            label = f"{each['kind']}/{each['metadata']['name']}"
            if each["kind"] == "Pod":
                yield label, each
            elif path := _POD_TEMPLATES.get(each["kind"]):
                template = each
                for step in path:
                    template = template[step]
                yield label, template

    def template(self, kind: str, name: str) -> Object:
        """Return the pod template of one object."""
        return dict(self.templates())[f"{kind}/{name}"]

    def container(self, kind: str, name: str, container: str | None = None) -> Object:
        """Return one container of an object's pods, by its name; without a name, the first."""
        containers = self.template(kind, name)["spec"]["containers"]
        if container is None:
            first: Object = containers[0]
            return first
        found = [each for each in containers if each["name"] == container]
        assert len(found) == 1, f"{container} is not one of {[each['name'] for each in containers]}"
        return dict(found[0])

    def containers(self) -> Iterator[tuple[str, Object, Object]]:
        """Yield label, pod spec and container of each container, those of initialization among them."""
        for label, template in self.templates():
            spec = template["spec"]
            for container in [*spec.get("initContainers", ()), *spec["containers"]]:
                yield f"{label}/{container['name']}", spec, container

    def environment(self, kind: str, name: str, container: str | None = None) -> dict[str, Any]:
        """Return the variables of a container; a value from a secret is ``("secret", name, key)``.

        Config maps are followed, secrets are named, since only the cluster has them.
        """
        found: dict[str, Any] = {}
        described = self.container(kind, name, container)
        for source in described.get("envFrom", ()):
            found |= self.one("ConfigMap", source["configMapRef"]["name"])["data"]
        for variable in described.get("env", ()):
            if "value" in variable:
                found[variable["name"]] = variable["value"]
                continue
            ((origin, reference),) = variable["valueFrom"].items()
            if origin == "secretKeyRef":
                found[variable["name"]] = ("secret", reference["name"], reference["key"])
            elif origin == "configMapKeyRef":
                found[variable["name"]] = self.one("ConfigMap", reference["name"])["data"][reference["key"]]
            else:
                found[variable["name"]] = (origin, reference)
        return found


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart and the helm that renders it; equal values are rendered once per run."""

    helm: Path

    def render(
        self, values: Mapping[str, Any] | None = None, *, files: Sequence[Path] = (), namespace: str = NAMESPACE
    ) -> Rendering:
        """Render the chart as release ``shop``.

        Args:
            values: What a person would write into their values file.
            files: Files of values that come before them.
            namespace: Where the release would be.

        Returns:
            The objects.
        """
        rendered = _render(self.helm, json.dumps(values or {}, sort_keys=True), tuple(files), namespace)
        assert isinstance(rendered, Rendering), rendered
        return rendered

    def refusal(self, values: Mapping[str, Any], *, namespace: str = NAMESPACE) -> str:
        """Render what must not be rendered.

        Returns:
            What helm said; the test fails if it rendered the values after all.
        """
        refused = _render(self.helm, json.dumps(values, sort_keys=True), (), namespace)
        assert isinstance(refused, str), f"rendered: {values}"
        return refused

    def defaults(self) -> dict[str, Any]:
        """Return the chart's own values."""
        (values,) = read_yaml((CHART / "values.yaml").read_text(encoding="utf-8"))
        assert isinstance(values, dict)
        return values

    def default(self, path: str) -> Any:
        """Return the default of one parameter, ``a.b``; the test fails if the chart does not know it."""
        found: Any = self.defaults()
        for name in path.split("."):
            assert name in found, f"{path}: no {name} in values.yaml"
            found = found[name]
        return found


@cache
def _render(helm: Path, values: str, files: tuple[Path, ...], namespace: str) -> Rendering | str:
    """Render once, which takes a few tenths of a second; the objects are shared, so tests leave them as they are."""
    flags = [flag for file in files for flag in ("--values", str(file))]
    done = run_helm(helm, "template", RELEASE, str(CHART), "--namespace", namespace, *flags, values=json.loads(values))
    return done.stderr if done.returncode else Rendering(tuple(read_yaml(done.stdout)))
