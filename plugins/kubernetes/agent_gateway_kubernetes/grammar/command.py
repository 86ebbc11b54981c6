"""A kubectl command as a typed request: what the grammar makes of a command string, and all that execution sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Refused(Exception):
    """A command that is outside the grammar; `reason` is one sentence for the model that wrote it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ResourceRef(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A kind, or one object of it when `name` is given.

    `kind` is the plural, as the API has it (`deployments`), or as written in lower case when it is not in `KINDS`
    (then `known` is False, and only the cluster's discovery can tell plural, group, version and scope). The category
    `all` has been replaced by its kinds. `group` is empty for core kinds. `version` is empty when the command names
    none.
    """

    kind: str
    group: str = ""
    version: str = ""
    name: str = ""
    known: bool = True
    namespaced: bool = True

    @property
    def full_kind(self) -> str:
        """Plural and group: `deployments.apps`, `pods`."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def full_name(self) -> str:
        """As messages name it: `deployments.apps/web`."""
        return f"{self.full_kind}/{self.name}" if self.name else self.full_kind


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A command that follows the grammar.

    `verb` is one or two words: `get`, `top pod`, `rollout restart`, `set image`, `auth can-i`, `create configmap`
    (`create` alone is `create -f -`). `namespace` is empty when none was named: the cluster's default one.

    `options` holds everything else, by long name, a flag as `true` or `false`; an option given several times
    (`from-literal`, `env`) has its values joined by newlines. `namespace`, `all-namespaces`, `filename`, `patch` and
    `request-timeout` are not in it, but for the last one.

    `words` are what follows the resources: changes of labels, annotations, variables and taints (`a=b`, `a-`,
    `k=v:NoSchedule`), images (`web=registry/web:1`), the verb and the object of `auth can-i`, the path of `explain`,
    the topic of `help`, the container of `logs`.

    `from_text`: it had `-f -`; `text` is the manifest and `objects` what is in it, lists unfolded. Both are empty when
    no text came with the call, and then there is nothing to run. `patch` is the parsed patch: an object, or the list
    of a JSON patch (`options["type"]` is always set for `patch`).
    """

    verb: str
    resources: tuple[ResourceRef, ...] = ()
    namespace: str = ""
    all_namespaces: bool = False
    options: Mapping[str, str] = {}
    words: tuple[str, ...] = ()
    from_text: bool = False
    text: str = ""
    objects: tuple[dict[str, Any], ...] = ()
    patch: Any = None

    def flag(self, name: str) -> bool:
        """Whether a flag is set."""
        return self.options.get(name) == "true"

    def values(self, name: str) -> tuple[str, ...]:
        """The values of an option that may be given several times."""
        value = self.options.get(name)
        return tuple(value.split("\n")) if value else ()
