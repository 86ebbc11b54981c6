"""The test kit for plugins: a real gateway over HTTP, with light, predictable parts. Public, see docs/testing.md."""

from __future__ import annotations

from agent_gateway.testing.classifier import StaticClassifier
from agent_gateway.testing.encoder import HashingEncoder
from agent_gateway.testing.gateway import GatewayClient, gateway_for
from agent_gateway.testing.knowledge import StaticKnowledge, passage
from agent_gateway.testing.model import ScriptedModel
from agent_gateway.testing.model_replies import Fault, ModelCall, Reply
from agent_gateway.testing.scripted_server import ScriptedModelServer

__all__ = [
    "Fault",
    "GatewayClient",
    "HashingEncoder",
    "ModelCall",
    "Reply",
    "ScriptedModel",
    "ScriptedModelServer",
    "StaticClassifier",
    "StaticKnowledge",
    "gateway_for",
    "passage",
]
