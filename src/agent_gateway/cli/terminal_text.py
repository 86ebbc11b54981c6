"""Text from servers, models and documents on a terminal: what would move it, hide or turn around is written out."""

from __future__ import annotations

import json
import re

#: Control characters but tab and newline, marks without a width, those that turn the direction around, line breaks
#: that only some programs make, tags, and halves of characters. Joiners belong to scripts and stay.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def disarm(text: str) -> str:
    """Text with escapes instead of what nobody sees but a terminal obeys; as text it stays what it was in JSON."""
    return _UNSEEN.sub(_escape, text)


def disarm_lines(text: str) -> str:
    """Plain text with such escapes; the returns of another system's line ends are dropped."""
    return disarm(text.replace("\r\n", "\n").replace("\r", "\n"))


def _escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]
