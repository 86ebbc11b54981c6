"""The text that goes with a command: an argument of the call, or a here-document at the end of the command string."""

from __future__ import annotations

import re

from .command import Refused

LONGEST_TEXT = 256 * 1024

_OPENING = re.compile(
    r"(?P<line>[^\n]*?)[ \t]*<<[ \t]*(?P<quote>['\"]?)(?P<tag>[A-Za-z_][A-Za-z0-9_]{0,31})(?P=quote)[ \t]*"
)
#: What a shell would expand in a here-document whose tag is not quoted.
_EXPANDED = re.compile(r"[$`]|\\[\\\n]")
#: Control characters, invisible ones and those that turn the direction of writing: an approver would not see them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)


def separate(command: str, manifest: str) -> tuple[str, str]:
    """The line and its text, which is empty when none came. `Refused`."""
    line, document = _split_document(command)
    if document.strip() and manifest.strip():
        raise Refused("A manifest is given twice, in the command and beside it.")
    text = manifest if manifest.strip() else document
    if len(text) > LONGEST_TEXT:
        raise Refused(f"The manifest is longer than {LONGEST_TEXT} characters.")
    if odd := _UNSEEN.search(text):
        raise Refused(f"The manifest holds the character {odd[0]!a}, which nobody would see.")
    return line, text if text.strip() else ""


def _split_document(command: str) -> tuple[str, str]:
    line, newline, rest = command.partition("\n")
    if not newline:
        return command, ""
    opening = _OPENING.fullmatch(line)
    if opening is None:
        raise Refused("The command is data, not a shell line: a second line is refused.")
    lines = rest.split("\n")
    if opening["tag"] not in lines:
        raise Refused("The here-document has no end.")
    end = lines.index(opening["tag"])
    if any(each.strip() for each in lines[end + 1 :]):
        raise Refused("The command is data, not a shell line: what follows the here-document is refused.")
    text = "".join(f"{each}\n" for each in lines[:end])
    if not opening["quote"] and _EXPANDED.search(text):
        raise Refused("A shell would expand the here-document: quote its tag, or give the manifest beside the command.")
    return opening["line"], text
