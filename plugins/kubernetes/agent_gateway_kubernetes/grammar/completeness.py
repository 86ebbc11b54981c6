"""What a command must have to be one: kubectl would refuse these, or do something that nobody meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .command import Command, Refused
from .kinds import resolve
from .names import is_kind, is_name
from .verbs import TOPICS, VERBS

#: A field of a kind, or a path of the API server, that is only asked about.
_FIELD_PATH = re.compile(r"[A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*")
_ASKED_PATH = re.compile(r"/(?:[a-z0-9_-]+(?:[./][a-z0-9_-]+)*/?)?\*?")
#: Verbs whose objects are named, one by one.
_NAMED = frozenset(
    "expose patch autoscale label annotate taint cordon uncordon drain scale".split()
    + [f"set {part}" for part in ("image", "env", "resources")]
    + [f"rollout {part}" for part in ("restart", "undo", "pause", "resume")]
    + [f"create {part}" for part in ("configmap", "quota", "pdb", "job")]
)
_SINGLE = frozenset("expose patch autoscale taint cordon uncordon drain".split()) | frozenset(
    name for name in _NAMED if name.startswith("create ")
)


def check_complete(command: Command) -> None:
    """Check that everything a verb needs is there, and nothing that contradicts it. `Refused`."""
    if command.verb in _NAMED:
        _check_named(command)
    check = _CHECKS.get(command.verb)
    if check is not None:
        check(command)


def _check_named(command: Command) -> None:
    if not command.resources or not all(each.name for each in command.resources):
        raise Refused(f"'{command.verb}' needs the names of its objects: not all of a kind at once.")
    if command.verb in _SINGLE and len(command.resources) > 1:
        raise Refused(f"'{command.verb}' takes one object at a time.")


def _check_listing(command: Command) -> None:
    if not command.resources:
        raise Refused(f"'{command.verb}' needs a kind.")
    named = any(each.name for each in command.resources)
    if named and command.all_namespaces:
        raise Refused("An object is not named across all namespaces.")
    if named and ("selector" in command.options or "field-selector" in command.options):
        raise Refused("Objects are named, or selected, not both.")


def _check_logs(command: Command) -> None:
    if bool(command.resources) == ("selector" in command.options):
        raise Refused("Logs are read of one named pod or workload, or of a selector.")
    if command.words and "container" in command.options:
        raise Refused("The container is named twice.")


def _check_wait(command: Command) -> None:
    _check_listing(command)
    if "for" not in command.options:
        raise Refused("'wait' needs what it waits for, --for.")


def _check_rollout(command: Command) -> None:
    if not command.resources:
        raise Refused(f"'{command.verb}' needs a workload.")


def _check_usage(command: Command) -> None:
    if len(command.resources) > 1:
        raise Refused("Usage is shown of one object, or of all.")
    if command.resources:
        _check_listing(command)


def _check_explain(command: Command) -> None:
    if len(command.words) != 1 or not _FIELD_PATH.fullmatch(command.words[0]):
        raise Refused("'explain' needs one kind, with a path of fields.")


def _check_question(command: Command) -> None:
    if command.flag("list"):
        if command.words:
            raise Refused("'auth can-i --list' takes no words.")
        return
    if len(command.words) not in {1, 2} or not re.fullmatch(r"\*|[a-zA-Z]{1,40}", command.words[0]):
        raise Refused("'auth can-i' needs a verb and a kind.")
    if len(command.words) == 1:
        raise Refused("'auth can-i' needs a kind.")
    _check_asked(command.words[1])


def _check_asked(asked: str) -> None:
    if asked == "*" or (asked.startswith("/") and ".." not in asked and _ASKED_PATH.fullmatch(asked)):
        return
    kind, slash, name = asked.partition("/")
    if not is_kind(kind.lower()) or (slash and not (name == "*" or is_name(name))):
        raise Refused(f"{asked[:80]!r} is nothing that could be allowed.")


def _check_help(command: Command) -> None:
    words = " ".join(command.words)
    if words and words not in TOPICS and words not in VERBS:
        raise Refused(f"There is no help on {words[:80]!r}.")


def _check_text(command: Command) -> None:
    if not command.from_text:
        raise Refused(f"'{command.verb}' needs its text, with '-f -'.")


def _check_delete(command: Command) -> None:
    if command.from_text:
        if command.resources or "selector" in command.options or "field-selector" in command.options:
            raise Refused("Objects are named, selected or in the text, not two of these.")
        return
    _check_listing(command)
    selected = "selector" in command.options or "field-selector" in command.options
    if not selected and not all(each.name for each in command.resources):
        raise Refused("A deletion needs names or a selector.")


def _check_patch(command: Command) -> None:
    if command.patch is None:
        raise Refused("'patch' needs a patch, -p.")
    if isinstance(command.patch, list) != (command.options["type"] == "json"):
        raise Refused("The patch does not have the form of its type.")


def _check_changes(command: Command) -> None:
    if command.flag("list"):
        if command.words:
            raise Refused("--list takes no changes.")
    elif not (command.words or "env" in command.options or "from" in command.options):
        raise Refused(f"'{command.verb}' needs what is to be changed.")


def _check_job(command: Command) -> None:
    if "from" not in command.options:
        raise Refused("A job is created from a cron job only, --from=cronjob/name.")


def _needs(*names: str) -> Callable[[Command], None]:
    def check(command: Command) -> None:
        if not any(name in command.options for name in names):
            raise Refused(f"'{command.verb}' needs --{names[0]}.")

    return check


def _check_reference(command: Command) -> None:
    wanted = command.options.get("for", "")
    if wanted and "/" in wanted:
        resolve_event_subject(wanted)


def resolve_event_subject(wanted: str) -> None:
    """Check the object of `events --for`: any kind, since its events hold none of its values. `Refused`."""
    kind, _, name = wanted.partition("/")
    if kind not in {"secret", "secrets"}:
        resolve(kind)
    if not is_name(name):
        raise Refused(f"{name[:80]!r} is no name of an object.")


_CHECKS: Mapping[str, Callable[[Command], None]] = {
    "get": _check_listing,
    "describe": _check_listing,
    "logs": _check_logs,
    "wait": _check_wait,
    "rollout status": _check_rollout,
    "rollout history": _check_rollout,
    "top pod": _check_usage,
    "top node": _check_usage,
    "explain": _check_explain,
    "auth can-i": _check_question,
    "help": _check_help,
    "events": _check_reference,
    "apply": _check_text,
    "create": _check_text,
    "replace": _check_text,
    "diff": _check_text,
    "delete": _check_delete,
    "patch": _check_patch,
    "label": _check_changes,
    "annotate": _check_changes,
    "taint": _check_changes,
    "set image": _check_changes,
    "set env": _check_changes,
    "set resources": _needs("limits", "requests"),
    "scale": _needs("replicas"),
    "autoscale": _needs("max"),
    "create job": _check_job,
    "create quota": _needs("hard", "scopes"),
    "create pdb": _needs("min-available", "max-unavailable"),
}
