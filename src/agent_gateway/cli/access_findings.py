"""What `doctor`, `check` and `serve` say about who may come in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent_gateway.cli.findings import Finding
from agent_gateway.config import Settings
from agent_gateway.config.auth import AuthSettings, GrantSettings, is_loopback
from agent_gateway.registry import Registry


def warn_of_exposure(settings: Settings) -> str:
    """Return the sentence for a gateway that other machines reach and that asks for no credentials; else nothing."""
    host = settings.server.host
    if settings.auth.configured or is_loopback(host):
        return ""
    return (
        f"server.host is {host} and no authentication is configured: everybody who reaches that address would be "
        "the owner `local` with every role; name who may come in under auth, or listen on 127.0.0.1"
    )


def check_access(settings: Settings, registry: Registry) -> Iterator[Finding]:
    """Look at who may come in, and at personas that are named for it and do not exist."""
    name, auth = "authentication", settings.auth
    warning = warn_of_exposure(settings)
    if warning:
        yield Finding(name=name, state="absent", found=warning, cost="`serve` refuses this without --insecure")
    elif not auth.configured:
        found = f"none: whoever reaches {settings.server.host} is the owner `local` with every role"
        yield Finding(name=name, state="ok", found=found)
    else:
        yield Finding(name=name, state="ok", found="; ".join(methods(auth)))
    known = {each.persona.id for each in registry.served} | {each.id for each in registry.unserved}
    strange = sorted({persona for grant in grants(auth) for persona in grant.personas} - known)
    if strange:
        cost = "these grants are for nobody"
        yield Finding(name=name, state="absent", found=f"there is no persona {', '.join(strange)}", cost=cost)


def methods(auth: AuthSettings) -> Iterator[str]:
    """Yield what is configured."""
    if auth.callers:
        yield f"API keys of {', '.join(auth.callers)}"
    if auth.issuers:
        yield f"tokens of {', '.join(auth.issuers)}"
    if auth.kubernetes is not None:
        yield f"tokens of the cluster {auth.kubernetes.cluster or '(default)'}"


def grants(auth: AuthSettings) -> Iterable[GrantSettings]:
    """Yield everything that is granted to somebody."""
    yield from auth.callers.values()
    for issuer in auth.issuers.values():
        yield from issuer.grants
    if auth.kubernetes is not None:
        yield from auth.kubernetes.grants
