"""The Protocols through which the parts of the house meet; nobody imports a sibling.

Vectors are float32, unit length; a batch has shape (n, dimensions).
"""

from __future__ import annotations

from agent_gateway.interfaces.approvals import ApprovalDecision, ApprovalQuery, Approvals, Audit, Journal
from agent_gateway.interfaces.checkpoints import Checkpoints
from agent_gateway.interfaces.clusters import ApiRequest, ApiResponse, Cluster, Clusters
from agent_gateway.interfaces.completions import (
    CompletionPiece,
    Completions,
    CompletionTask,
    Ledger,
    ModelReport,
    ModelUse,
    Standing,
)
from agent_gateway.interfaces.memories import Forgetting, Interaction, Undelivered
from agent_gateway.interfaces.routing import Failure, RouteCase, RouteChoice, RouteExplanation, RoutePolicy, Step
from agent_gateway.interfaces.runs import Runs, TurnRequest
from agent_gateway.interfaces.search import (
    CollectionInfo,
    Ingestion,
    IngestProgress,
    Knowledge,
    Passage,
    SearchQuery,
    SearchResult,
    Sentence,
    Vector,
)
from agent_gateway.interfaces.tools import Tools
from agent_gateway.interfaces.turn import (
    Agent,
    ApprovalPending,
    Classifier,
    Context,
    Emit,
    Encoder,
    Generation,
    GenerationRequest,
    Model,
    PendingCall,
    Readiness,
    Stage,
    TurnState,
)

__all__ = [
    "Agent",
    "ApiRequest",
    "ApiResponse",
    "ApprovalDecision",
    "ApprovalPending",
    "ApprovalQuery",
    "Approvals",
    "Audit",
    "Checkpoints",
    "Classifier",
    "Cluster",
    "Clusters",
    "CollectionInfo",
    "CompletionPiece",
    "CompletionTask",
    "Completions",
    "Context",
    "Emit",
    "Encoder",
    "Failure",
    "Forgetting",
    "Generation",
    "GenerationRequest",
    "IngestProgress",
    "Ingestion",
    "Interaction",
    "Journal",
    "Knowledge",
    "Ledger",
    "Model",
    "ModelReport",
    "ModelUse",
    "Passage",
    "PendingCall",
    "Readiness",
    "RouteCase",
    "RouteChoice",
    "RouteExplanation",
    "RoutePolicy",
    "Runs",
    "SearchQuery",
    "SearchResult",
    "Sentence",
    "Stage",
    "Standing",
    "Step",
    "Tools",
    "TurnRequest",
    "TurnState",
    "Undelivered",
    "Vector",
]
