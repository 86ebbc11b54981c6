"""A command parsed, judged and carried out on a cluster: the one way for every tool of this plugin."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Literal

import msgspec

import agent_gateway as ag

from . import grammar
from .api import Api
from .changes import Change, Place
from .discovery import Discovery
from .grammar import Command, Refused
from .performing import perform
from .previewing import preview
from .read_commands import READS
from .scope import Scope
from .verifying import verify
from .write_commands import WRITES, summary_of, writing_of
from .write_options import check_options

_DRY = frozenset({"client", "server"})
_MOST_REFUSED = 1000


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool was called with: a command line, the manifest for its `-f -`, and the cluster's name."""

    line: str
    manifest: str = ""
    cluster: str = ""

    def parse(self) -> Command:
        """The typed command; `Refused`."""
        return grammar.parse(self.line, self.manifest)

    def judge(self) -> ag.Verdict:
        """The grammar's rule about it."""
        try:
            return grammar.judge(self.parse())
        except Refused as refused:
            return ag.Verdict(decision="deny", reason=refused.reason)

    def effect(self) -> Literal["read", "write"]:
        """Whether it changes something; what is outside the grammar counts as a write."""
        try:
            return "read" if self.parse().verb in READS else "write"
        except Refused:
            return "write"


class Kubernetes:
    """Carries orders out. It remembers which kinds each cluster has, and which effects were refused whole."""

    def __init__(self, seconds: float = 10.0) -> None:
        self._discovery = Discovery()
        self._seconds = seconds
        #: Keys of effects of which nothing was written, oldest first; the world may not show that any more.
        self._refused: deque[str] = deque(maxlen=_MOST_REFUSED)

    async def run(self, order: Order, context: Any, warrant: ag.Warrant | None) -> str:
        """Carry an order out: reads at once, changes only with a warrant."""
        scope = self.scope(order, context)
        read = READS.get(scope.command.verb)
        if read is not None:
            return await read(scope)
        if _is_dry(scope.command):
            shown = await self.preview(order, context)
            return f"{shown.summary}\n{shown.diff}"
        if warrant is None:
            raise ag.Forbidden("this changes something, and nobody has allowed it", code="command_refused")
        return await self._perform(scope, warrant)

    async def _perform(self, scope: Scope, warrant: ag.Warrant) -> str:
        lines: list[str] = []
        try:
            await perform(scope.api, await _plan(scope), warrant, lines)
        except ag.Unavailable:
            raise
        except ag.GatewayError:
            # The plan failed, or the API server said no: what it answers so, it has not done.
            if not lines:
                self._refused.append(warrant.key)
            raise
        return "\n".join(lines)

    async def preview(self, order: Order, context: Any) -> ag.Preview:
        """What an order would do; nothing is changed."""
        scope = self.scope(order, context)
        if scope.command.verb in READS:
            return ag.Preview(summary=f"Read with `{order.line.strip()}` on {scope.api.cluster}")
        changes = await _plan(scope)
        does = summary_of(scope, writing_of(scope.command.verb).does)
        return await preview(scope.api, changes, f"Dry run: {does}" if _is_dry(scope.command) else does)

    async def verify(self, order: Order, context: Any, warrant: ag.Warrant) -> ag.Verification:
        """Whether an order's effect with this warrant has happened."""
        scope = self.scope(order, context)
        if scope.command.verb in READS or _is_dry(scope.command):
            return ag.Verification(outcome="done", text="there is nothing that it would have changed")
        if warrant.key in self._refused:
            return ag.Verification(outcome="not_done", text="it was refused, and nothing was written")
        return await verify(scope.api, self._discovery, warrant, _removals(scope.command))

    def scope(self, order: Order, context: Any) -> Scope:
        """The order on its cluster; `Forbidden` (code `command_refused`) for one that is never carried out."""
        verdict = order.judge()
        if verdict.decision == "deny":
            # The gate has asked already; this holds for whoever forgot to.
            raise ag.Forbidden(verdict.reason, code="command_refused")
        api = Api(context.clusters.get(order.cluster), self._seconds)
        return Scope(order.parse(), api, self._discovery)


async def _plan(scope: Scope) -> list[Change]:
    check_options(scope.command)
    return await writing_of(scope.command.verb).plan(scope)


def _is_dry(command: Command) -> bool:
    """Whether it only shows what would be changed."""
    return command.verb == "diff" or (command.verb in WRITES and command.options.get("dry-run", "none") in _DRY)


def _removals(command: Command) -> Callable[[Place], bool]:
    """Which targets of a command are to be gone."""
    if command.verb == "delete":
        return lambda place: True
    if command.verb == "drain":
        return lambda place: place.kind == "pods"
    return lambda place: False
