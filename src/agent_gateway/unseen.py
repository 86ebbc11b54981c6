"""Characters that nobody sees: whoever reviews a text must see that they are there."""

from __future__ import annotations

import unicodedata

#: Control characters, marks without a width, private ones, halves of others, and the two that break lines unseen.
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
#: Characters that are letters or marks to Unicode, and nothing to the eye.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5\u2800")
_PLAIN_BREAKS = frozenset("\n\t")


def is_seen(character: str) -> bool:
    """Whether a character shows, or is a plain break between what does; variation selectors do not."""
    if character in _BLANK or "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":
        return False
    return character in _PLAIN_BREAKS or unicodedata.category(character) not in _UNSEEN


def show_unseen(text: str, kept: str = "\n") -> str:
    """Text with escapes, as JSON has them, instead of what is not seen and of breaks that are not `kept`.

    JSON text stays the JSON of the same value.
    """
    return "".join(
        each if each in kept or (is_seen(each) and each not in _PLAIN_BREAKS) else _escape(each) for each in text
    )


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", errors="surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
