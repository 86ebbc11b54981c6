"""What the endpoints take and give that no other part of the gateway knows: the JSON of the HTTP interface."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from agent_gateway.approval import Approval, EffectRecord, HumanDecision
from agent_gateway.interfaces import Passage
from agent_gateway.messages import ConversationSummary

#: Longest message and query, in characters.
TEXT_LIMIT = 32_000
# What `bodies.check_text` refuses, for the document. The long limit is in words: as `maxLength` beside a pattern it
# makes generators of test data build an expression of 32,000 repetitions.
_NOT_BLANK = {"pattern": r"^\s*[^\s\u0000][^\u0000]*$"}
_AT_MOST = f"at most {TEXT_LIMIT} characters"

Text = Annotated[str, Meta(description=_AT_MOST, extra_json_schema=_NOT_BLANK)]
Name = Annotated[str, Meta(min_length=1, max_length=128, extra_json_schema=_NOT_BLANK)]
#: JSON knows one kind of number: 10.0 is as whole as 10.
PageSize = Annotated[float, Meta(ge=1, le=100, multiple_of=1)]


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message; `conversation_id` continues a conversation, `stream` asks for Server-Sent Events."""

    message: Text
    conversation_id: Name | None = None
    stream: bool = False


class SearchRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to look for in one collection."""

    query: Text
    collection: Name
    limit: PageSize = 10


class SearchHit(msgspec.Struct, frozen=True, kw_only=True):
    """A passage: `source` is the path relative to the ingested folder, `chunk` counts from 0, `score` is 0 to 1."""

    text: str
    source: str
    title: str
    chunk: int
    score: float

    @classmethod
    def of(cls, passage: Passage) -> SearchHit:
        """Show a passage."""
        shown = {name: getattr(passage, name) for name in cls.__struct_fields__}
        return cls(**shown)


class SearchReply(msgspec.Struct, frozen=True, kw_only=True):
    """Passages, best first, and whether they answer the query at all."""

    passages: tuple[SearchHit, ...]
    answerable: bool


class PageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list; `before` is the `next_before` of the page in front."""

    limit: PageSize = 50
    before: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,20}Z$")] | None = None


class ConversationPage(msgspec.Struct, frozen=True, kw_only=True):
    """Conversations, newest first; `next_before` leads to the next page and is null on the last."""

    conversations: tuple[ConversationSummary, ...]
    next_before: str | None


class PersonaView(msgspec.Struct, frozen=True, kw_only=True):
    """A persona as its users see it."""

    id: str
    title: str
    intents: tuple[str, ...]
    collections: tuple[str, ...]
    port: int


class PersonaEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A persona in the list: `url` is its path on the gateway port, `status` ready, starting or disabled: why."""

    id: str
    title: str
    port: int
    url: str
    status: str


class PersonaList(msgspec.Struct, frozen=True, kw_only=True):
    """Every persona of this gateway."""

    personas: tuple[PersonaEntry, ...]


class Liveness(msgspec.Struct, frozen=True, kw_only=True):
    """The process runs."""

    status: Literal["alive"] = "alive"


class ReadinessReport(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the gateway can answer, and the state of each of its parts."""

    status: Literal["ready", "starting", "draining"]
    parts: dict[str, str]


class RouteRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message whose route is to be explained."""

    message: Text
    persona: Name


class IngestRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file or folder on the gateway's machine, and the collection it goes to."""

    path: Annotated[str, Meta(min_length=1, max_length=4096)]
    collection: Name


class ForgetReply(msgspec.Struct, frozen=True, kw_only=True):
    """How many remembered interactions matched; they are gone unless it was a `dry_run`."""

    matching: int
    dry_run: bool


class ApprovalsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which approvals to list, newest first."""

    status: Literal["pending", "all"] = "pending"
    limit: PageSize = 50


class ApprovalList(msgspec.Struct, frozen=True, kw_only=True):
    """Approvals, newest first."""

    approvals: tuple[Approval, ...]


class ApprovalReport(msgspec.Struct, frozen=True, kw_only=True):
    """An approval, the journal's record of its call once that is begun, and how its run stands."""

    approval: Approval
    effect: EffectRecord | None = None
    run_status: str = ""
    response: str = ""


class DecisionRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A decision on one approval. `comment` is for the run, and for the audit log; an `ask_human` is answered by it."""

    decision: HumanDecision
    comment: Text | None = None


class ToolView(msgspec.Struct, frozen=True, kw_only=True):
    """A tool of a persona. `effect`: read, write, or depends on the arguments.

    `writes`: what the persona's policy makes of them; a tool's own rule may be stricter, and calls that a model chose
    after reading are asked about all the same. `parameters` is a JSON schema.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    effect: Literal["read", "write", "depends"]
    writes: Literal["never", "deny", "ask", "auto"]
    intents: tuple[str, ...]
    timeout_seconds: float
    output_limit: int
    previews: bool
    verifies: bool
    idempotent: bool


class ToolList(msgspec.Struct, frozen=True, kw_only=True):
    """The tools of a persona."""

    tools: tuple[ToolView, ...]
