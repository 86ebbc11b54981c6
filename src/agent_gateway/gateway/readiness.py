"""What is warm, part by part, as `/readyz` shows it."""

from __future__ import annotations

from collections.abc import Mapping

READY = "ready"
STARTING = "starting"
NOTE = "note: "


class ReadinessBoard:
    """Implements `Readiness`; written by the gateway while it starts."""

    def __init__(self, parts: tuple[str, ...]) -> None:
        self._parts = dict.fromkeys(parts, STARTING)

    def set(self, part: str, state: str = READY) -> None:
        """Say how a part is: `ready`, `starting`, `waiting: why`, `failed: why`, or a `note: ...`."""
        self._parts[part] = state

    def note(self, part: str, text: str) -> None:
        """Say something that does not decide whether the gateway is ready."""
        self._parts[part] = f"{NOTE}{text}"

    def parts(self) -> Mapping[str, str]:
        """Part -> state."""
        return dict(self._parts)

    @property
    def ready(self) -> bool:
        """Whether the floor can answer: every part that is not just a note is ready."""
        return all(state == READY or state.startswith(NOTE) for state in self._parts.values())
