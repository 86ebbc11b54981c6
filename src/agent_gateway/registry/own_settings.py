"""A plugin's settings while it registers: what was written for it, or its defaults."""

from __future__ import annotations

from functools import partial

from pydantic import BaseModel

from agent_gateway.config import Configuration, validate_section
from agent_gateway.plugins import attempt


def settings_for(name: str, model: type[BaseModel] | None, configuration: Configuration) -> dict[str, BaseModel]:
    """What a registering hook is given as `settings`: the plugin's own under its name, or nothing.

    Where what was written is wrong the defaults stand in, so that only the wrong values are faults and not also every
    name that the plugin would have registered; `validate_plugin_settings` tells the faults.
    """
    if model is None:
        return {}
    values = configuration.settings.plugins.get(name) or {}
    outcome, _ = attempt(partial(validate_section, model, values, configuration.origins, ("plugins", name)))
    found = outcome[0] if outcome is not None else None
    if found is None:
        found, _ = attempt(model)
    return {name: found} if found is not None else {}
