"""Settings of Kubernetes clusters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from agent_gateway.config.scalars import Section, split_list


def empty_is_none(value: Any) -> Any:
    """Understand an empty path as none at all."""
    return None if value == "" else value


class ClustersSettings(Section):
    """The clusters of this gateway: contexts of a kubeconfig, and the one whose pod it runs in.

    `kubeconfig` is the only file that is read; `contexts` are those of it to use, all when empty; `default` is used
    when a call names none. `in_cluster`: `auto` adds the cluster `in-cluster` when the gateway runs in a pod. A
    kubeconfig may name programs that give credentials; they are only run with `allow_exec`.
    """

    kubeconfig: Annotated[Path | None, BeforeValidator(empty_is_none)] = None
    contexts: Annotated[tuple[str, ...], BeforeValidator(split_list)] = ()
    default: str = ""
    in_cluster: bool | Literal["auto"] = "auto"
    allow_exec: bool = False
