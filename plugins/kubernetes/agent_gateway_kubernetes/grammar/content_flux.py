"""Rules of Flux objects: they are asked to act, suspended and resumed, and single values of charts are changed.

Everything else that they apply comes from Git.
"""

from __future__ import annotations

import re
from typing import Any

from .command import Refused
from .content_rules import Manner, Rule, fields, only, scalar
from .content_words import NEVER, fold, show
from .names import is_name

GROUP_END = ".toolkit.fluxcd.io"
_REQUESTS = frozenset({"reconcile.fluxcd.io/requestedAt", "reconcile.fluxcd.io/forceAt", "reconcile.fluxcd.io/resetAt"})
_DEEPEST = 8
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_TEXT = re.compile(r"[A-Za-z0-9_.:/@+%=, -]{0,256}")
#: A chart may make anything of a value; keys and texts with these in them are left to Git.
_PARTS = tuple(
    "host privileg securitycontext capabilit runas serviceaccount automount rbac clusterrole rolearn "
    "rolebinding command args lifecycle exec probe initcontainer sidecar extra secret token password passwd "
    "credential apikey auth cert tls ingress gateway route virtualservice nodeport loadbalancer external "
    "expose public networkpolicy policy podsecurity admission webhook crd volume mount toleration nodename "
    "nodeselector affinity annotation label finalizer owner hook script linkerd istio mesh proxy inject "
    "namespace podspec template manifest entrypoint existingclaim schedul priorityclass runtimeclass sysctl "
    "seccomp apparmor selinux procmount fsgroup unconfined kubeconfig device patch render global".split()
)
_WHOLE = frozenset(
    "env envs envfrom envvars environment url urls raw root user uid gid path role roles csi debug shell init type key "
    "keys".split()
)


def _check_word(word: str) -> None:
    folded = fold(word)
    if folded in _WHOLE or folded in NEVER or any(part in folded for part in _PARTS):
        raise Refused(f"The value {show(word)} may change more than a number or a version: it is changed in Git.")


def _check_values(value: Any, depth: int) -> None:
    if isinstance(value, dict) and depth < _DEEPEST:
        for key, each in value.items():
            if not isinstance(key, str) or _KEY.fullmatch(key) is None:
                raise Refused(f"{show(key)} is no plain name of a value.")
            _check_word(key)
            _check_values(each, depth + 1)
    elif isinstance(value, str) and _TEXT.fullmatch(value):
        _check_word(value)
    elif depth == 0 or not isinstance(value, (bool, int, float)):
        raise Refused("Of a chart's values only single numbers, switches and short texts are changed here.")


def _values(value: Any, manner: Manner) -> None:
    _check_values(value, 0)


def _requests(value: Any, manner: Manner) -> None:
    """Annotations that ask a controller to act; others of a Flux object are not changed."""
    if not isinstance(value, dict):
        raise Refused("Annotations are not taken away as a whole.")
    for key, each in value.items():
        if key not in _REQUESTS:
            raise Refused(f"{show(key)} of a Flux object is not changed: only 'reconcile.fluxcd.io/requestedAt' is.")
        if not isinstance(each, str):
            raise Refused("A request to act is a text.")


def _name(value: Any, manner: Manner) -> None:
    if not isinstance(value, str) or not is_name(value):
        raise Refused("The name of an object is none.")


flux_metadata: Rule = fields({"annotations": _requests, "resourceVersion": scalar, "name": _name})
_suspend = only(True, False, None, why="'suspend' is true or false.")
suspension: Rule = fields({"suspend": _suspend})
#: The same for a HelmRelease.
release: Rule = fields({"suspend": _suspend, "values": _values})
#: For those that are not suspended.
nothing: Rule = fields({})
