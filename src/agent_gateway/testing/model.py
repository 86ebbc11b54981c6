"""A model that says what it was told to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from agent_gateway.interfaces import Generation, GenerationRequest


class ScriptedModel:
    """Streams the same pieces for every request and keeps the requests; implements `Model`.

    A piece is text, a `Generation` (a citation, say), or an exception that is raised when its turn comes.
    """

    def __init__(self, pieces: Sequence[str | Generation | Exception]) -> None:
        self.pieces = tuple(pieces)
        self.requests: list[GenerationRequest] = []

    async def generate(self, request: GenerationRequest) -> AsyncIterator[Generation]:
        """Stream the pieces."""
        self.requests.append(request)
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield Generation(piece) if isinstance(piece, str) else piece
