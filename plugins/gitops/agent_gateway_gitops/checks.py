"""Checks for `agent-gateway doctor`: whether each repository can be read."""

from __future__ import annotations

from functools import partial

import agent_gateway as ag

from .checkout import Checkout
from .settings import GitopsSettings
from .tools import Repositories


def checks(settings: GitopsSettings) -> list[ag.Check]:
    """One check per repository, or one that says there is none."""
    if not settings.repositories:
        return [ag.Check(name="git", run=_tell_none)]
    return [
        ag.Check(name=f"git {name}", run=partial(_look, settings, name), timeout_seconds=settings.timeout_seconds + 5)
        for name in settings.repositories
    ]


async def _tell_none(clusters: ag.Clusters) -> ag.CheckResult:
    hint = "add plugins.gitops.repositories.NAME.url to commit to one"
    return ag.CheckResult(ok=True, detail="no repository is configured", hint=hint)


async def _look(settings: GitopsSettings, name: str, clusters: ag.Clusters) -> ag.CheckResult:
    target = settings.repositories[name].target
    paths = ", ".join(settings.repositories[name].paths) or "nothing"
    repositories = Repositories(settings)

    def head(checkout: Checkout) -> str:
        return checkout.fetch().id.decode()[:12]

    try:
        found = await repositories.work(name, head)
    except ag.GatewayError as error:
        return ag.CheckResult(ok=False, detail=error.detail, hint=error.hint)
    finally:
        repositories.close()
    return ag.CheckResult(ok=True, detail=f"{target} is at {found}; may be edited: {paths}")
