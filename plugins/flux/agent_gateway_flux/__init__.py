"""Flux: personas see what it manages, have it reconcile now, suspend and resume."""

from __future__ import annotations

import agent_gateway as ag

from .checks import look
from .reading import flux_get
from .recognition import recognize_flux_get, recognize_flux_reconcile, recognize_flux_resume, recognize_flux_suspend
from .reconciling import SECONDS, flux_reconcile, preview_reconcile, verify_reconcile
from .suspending import (
    flux_resume,
    flux_suspend,
    preview_resume,
    preview_suspend,
    verify_resume,
    verify_suspend,
)


@ag.hookimpl
def register_tools() -> list[ag.Tool]:
    """Add `flux_get`, `flux_reconcile`, `flux_suspend` and `flux_resume`."""
    return [
        ag.tool(
            flux_get,
            timeout_seconds=20.0,
            intents=("query", "troubleshoot", "deploy"),
            recognize=recognize_flux_get,
        ),
        ag.tool(
            flux_reconcile,
            effect="write",
            timeout_seconds=SECONDS,
            preview=preview_reconcile,
            verify=verify_reconcile,
            idempotent=True,
            recognize=recognize_flux_reconcile,
            intents=("deploy",),
        ),
        ag.tool(
            flux_suspend,
            effect="write",
            timeout_seconds=20.0,
            preview=preview_suspend,
            verify=verify_suspend,
            idempotent=True,
            recognize=recognize_flux_suspend,
            intents=("deploy",),
        ),
        ag.tool(
            flux_resume,
            effect="write",
            timeout_seconds=20.0,
            preview=preview_resume,
            verify=verify_resume,
            idempotent=True,
            recognize=recognize_flux_resume,
            intents=("deploy",),
        ),
    ]


@ag.hookimpl
def register_checks() -> list[ag.Check]:
    """Add a look for Flux in each cluster."""
    return [ag.Check(name="flux", run=look, timeout_seconds=15.0)]
