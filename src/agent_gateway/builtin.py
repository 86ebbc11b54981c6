"""The built-in plugin: six intents and a tool that every gateway has, through the same hooks as anybody's."""

from __future__ import annotations

from pathlib import Path

from agent_gateway.builtin_tools import ask_human, knowledge_search
from agent_gateway.hookspecs import hookimpl
from agent_gateway.intent import IntentDefinition
from agent_gateway.tool import Tool

LOOKING_UP = knowledge_search.name
EXAMPLES = Path(__file__).parent / "data" / "intents"


def define(name: str, summary: str, *collections: str, tools: tuple[str, ...] = (LOOKING_UP,)) -> IntentDefinition:
    """Make the definition of an intent whose examples come with the gateway."""
    return IntentDefinition(
        name=name,
        summary=summary,
        examples=EXAMPLES / f"{name}.jsonl",
        collections=tuple(collections),
        tools=tools,
    )


@hookimpl
def register_tools() -> list[Tool]:
    """Add what every persona may list."""
    return [knowledge_search, ask_human]


@hookimpl
def register_intents() -> list[IntentDefinition]:
    """Add the six categories of messages; each summary completes "I can ..."."""
    documents = ("homelab-docs", "ml-workflows", "agent-interactions")
    return [
        define(
            "deploy",
            "explain how to roll out, roll back, scale or restart what runs, following the deployment policy",
            "deployment-history",
            "homelab-docs",
        ),
        define("query", "look up facts, runbooks and procedures in the documents", *documents),
        define(
            "troubleshoot",
            "help to find out why something is broken, from runbooks and earlier incidents",
            "incident-history",
            "homelab-docs",
        ),
        define("analyze", "explain how to compare, group or forecast data, and where it comes from", *documents),
        define(
            "train",
            "explain how models are trained, evaluated and repeated",
            "ml-workflows",
            "ml-experiments",
        ),
        define("chat", "talk about what I do and how to use me", *documents, tools=()),
    ]
