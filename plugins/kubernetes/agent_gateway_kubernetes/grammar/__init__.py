"""kubectl commands as models write them: parsed by a closed grammar, and judged. Pure: asks nothing and nobody.

`parse` makes a typed `Command` of a string, or says why it is outside the grammar (`Refused`). `judge` tells whether a
command is a read, needs an approval, or is never run.
"""

from __future__ import annotations

import agent_gateway as ag

from .command import Command, Refused, ResourceRef

__all__ = ["Command", "Refused", "ResourceRef", "judge", "parse"]

_NOT_YET = "This version cannot read kubectl commands yet, so none is run."


def parse(command: str, manifest: str = "") -> Command:
    """Refuse every command: what cannot be read is not run."""
    del command, manifest
    raise Refused(_NOT_YET)


def judge(command: Command) -> ag.Verdict:
    """Deny every command."""
    del command
    return ag.Verdict(decision="deny", reason=_NOT_YET)
