"""kubectl commands as models write them: parsed by a closed grammar, and judged. Pure: asks nothing and nobody.

`parse` makes a typed `Command` of a string, or says why it is outside the grammar (`Refused`). `judge` tells whether a
command is a read, needs an approval, or is never run.
"""

from __future__ import annotations

from .command import Command, Refused, ResourceRef

__all__ = ["Command", "Refused", "ResourceRef"]
