"""Git: personas change manifests by commits, and see what was committed."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

import agent_gateway as ag

from .checks import checks
from .settings import GitopsSettings
from .tools import Repositories

#: What was registered and has threads, until the gateway stops.
_OPEN: list[Repositories] = []


@ag.hookimpl
def register_settings() -> type[BaseModel]:
    """Have `plugins.gitops` validated."""
    return GitopsSettings


@ag.hookimpl
def register_tools(settings: Mapping[str, BaseModel]) -> list[ag.Tool]:
    """Add `git_commit`, `git_log` and `git_show`."""
    repositories = Repositories(_own(settings))
    _OPEN.append(repositories)
    return repositories.tools()


@ag.hookimpl
def register_checks(settings: Mapping[str, BaseModel]) -> list[ag.Check]:
    """Add a look at each repository."""
    return checks(_own(settings))


@ag.hookimpl
def on_shutdown() -> None:
    """Let the repositories' threads end."""
    while _OPEN:
        _OPEN.pop().close()


def _own(settings: Mapping[str, BaseModel]) -> GitopsSettings:
    """The plugin's own settings, by the name it was loaded under."""
    return next((each for each in settings.values() if isinstance(each, GitopsSettings)), GitopsSettings())
