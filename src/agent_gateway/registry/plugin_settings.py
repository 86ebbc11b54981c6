"""Validates each plugin's part of the settings by the model the plugin registered."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pydantic import BaseModel

from agent_gateway.config import Configuration, suggest, validate_section
from agent_gateway.errors import Fault
from agent_gateway.plugins import Plugins, attempt
from agent_gateway.registry.contributions import Contribution


def validate_plugin_settings(
    configuration: Configuration, plugins: Plugins, contributions: Sequence[Contribution]
) -> tuple[dict[str, BaseModel], tuple[Fault, ...]]:
    """Return each plugin's validated settings, by plugin, and the faults of what was written.

    A plugin that requires settings is disabled while nothing at all is written for it: it was only dropped in.
    """
    valid: dict[str, BaseModel] = {}
    faults = list(unclaimed(configuration, plugins, contributions))
    for each in contributions:
        if each.settings is None or each.plugin not in plugins.names:
            continue
        model, values = each.settings, configuration.settings.plugins.get(each.plugin)
        path = ("plugins", each.plugin)
        outcome, error = attempt(partial(validate_section, model, values or {}, configuration.origins, path))
        if outcome is None:
            plugins.reject(each.plugin, f"its settings: {error}")
            continue
        settings, wrong = outcome
        if settings is not None:
            valid[each.plugin] = settings
        elif values is None:
            needs = "; ".join(
                f"plugins.{each.plugin}{fault.key[len('.'.join(path)) :]} {fault.detail}" for fault in wrong
            )
            plugins.reject(each.plugin, f"it needs settings: {needs}")
        faults += wrong if values is not None else ()
    return valid, tuple(faults)


def unclaimed(configuration: Configuration, plugins: Plugins, contributions: Sequence[Contribution]) -> Sequence[Fault]:
    """Find settings that no plugin reads; a plugin that is broken or left out cannot be judged."""
    models = {each.plugin: each.settings for each in contributions}
    faults: list[Fault] = []
    for name in configuration.settings.plugins:
        if name in plugins.left_out or name in plugins.broken or models.get(name) is not None:
            continue
        detail = "has no settings" if name in plugins.names else "is the name of no plugin"
        hint = "" if name in plugins.names else suggest(name, (*plugins.names, *plugins.broken))
        faults.append(configuration.origins.fault(("plugins", name), detail, hint=hint))
    return faults
