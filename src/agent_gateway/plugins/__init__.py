"""Discovery, loading and calling of plugins; a plugin's failure never goes further than the plugin."""

from __future__ import annotations

from agent_gateway.plugins.information import PluginInfo
from agent_gateway.plugins.isolation import attempt
from agent_gateway.plugins.loading import Plugins, load_plugins

__all__ = ["PluginInfo", "Plugins", "attempt", "load_plugins"]
