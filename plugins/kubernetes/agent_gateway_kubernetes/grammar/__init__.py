"""kubectl commands as models write them: parsed by a closed grammar, and judged. Pure: asks nothing and nobody.

`parse` makes a typed `Command` of a string, or says why it is outside the grammar (`Refused`). `judge` tells whether a
command is a read, needs an approval, or is never run; `judge_text` does both, and takes whatever it is given.
"""

from __future__ import annotations

from typing import Any

import agent_gateway as ag

from .command import Command, Refused, ResourceRef
from .judging import judge
from .parsing import parse
from .verdicts import deny

__all__ = ["Command", "Refused", "ResourceRef", "judge", "judge_text", "parse"]


def judge_text(command: Any, manifest: Any = "") -> ag.Verdict:
    """Judge a command string and the manifest that came with it; what is outside the grammar is denied."""
    try:
        return judge(parse(command, manifest))
    except Refused as refused:
        return deny(refused.reason)
