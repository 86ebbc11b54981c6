"""What a scripted model server tells of itself and its models, beside answering chats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec.json import encode

from agent_gateway.testing.model_replies import CHATS, Fault, ModelCall
from agent_gateway.testing.model_scripts import JSON, Script, Wire
from agent_gateway.testing.ollama_wire import OllamaWire, describe_model, list_tags
from agent_gateway.testing.openai_wire import OpenAIWire, list_models

GREETING = b"Ollama is running"
METHODS = {
    "/": "GET", "/v1/models": "GET", "/api/version": "GET", "/api/tags": "GET", "/api/show": "POST",
    **dict.fromkeys(CHATS, "POST"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ModelHouse:
    """Which models a server has, and the key it asks for. `window` is in tokens."""

    models: tuple[str, ...]
    key: str | None
    window: int
    capabilities: tuple[str, ...]
    version: str

    def unwelcome(self, call: ModelCall) -> Fault | None:
        """Why a chat is refused, whatever the script says."""
        if self._lacks_key(call):
            return Fault.WRONG_KEY
        return None if self._has(call) else Fault.MODEL_NOT_FOUND

    def tell(self, method: str, call: ModelCall) -> Script:
        """The answer to a request that is not for a chat."""
        wire = wire_for(call)
        if call.path not in METHODS:
            return wire.problem(404, f"there is no {call.path}")
        if ("GET" if method == "HEAD" else method) != METHODS[call.path]:
            return wire.problem(405, f"{call.path} takes {METHODS[call.path]}")
        if self._lacks_key(call):
            return wire.refusal(Fault.WRONG_KEY)
        match call.path:
            case "/":
                return Script([GREETING], content_type="text/plain; charset=utf-8", length=len(GREETING))
            case "/v1/models":
                return document(list_models(self.models, self.window))
            case "/api/tags":
                return document(list_tags(self.models))
            case "/api/version":
                return document({"version": self.version})
        known = self._has(call)
        return (
            document(describe_model(self.window, self.capabilities)) if known else wire.refusal(Fault.MODEL_NOT_FOUND)
        )

    def _lacks_key(self, call: ModelCall) -> bool:
        return self.key is not None and call.headers.get("authorization") != f"Bearer {self.key}"

    def _has(self, call: ModelCall) -> bool:
        """Whether a request is for one of the models; Ollama's may leave out the tag `latest`."""
        return call.model in self.models or (call.api == "ollama" and f"{call.model}:latest" in self.models)


def wire_for(call: ModelCall) -> Wire:
    """What writes the answer to a call."""
    return OpenAIWire(call) if call.api == "openai" else OllamaWire(call)


def document(told: dict[str, Any]) -> Script:
    """A JSON document."""
    body = encode(told)
    return Script([body], content_type=f"{JSON}; charset=utf-8", length=len(body))
