"""Published schemas that rendered objects have to fit: those of Kubernetes, and of the operators whose objects we make.

Kubernetes' own come from ``kubernetes-validate``; the others are the custom resource definitions that the operators
publish in their Go modules. Unknown fields are errors: a real API server would drop them, which hides typing mistakes.
"""

import json
from functools import cache
from typing import Any, Final

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped]  # it carries annotations, but no py.typed

from tests.helm.rendering import Object, read_yaml
from tests.tools import go_module

__all__ = ["KUBERNETES", "faults"]

KUBERNETES: Final = ("1.31", "1.35")

_OPERATORS: Final = {
    "monitoring.coreos.com": (
        "github.com/prometheus-operator/prometheus-operator@v0.85.0",
        (
            "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
            "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
        ),
    ),
    "autoscaling.k8s.io": ("k8s.io/autoscaler/vertical-pod-autoscaler@v1.8.1", ("deploy/vpa-v1-crd-gen.yaml",)),
}


def faults(described: Object, *, kubernetes: str) -> list[str]:
    """Hold an object against its published schema.

    Args:
        described: The object as it is sent to the cluster.
        kubernetes: Version of Kubernetes; custom resources have but one schema.

    Returns:
        What is wrong with it, each with its place.
    """
    return list(_faults(json.dumps(described, sort_keys=True), kubernetes))


@cache
def _faults(described: str, kubernetes: str) -> tuple[str, ...]:
    # Most objects of most scenarios are the same, and reading the schemas of Kubernetes takes a while.
    data: Object = json.loads(described)
    group = data["apiVersion"].partition("/")[0]
    label = f"{data['kind']}/{data['metadata']['name']}"
    if group in _OPERATORS:
        schema = _custom_schemas(group).get((data["apiVersion"], data["kind"]))
        if schema is None:
            return (f"{label}: no {data['kind']} of {data['apiVersion']} is published",)
        found = jsonschema.Draft202012Validator(schema).iter_errors(data)
        return tuple(f"{label}: {error.json_path}: {error.message}" for error in found)
    try:
        kubernetes_validate.validate(data, kubernetes, strict=True)
    except kubernetes_validate.ValidationError as error:
        return (f"{label}: {'.'.join(map(str, error.path))}: {error.message}",)
    except kubernetes_validate.SchemaNotFoundError as error:
        return (f"{label}: {error.message}",)
    return ()


@cache
def _custom_schemas(group: str) -> dict[tuple[str, str], Any]:
    module, files = _OPERATORS[group]
    found = {}
    for file in files:
        for definition in read_yaml((go_module(module) / file).read_text(encoding="utf-8")):
            spec = definition["spec"]
            for version in spec["versions"]:
                if version["served"]:
                    schema = _strict(version["schema"]["openAPIV3Schema"])
                    # The API server itself knows these three; definitions only mention them.
                    schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {"type": "object"}}
                    found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def _strict(schema: Any) -> Any:
    """Turn a structural schema of OpenAPI 3 into one of JSON Schema that refuses fields without a name."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    turned = {
        name: {field: _strict(each) for field, each in value.items()} if name == "properties" else _strict(value)
        for name, value in schema.items()
        if name not in {"description", "example", "format"} and not name.startswith("x-kubernetes-")
    }
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if "properties" in turned and not open_ended:
        turned["additionalProperties"] = False
    if schema.get("nullable") and "type" in turned:
        turned["type"] = [turned["type"], "null"]
    return turned
