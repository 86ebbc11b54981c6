"""Finds the verb among a command's words, as kubectl would, and says why one is not for the gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from .command import Refused
from .forbidden_options import forbidden_reason
from .options import Options, read_options
from .verb_table import EVERYWHERE, READS, WRITES


class Verb(msgspec.Struct, frozen=True, kw_only=True):
    """A verb of one or two words; `follows` says what stands after it (see `verb_table`)."""

    name: str
    follows: str
    options: Options
    writes: bool


VERBS: Mapping[str, Verb] = {
    name: Verb(name=name, follows=follows, options=read_options(f"{EVERYWHERE} {options}"), writes=table is WRITES)
    for table in (READS, WRITES)
    for name, (follows, options) in table.items()
}
_GLOBAL = read_options(EVERYWHERE)
#: The other names of second words.
_ALIASES: Mapping[str, Mapping[str, str]] = {
    "create": {"cm": "configmap", "resourcequota": "quota", "poddisruptionbudget": "pdb"},
    "top": {"pods": "pod", "po": "pod", "nodes": "node", "no": "node"},
}
_GROUPS = frozenset(name.partition(" ")[0] for name in VERBS if " " in name)

_RUNS_CODE = "Nothing is run in a workload, and none is started from an image: '{}' is refused."
_TUNNEL = "No way into the cluster's network is opened: '{}' is refused."
_RIGHTS = "Rights, identities and credentials are not changed: '{}' is refused."
_LOCAL = "The gateway has no files, editor or settings of kubectl: '{}' is refused."
_OTHERS = "That record belongs to those who applied the object: '{}' is refused."
_CLUSTER = "That is not created here: '{}' is refused."
_REASONS = {
    _RUNS_CODE: "exec attach debug run cp create-deployment create-cronjob",
    _TUNNEL: "port-forward proxy",
    _RIGHTS: "certificate create-secret create-token create-role create-rolebinding create-clusterrole "
    "create-clusterrolebinding create-serviceaccount create-sa auth-reconcile set-serviceaccount set-sa set-subject",
    _LOCAL: "edit config kustomize completion plugin convert kuberc",
    _OTHERS: "apply-edit-last-applied apply-set-last-applied apply-view-last-applied set-selector set-last-applied",
    _CLUSTER: "create-namespace create-ns create-priorityclass create-pc create-ingress create-ing create-service "
    "create-svc",
}
_REFUSED = {verb: reason.format(verb.replace("-", " ", 1) if verb.startswith(("create-", "set-", "auth-", "apply-"))
                                else verb)
            for reason, verbs in _REASONS.items() for verb in verbs.split()}  # fmt: skip
#: What `help` knows besides.
TOPICS = frozenset(name.partition(" ")[0] for name in VERBS) | frozenset(
    "exec attach debug run cp port-forward proxy certificate edit config kustomize completion plugin".split()
)


def find_verb(words: Sequence[str]) -> tuple[Verb, list[str]]:
    """The verb of the words after `kubectl`, and all other words in their order. `Refused`."""
    others: list[str] = []
    found = ""
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word.startswith("-"):
            others.append(word)
            if _takes_next(word) and at < len(words):
                others.append(words[at])
                at += 1
            continue
        name = _join(found, word)
        if name in VERBS and name not in _GROUPS:
            return VERBS[name], [*others, *words[at:]]
        if name not in _GROUPS:
            raise Refused(_refusal(found, word))
        found = name
    if found in VERBS:
        return VERBS[found], others
    return _without_verb(found, others)


def _join(found: str, word: str) -> str:
    if not found:
        return word
    return f"{found} {_ALIASES.get(found, {}).get(word, word)}"


def _takes_next(word: str) -> bool:
    """Whether kubectl, before it knows the verb, takes the next word for this option's value.

    It does for every option that it does not know yet.
    """
    if word == "--":
        raise Refused("The word '--' is refused.")
    if "=" in word:
        return False
    if word.startswith("--"):
        option = _GLOBAL.by_name.get(word[2:])
    elif len(word) == 2:
        option = _GLOBAL.by_letter.get(word[1])
    else:
        return False
    return option is None or bool(option.rule)


def _without_verb(found: str, others: list[str]) -> tuple[Verb, list[str]]:
    if found or others in (["--help"], ["-h"]):
        if any(word in {"--help", "-h"} for word in others):
            return VERBS["help"], [
                *([found] if found else []),
                *(word for word in others if word not in {"--help", "-h"}),
            ]
        raise Refused(f"The command '{found}' is not complete.")
    for word in others:
        name = word.lstrip("-").partition("=")[0]
        if name not in _GLOBAL.by_name:
            raise Refused(forbidden_reason(word.partition("=")[0], name))
    raise Refused("The command names no verb.")


def _refusal(found: str, word: str) -> str:
    name = f"{found}-{word}" if found else word
    if name in _REFUSED:
        return _REFUSED[name]
    return f"There is no command '{f'{found} {word}'.strip()[:80]}' here: plugins and unknown verbs are refused."
