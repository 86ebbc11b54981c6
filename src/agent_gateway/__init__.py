"""The plugin author's API: `import agent_gateway as ag`. The gateway itself never imports this module's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_gateway.approval import Approval
from agent_gateway.completion import (
    ChatMessage,
    ChatModel,
    CompletionChunk,
    CompletionRequest,
    FunctionSchema,
    ModelInfo,
    ModelProvider,
    ModelSpec,
    Price,
    RequestBuilder,
    Timeouts,
    ToolRequest,
    Usage,
)
from agent_gateway.errors import (
    ConfigurationError,
    Conflict,
    Fault,
    Forbidden,
    GatewayError,
    InvalidInput,
    ModelFailed,
    NotFound,
    StorageFailed,
    Unavailable,
)
from agent_gateway.events import Event, EventData, StageFinished, StageStarted, Token
from agent_gateway.gist import Gist
from agent_gateway.hookspecs import Check, CheckResult, DocumentFolder, hookimpl, hookspec
from agent_gateway.intent import Intent, IntentDefinition, IntentExample
from agent_gateway.interfaces import (
    ApiRequest,
    ApiResponse,
    ApprovalPending,
    Cluster,
    Clusters,
    CompletionPiece,
    Context,
    Failure,
    Generation,
    GenerationRequest,
    Passage,
    PendingCall,
    SearchQuery,
    SearchResult,
    Sentence,
    Stage,
    Step,
    TurnState,
    Vector,
)
from agent_gateway.messages import (
    Answer,
    Citation,
    Exchange,
    Problem,
    Recollection,
    Role,
    Route,
    Run,
    Tier,
    ToolUse,
    TurnUsage,
)
from agent_gateway.persona import Persona, Policy
from agent_gateway.phrases import Phrases
from agent_gateway.plain_names import read_name
from agent_gateway.redaction import excerpt, known_secrets, redact
from agent_gateway.tool import (
    Outcome,
    PlainRequest,
    Preview,
    Recognition,
    Target,
    Tool,
    ToolCall,
    ToolResult,
    Verdict,
    Verification,
    Warrant,
    tool,
)
from agent_gateway.unseen import is_seen, show_unseen

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> str:
        """Look the version up when somebody asks: reading the installation's metadata takes a while."""
        if name == "__version__":
            from importlib.metadata import version  # noqa: PLC0415 - the root must stay cheap to import

            return version("agent-gateway")
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


__all__ = [
    "Answer",
    "ApiRequest",
    "ApiResponse",
    "Approval",
    "ApprovalPending",
    "ChatMessage",
    "ChatModel",
    "Check",
    "CheckResult",
    "Citation",
    "Cluster",
    "Clusters",
    "CompletionChunk",
    "CompletionPiece",
    "CompletionRequest",
    "ConfigurationError",
    "Conflict",
    "Context",
    "DocumentFolder",
    "Event",
    "EventData",
    "Exchange",
    "Failure",
    "Fault",
    "Forbidden",
    "FunctionSchema",
    "GatewayError",
    "Generation",
    "GenerationRequest",
    "Gist",
    "Intent",
    "IntentDefinition",
    "IntentExample",
    "InvalidInput",
    "ModelFailed",
    "ModelInfo",
    "ModelProvider",
    "ModelSpec",
    "NotFound",
    "Outcome",
    "Passage",
    "PendingCall",
    "Persona",
    "Phrases",
    "PlainRequest",
    "Policy",
    "Preview",
    "Price",
    "Problem",
    "Recognition",
    "Recollection",
    "RequestBuilder",
    "Role",
    "Route",
    "Run",
    "SearchQuery",
    "SearchResult",
    "Sentence",
    "Stage",
    "StageFinished",
    "StageStarted",
    "Step",
    "StorageFailed",
    "Target",
    "Tier",
    "Timeouts",
    "Token",
    "Tool",
    "ToolCall",
    "ToolRequest",
    "ToolResult",
    "ToolUse",
    "TurnState",
    "TurnUsage",
    "Unavailable",
    "Usage",
    "Vector",
    "Verdict",
    "Verification",
    "Warrant",
    "__version__",
    "excerpt",
    "hookimpl",
    "hookspec",
    "is_seen",
    "known_secrets",
    "read_name",
    "redact",
    "show_unseen",
    "tool",
]
