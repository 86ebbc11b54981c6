"""What the values of options may look like, by the name of the rule in the tables of verbs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .names import KEY, is_key, is_name, is_namespace
from .projections import is_columns, is_path, is_template

_DURATION = re.compile(r"0|(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|s|m|h))+")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})")
_WORDS = re.compile(r"[a-z][a-z-]*(?:,[a-z][a-z-]*)*")
_ANY_WORDS = re.compile(r"[A-Za-z][A-Za-z-]*(?:,[A-Za-z][A-Za-z-]*)*")
_FOR = re.compile(rf"[a-z][a-z0-9.-]*/{KEY}")
_QUANTITY = r"[0-9]{1,18}(?:\.[0-9]{1,9})?(?:[numkMGTPE]|[KMGTPE]i)?"
_QUANTITIES = re.compile(rf"{KEY}={_QUANTITY}(?:,{KEY}={_QUANTITY})*")
_PORTS = re.compile(r"[0-9]{1,5}(?:,[0-9]{1,5})*")
_SHARE = re.compile(r"[0-9]{1,6}%?")
_IN = r"{key}[ ]+(?:in|notin)[ ]*\([ ]*{value}(?:[ ]*,[ ]*{value})*[ ]*\)"
_LABEL_VALUE = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_REQUIREMENT = rf"(?:{_IN.format(key=KEY, value=_LABEL_VALUE)}|!?{KEY}|{KEY}[ ]*(?:==|=|!=)[ ]*(?:{_LABEL_VALUE})?)"
_SELECTOR = re.compile(rf"{_REQUIREMENT}(?:[ ]*,[ ]*{_REQUIREMENT})*")
_FIELD = r"[a-zA-Z]+(?:\.[a-zA-Z]+)*(?:==|=|!=)[A-Za-z0-9._:/-]*"
_FIELDS = re.compile(rf"{_FIELD}(?:,{_FIELD})*")
_TEXT = re.compile(r"[ -~]{1,1024}")
_CRONJOB = re.compile(r"(?:cronjobs?|cj)(?:\.(?:v1\.)?batch)?/(?P<name>[a-z0-9.-]+)", re.IGNORECASE)

#: Formats of `-o` that take no template.
_PLAIN_FORMATS = frozenset({"json", "yaml", "name", "kyaml"})
_MOST_REPLICAS = 1000


def is_read_output(text: str) -> bool:
    """A format that the output of reads is shown in; templates are a safe subset of jsonpath and columns."""
    if text in _PLAIN_FORMATS or text == "wide":
        return True
    kind, equals, template = text.partition("=")
    if not equals:
        return False
    if kind == "custom-columns":
        return is_columns(template)
    return kind in {"jsonpath", "jsonpath-as-json"} and is_template(template)


def is_count(text: str, least: int = 0, most: int = 999_999_999) -> bool:
    """A number in decimal digits."""
    return text.isdecimal() and len(text) <= 9 and least <= int(text) <= most


def is_selector(text: str) -> bool:
    """A label selector that selects."""
    return len(text) <= 1024 and _SELECTOR.fullmatch(text) is not None


def cronjob_of(text: str) -> str:
    """The name in `cronjob/name`, empty when it is something else."""
    found = _CRONJOB.fullmatch(text)
    return found["name"] if found and is_name(found["name"]) else ""


def _is_wait(text: str) -> bool:
    """What `wait` may wait for."""
    kind, _, rest = text.partition("=")
    if kind == "condition":
        name, equals, value = rest.partition("=")
        return name.isalnum() and (not equals or value.isalpha())
    if kind == "jsonpath":
        path, brace, value = rest.rpartition("}")
        return is_template(path + brace) and (not value or (value[0] == "=" and len(value) > 1))
    return text in {"delete", "create"}


def _one_of(*values: str) -> Callable[[str], bool]:
    return frozenset(values).__contains__


def _matches(pattern: re.Pattern[str], longest: int = 1024) -> Callable[[str], bool]:
    return lambda text: len(text) <= longest and pattern.fullmatch(text) is not None


RULES: Mapping[str, Callable[[str], bool]] = {
    "namespace": is_namespace,
    "name": is_name,
    "count": is_count,
    "positive": lambda text: is_count(text, 1),
    "replicas": lambda text: is_count(text, 0, _MOST_REPLICAS),
    "some_replicas": lambda text: is_count(text, 1, _MOST_REPLICAS),
    "grace": lambda text: is_count(text, 2),
    "percent": lambda text: is_count(text, 1, 1000),
    "duration": _matches(_DURATION, 40),
    "time": _matches(_TIME),
    "selector": is_selector,
    "fields": _matches(_FIELDS),
    "keys": lambda text: all(is_key(each) for each in text.split(",")),
    "path": is_path,
    "words": _matches(_WORDS),
    "types": _matches(_ANY_WORDS),
    "text": _matches(_TEXT),
    "group": lambda text: not text or is_name(text),
    "version": _matches(re.compile(r"(?:[a-z0-9.-]+/)?v[0-9]+(?:(?:alpha|beta)[0-9]+)?")),
    "of": _matches(_FOR),
    "wait": _is_wait,
    "quantities": _matches(_QUANTITIES),
    "ports": _matches(_PORTS),
    "target_port": lambda text: is_count(text, 1, 65535) or is_namespace(text),
    "share": _matches(_SHARE),
    "read_output": is_read_output,
    "events_output": lambda text: text != "wide" and is_read_output(text),
    "write_output": _PLAIN_FORMATS.__contains__,
    "discovery_output": _one_of("wide", "name", "json", "yaml"),
    "version_output": _one_of("json", "yaml"),
    "explain_output": _one_of("plaintext", "plaintext-openapiv2"),
    "usage_sort": _one_of("cpu", "memory"),
    "list_sort": _one_of("name", "kind"),
    "part": _one_of("status", "scale", "resize"),
    "patch_part": _one_of("scale", "resize"),
    "patch_type": _one_of("strategic", "merge", "json"),
    "dry_run": _one_of("none", "client", "server"),
    "cascade": _one_of("background", "foreground", "true"),
    "validate": _one_of("strict", "warn", "true"),
    "manager": _one_of("agent-gateway"),
    "stdin": _one_of("-"),
    "cluster_ip": _one_of("None"),
    "cluster_type": _one_of("ClusterIP"),
    "protocol": _one_of("TCP", "UDP", "SCTP"),
    "affinity": _one_of("None", "ClientIP"),
    "cronjob": lambda text: bool(cronjob_of(text)),
    "literal": lambda text: re.fullmatch(r"[A-Za-z0-9._-]{1,253}=[ -~]{0,1024}", text) is not None,
    "variable": lambda text: re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,252}=[ -~]{0,1024}", text) is not None,
    "source": lambda text: re.fullmatch(r"(?:configmaps?|cm)/[a-z0-9][a-z0-9.-]*", text, re.IGNORECASE) is not None,
    "container": lambda text: text == "*" or is_namespace(text),
    "request": lambda text: 0 < len(text) <= 8192,
}
