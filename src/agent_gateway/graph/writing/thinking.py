"""Leaves out what a reasoning model thinks aloud before it answers, where its server does not."""

from __future__ import annotations

_BEGIN, _END = "<think>", "</think>"


class ThoughtFilter:
    """Fed with one reply as it comes; thoughts stand at its beginning, between `<think>` and `</think>`."""

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False
        self._answering = False

    def feed(self, text: str) -> str:
        """What belongs to the answer of a piece; nothing while it may still be a thought."""
        if self._answering:
            return text
        self._held += text
        if not self._thinking:
            begun = self._held.lstrip()
            if _BEGIN.startswith(begun):  # or there is too little yet to tell
                return ""
            if not begun.startswith(_BEGIN):
                return self._release(self._held)
            self._thinking = True
        before, end, after = self._held.partition(_END)
        if not end:
            # Only as much as may be the beginning of the mark.
            self._held = before[-len(_END) :]
            return ""
        return self._release(after.lstrip())

    def finish(self) -> str:
        """What was held back to the end and is no thought."""
        held, self._held = self._held, ""
        return "" if self._thinking else held

    def _release(self, text: str) -> str:
        self._answering, self._thinking, self._held = True, False, ""
        return text
