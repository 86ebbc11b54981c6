"""Who asks: an owner, with roles, for personas."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from agent_gateway.config.auth import GrantSettings
from agent_gateway.messages import ROLES, Role

#: The owner of everything while no authentication is configured, and of what the command line does.
LOCAL_OWNER = "local"
#: The longest name that a provider may give somebody.
OWNER_LENGTH = 300


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for one persona, or on the gateway's own port. `personas`: those they may see, all when empty."""

    owner: str
    roles: tuple[Role, ...]
    personas: frozenset[str] = frozenset()

    def sees(self, persona: str) -> bool:
        """Whether a persona is among theirs."""
        return not self.personas or persona in self.personas


#: The owner `local`, who may do everything.
LOCAL = Principal(owner=LOCAL_OWNER, roles=ROLES)
#: Who asks what needs no principal: the preflight of a browser.
NOBODY = Principal(owner="", roles=())


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """Roles for personas, for all of them when empty."""

    roles: frozenset[Role]
    personas: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: GrantSettings) -> Grant:
        """Read a grant of the settings; who may have things done may also ask."""
        roles = {*settings.roles, *(("viewer",) if "operator" in settings.roles else ())}
        return cls(roles=frozenset(roles), personas=frozenset(settings.personas))


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a credential is, and all that was granted to them."""

    owner: str
    grants: tuple[Grant, ...]

    def toward(self, persona: str) -> Principal | None:
        """Who they are to a persona, or to the gateway itself for an empty name; None for somebody without a role.

        Each grant counts for its own personas only: to operate one is not to operate another.
        """
        held = [grant for grant in self.grants if not persona or not grant.personas or persona in grant.personas]
        if not held:
            return None
        return Principal(owner=self.owner, roles=_ordered(held), personas=_together(self.grants))


def _ordered(grants: Iterable[Grant]) -> tuple[Role, ...]:
    roles = frozenset[Role]().union(*(grant.roles for grant in grants))
    return tuple(role for role in ROLES if role in roles)


def _together(grants: tuple[Grant, ...]) -> frozenset[str]:
    if any(not grant.personas for grant in grants):
        return frozenset()
    return frozenset[str]().union(*(grant.personas for grant in grants))
