"""A short piece of what somebody else wrote. Secrets are looked for before anything is cut or joined: not after."""

from __future__ import annotations

from agent_gateway.redaction.finding import redact

#: Nothing after so many characters is looked at; what was near this end may be half a secret, and is left out.
_FAR = 40_000
_NEAR = 8_000
_MORE = "..."


def excerpt(text: str, most: int) -> str:
    """The beginning of a text as one line of at most so many characters, without secrets; dots tell that it goes on."""
    seen = redact(text[:_FAR])
    further = len(text) > _FAR
    if further:
        seen = seen[:-_NEAR]
    line = " ".join("".join(each if each.isprintable() else " " for each in seen).split())
    return line if len(line) <= most and not further else line[: most - len(_MORE)] + _MORE
