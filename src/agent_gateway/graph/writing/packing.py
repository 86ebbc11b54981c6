"""Fits texts into the tokens a model has room for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

#: What each piece may need for the marks around it, a message's role above all.
PER_PIECE = 16
#: No tokenizer makes, on average over a long text, one token of more characters.
_CHARACTERS_PER_TOKEN = 12


class Room:
    """The tokens that are left. A text is only counted when its length in bytes, the most it can have, may not fit."""

    def __init__(self, tokens: int, count: Callable[[str], int], texts: Iterable[str]) -> None:
        """`texts` are all that is to be taken: when their bounds fit together nothing is counted."""
        self.left = tokens
        self._count = count
        self._counted = sum(_bound(text) for text in texts) > tokens

    def cost(self, text: str) -> int:
        """The most tokens a text needs, with what stands around it."""
        return self._count(text) + PER_PIECE if self._counted else _bound(text)

    def spend(self, text: str) -> None:
        """Take a text that has to be there, whether or not it fits."""
        self.left -= self.cost(text)

    def take(self, text: str) -> bool:
        """Take a text if it fits."""
        cost = self.cost(text)
        if cost > self.left:
            return False
        self.left -= cost
        return True

    def squeeze(self, text: str, least: int) -> str:
        """Take a text, cut in the middle when it does not fit; empty when not even `least` tokens are left."""
        if self.take(text):
            return text
        if self.left < least + PER_PIECE:
            return ""
        cut = shorten(text, self.left - PER_PIECE, self._count)
        self.spend(cut)
        return cut

    def take_each(self, texts: Sequence[str]) -> list[int]:
        """Take those that fit, the first ones first; returns their places."""
        return [place for place, text in enumerate(texts) if self.take(text)]


def shorten(text: str, tokens: int, count: Callable[[str], int]) -> str:
    """A text of at most so many tokens, its middle left out with a mark if need be."""
    keep = min(len(text), max(tokens, 0) * _CHARACTERS_PER_TOKEN)
    while keep > 0:
        cut = _cut_middle(text, keep)
        needed = count(cut)
        if needed <= tokens:
            return cut
        keep = min(keep - 1, int(keep * tokens / needed * 0.95))
    return _cut_middle(text, 0)


def _cut_middle(text: str, keep: int) -> str:
    if keep >= len(text):
        return text
    head = keep - keep // 2
    tail = text[len(text) - keep // 2 :]
    return f"{text[:head]}\n[... {len(text) - keep} characters left out ...]\n{tail}"


def _bound(text: str) -> int:
    return len(text.encode(errors="replace")) + PER_PIECE
