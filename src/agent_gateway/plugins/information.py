"""What is known about a plugin, for `agent-gateway plugins`, `check` and `/readyz`."""

from __future__ import annotations

import msgspec


class PluginInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One plugin. `source` is `built-in`, a path or an entry point; with `errors` it is disabled, and these say why.

    `hooks` are the hooks it implements, `registered` what it added (`persona echo`), `notes` what is worth knowing.
    """

    name: str
    version: str
    source: str
    hooks: tuple[str, ...] = ()
    registered: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def enabled(self) -> bool:
        """Whether it takes part."""
        return not self.errors
