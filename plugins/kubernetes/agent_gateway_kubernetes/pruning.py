"""Objects as they may be shown: without bookkeeping, and without values that look like secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import agent_gateway as ag

from .body_rules import OWN_PREFIX

HIDDEN = "[redacted]"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
#: A setting of this name holds a secret, wherever it came from.
SECRET_NAME = re.compile(
    r"passw|passphrase|secret|token|api_?key|access_?key|private_?key|credential|auth(?!or)|dsn|conn(ection)?_?str"
    r"|database_url|_pwd$|^pwd$|_pass$|^pass$|cookie|salt|signing|encryption|webhook_url|licen[cs]e_key",
    re.IGNORECASE,
)
#: Written by controllers all the time, and nobody's decision.
_BOOKKEEPING = frozenset({"managedFields", "resourceVersion", "generation", "selfLink", "uid", "creationTimestamp"})
_OWN_ANNOTATIONS = (
    LAST_APPLIED, OWN_PREFIX, "deployment.kubernetes.io/revision", "autoscaling.alpha.kubernetes.io/",
    "control-plane.alpha.kubernetes.io/",
)  # fmt: skip
_SECRET_KIND = "Secret"  # noqa: S105 - the name of a kind


def refuse_secret(value: Mapping[str, Any]) -> None:
    """Raise `Forbidden` when this is a Secret, whatever way it came here."""
    if value.get("kind") in {_SECRET_KIND, f"{_SECRET_KIND}List"} and str(value.get("apiVersion", "v1")) == "v1":
        raise ag.Forbidden("secrets are never read", code="request_refused")


def prune(value: Any) -> Any:
    """A copy of an object, or of a list of them, that may be shown."""
    if isinstance(value, dict):
        refuse_secret(value)
        if isinstance(value.get("items"), list) and "metadata" in value:
            return {**value, "items": [prune(each) for each in value["items"]]}
        return _prune_object(value)
    return value


def _prune_object(value: Mapping[str, Any]) -> dict[str, Any]:
    shown = {key: mask(each) for key, each in value.items()}
    metadata = shown.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
        annotations = metadata.get("annotations")
        if isinstance(annotations, dict) and annotations.pop(LAST_APPLIED, None) and not annotations:
            del metadata["annotations"]
    if isinstance(shown.get("binaryData"), dict):
        binary = shown["binaryData"]
        shown["binaryData"] = {name: f"{len(str(each))} characters, not shown" for name, each in binary.items()}
    if isinstance(shown.get("data"), dict):
        shown["data"] = {name: _masked(name, each) for name, each in shown["data"].items()}
    return shown


def conceal(objects: Sequence[Any]) -> list[Any]:
    """Copies of objects for expressions that pick values out, compare them, or order by them.

    Besides what `prune` hides, everything is hidden that redaction would hide where it stands: a value that is picked
    out does not have its name beside it any more, and what is compared is not shown at all.
    """
    known: dict[tuple[str, str], str] = {}
    return [_conceal("", prune(each), known) for each in objects]


def _conceal(name: str, value: Any, known: dict[tuple[str, str], str]) -> Any:
    if isinstance(value, dict):
        called = value.get("name") if isinstance(value.get("name"), str) else None
        return {
            key: _conceal(called if called and key == "value" else str(key), each, known) for key, each in value.items()
        }
    if isinstance(value, list):
        return [_conceal(name, each, known) for each in value]
    if value is None or isinstance(value, bool):
        return value
    text = str(value)
    if (name, text) not in known:
        known[name, text] = _concealed(name, text)
    return value if known[name, text] == text else known[name, text]


def _concealed(name: str, text: str) -> str:
    plain = ag.redact(text)
    line = f"{name}: {text}"
    return HIDDEN if plain == text and ag.redact(line) != line else plain


def mask(value: Any) -> Any:
    """A copy in which values are hidden whose name, beside them or above them, looks secret."""
    if isinstance(value, list):
        return [mask(each) for each in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("name"), str) and isinstance(value.get("value"), str):
        return {**value, "value": _masked(value["name"], value["value"])}
    return {key: mask(each) for key, each in value.items()}


def state_of(value: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody decided about an object: no status, no bookkeeping."""
    metadata = {key: each for key, each in (value.get("metadata") or {}).items() if key not in _BOOKKEEPING}
    annotations = {
        key: each for key, each in (metadata.get("annotations") or {}).items() if not key.startswith(_OWN_ANNOTATIONS)
    }
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    rest = {key: each for key, each in value.items() if key not in {"metadata", "status"}}
    return {**rest, "metadata": metadata}


def _masked(name: str, value: Any) -> Any:
    return HIDDEN if isinstance(value, str) and value and SECRET_NAME.search(name) else value
