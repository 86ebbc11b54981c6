"""The routing policies as the settings name them, and the router over them."""

from __future__ import annotations

from agent_gateway.config import RouteSettings
from agent_gateway.graph.calibrated_routing import CalibratedRoutePolicy, load_weights
from agent_gateway.graph.documented_routing import DocumentedRoutePolicy
from agent_gateway.graph.router import Router
from agent_gateway.interfaces import Completions, RoutePolicy


def make_policies(settings: RouteSettings) -> tuple[RoutePolicy, RoutePolicy]:
    """The policy that decides, and the other one."""
    documented = DocumentedRoutePolicy(settings.weights.model_dump(), settings.thresholds.model_dump())
    calibrated = CalibratedRoutePolicy(load_weights())
    return (documented, calibrated) if settings.policy == documented.name else (calibrated, documented)


def make_router(settings: RouteSettings, completions: Completions) -> Router:
    """The router of a gateway; its shadow is the other policy, if the settings want one."""
    policy, other = make_policies(settings)
    return Router(policy, completions, shadow=other if settings.shadow else None)
