"""A kubeconfig file: which contexts it has, and whether their credentials may be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from agent_gateway.config.clusters import ClustersSettings
from agent_gateway.errors import ConfigurationError, Fault, InvalidInput

#: The only credential provider of a kubeconfig that runs no program: it asks an identity provider for a new token.
_HARMLESS_PROVIDER = "oidc"


@dataclass(frozen=True)
class Kubeconfig:
    """What a kubeconfig file holds: `contexts` are the names of those to use, the file's current one first."""

    path: Path
    contexts: tuple[str, ...]
    content: Mapping[str, Any]

    def user_of(self, context: str) -> Mapping[str, Any]:
        """The credentials of a context, empty when it names none."""
        for each in _entries(self.content, "contexts", "context"):
            if each[0] == context:
                users = dict(_entries(self.content, "users", "user"))
                return users.get(str(each[1].get("user", "")), {})
        return {}


def read_kubeconfig(settings: ClustersSettings) -> Kubeconfig | None:
    """Read the kubeconfig that the settings name; `ConfigurationError` when it cannot be used."""
    path = settings.kubeconfig
    if path is None:
        return None
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise _fault("kubeconfig", f"cannot be read: {exc.strerror}", str(path)) from exc
    except (UnicodeDecodeError, yaml.YAMLError) as exc:
        raise _fault("kubeconfig", "is not YAML", str(path)) from exc
    names = [name for name, _ in _entries(content, "contexts", "context")] if isinstance(content, Mapping) else []
    if not names:
        raise _fault("kubeconfig", "holds no contexts", str(path), "it must be a kubeconfig file")
    unknown = [name for name in settings.contexts if name not in names]
    if unknown:
        raise _fault("contexts", f"there is no context '{unknown[0]}' in {path}", hint=f"it has: {', '.join(names)}")
    current = str(content.get("current-context") or "")
    ordered = [current, *names] if current in names else names
    return Kubeconfig(path, tuple(settings.contexts or dict.fromkeys(ordered)), content)


def check_credentials(user: Mapping[str, Any], context: str, *, allow_exec: bool) -> None:
    """Refuse credentials that would run a program, or that would silently be somebody else's; `InvalidInput`."""
    provider = user.get("auth-provider")
    runs = "exec" in user or (isinstance(provider, Mapping) and provider.get("name") != _HARMLESS_PROVIDER)
    if runs and not allow_exec:
        raise InvalidInput(
            f"the credentials of the cluster '{context}' come from a program that its kubeconfig names",
            code="cluster_credentials",
            hint="use a token or a client certificate, or set clusters.allow_exec: true",
        )
    if any(key in user for key in ("as", "as-uid", "as-groups", "as-user-extra")):
        raise InvalidInput(
            f"the kubeconfig of the cluster '{context}' asks to act as somebody else, which is not supported",
            code="cluster_credentials",
            hint="give the gateway credentials of its own",
        )


def _entries(content: Mapping[str, Any], key: str, part: str) -> Sequence[tuple[str, Mapping[str, Any]]]:
    found = content.get(key)
    entries = [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
    return [
        (str(each["name"]), each[part]) for each in entries if each.get("name") and isinstance(each.get(part), Mapping)
    ]


def _fault(key: str, detail: str, value: str = "", hint: str = "") -> ConfigurationError:
    fault = Fault(file="settings", key=f"clusters.{key}", detail=detail, value=value, hint=hint)
    return ConfigurationError((fault,))
