"""What a pattern understood, before it becomes a tool's call."""

from __future__ import annotations

from typing import NamedTuple

import agent_gateway as ag


class Reading(NamedTuple):
    """A command of kubectl, what it does in words, how sure that is, and what the message would have to name."""

    command: str
    meaning: str
    confidence: float
    missing: str = ""

    def recognition(self, cluster: str) -> ag.Recognition:
        """The call of the tool `kubectl`."""
        arguments = {"command": self.command} | ({"cluster": cluster} if cluster else {})
        shown = f" (`{self.command}`)" if self.command and not self.missing else ""
        return ag.Recognition(
            arguments=arguments, confidence=self.confidence, meaning=self.meaning + shown, missing=self.missing
        )
