"""Which adapter talks to a model."""

from __future__ import annotations

from collections.abc import Mapping

from agent_gateway.completion import ChatModel, ModelProvider, ModelSpec
from agent_gateway.models.direct_chat_model import DirectChatModel


def open_chat_model(spec: ModelSpec, providers: Mapping[str, ModelProvider]) -> ChatModel:
    """The connection to a model: its plugin's when there is one for its provider, else direct or through LiteLLM.

    The first through LiteLLM imports it, which takes seconds: not for the event loop.
    """
    provider = providers.get(spec.provider)
    if provider is not None:
        return provider.connect(spec)
    if spec.direct:
        return DirectChatModel(spec)
    from agent_gateway.models.litellm_chat_model import LitellmChatModel  # noqa: PLC0415 - takes seconds to import
    from agent_gateway.models.litellm_rehearsal import rehearse  # noqa: PLC0415 - as above

    rehearse(spec.provider)
    return LitellmChatModel(spec)
