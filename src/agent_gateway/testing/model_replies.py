"""What a scripted model server says, how it fails, and what it was asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Any, Literal, TypeAlias

Api = Literal["openai", "ollama"]
#: Where chats are asked for.
CHATS = ("/v1/chat/completions", "/api/chat")
#: Pieces that together are the text again: each word with the space before it.
WORDS = re.compile(r"\s*\S+|\s+$")


class Fault(StrEnum):
    """How an answer goes wrong. A server that refuses connections is one that was stopped."""

    #: The connection is accepted, and the request is neither read to its end nor answered.
    BLACK_HOLE = "black_hole"
    #: The request is read and never answered.
    NO_HEADERS = "no_headers"
    #: The headers of an answer, then silence.
    NO_FIRST_BYTE = "no_first_byte"
    #: `pieces_before_fault` pieces, then silence.
    STALL = "stall"
    #: `pieces_before_fault` pieces, then the connection is reset.
    CUT = "cut"
    #: `pieces_before_fault` pieces, then the HTTP body ends as it should, and the answer does not.
    NO_TERMINAL = "no_terminal"
    #: `pieces_before_fault` pieces, a line that is no JSON, and the rest.
    MALFORMED_JSON = "malformed_json"
    #: `pieces_before_fault` pieces, a line cut within a character, then the HTTP body and the connection end cleanly.
    HALF_UTF8 = "half_utf8"
    #: `pieces_before_fault` pieces, then one line of 100 MB, as fast as the client reads.
    HUGE_LINE = "huge_line"
    #: The whole answer, and its end twice.
    TWO_TERMINALS = "two_terminals"
    #: The text, the first tool call up to the middle of its arguments, then the HTTP body and the connection end.
    CUT_TOOL_CALL = "cut_tool_call"
    #: 200 and a web page.
    WRONG_CONTENT_TYPE = "wrong_content_type"
    #: 429.
    RATE_LIMIT = "rate_limit"
    #: 429 with `Retry-After: retry_after`.
    RATE_LIMIT_RETRY_AFTER = "rate_limit_retry_after"
    #: 500.
    SERVER_ERROR = "server_error"
    #: 503.
    UNAVAILABLE = "unavailable"
    #: 404; what a request for a model that the server does not have gets anyway.
    MODEL_NOT_FOUND = "model_not_found"
    #: 400.
    CONTEXT_TOO_LONG = "context_too_long"
    #: 401; what a request without the server's key gets anyway.
    WRONG_KEY = "wrong_key"
    #: 400 for a request with tools; others are answered.
    NO_TOOLS = "no_tools"
    #: 400 for a request with `response_format` or `format`; others are answered.
    NO_SCHEMA = "no_schema"


@dataclass
class ModelCall:
    """A request. Header names are in lower case; times are the event loop's, in seconds.

    `disconnected_at`: when the client went away before it had the whole answer. `body` is empty in a black hole.
    """

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    api: Api
    at: float
    disconnected_at: float | None = None

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation, as it was sent."""
        return list(self.body.get("messages") or ())

    @property
    def model(self) -> str:
        """The model that was asked for."""
        return str(self.body.get("model") or self.body.get("name") or "")

    @property
    def streams(self) -> bool:
        """Whether the answer is to come in pieces; Ollama's own API does that unless told not to."""
        return bool(self.body.get("stream", self.api == "ollama"))

    @property
    def has_schema(self) -> bool:
        """Whether the answer is to follow a format."""
        return bool(self.body.get("format" if self.api == "ollama" else "response_format"))


@dataclass(frozen=True)
class Reply:
    """One answer. A text is streamed word by word, a sequence piece by piece; a tool call is a name and arguments.

    Arguments that are text are sent as they stand, broken JSON too. `usage` counts the tokens of prompt and answer;
    without one its words are counted, with None nothing is said. `finish` is `stop` or `tool_calls` unless given.
    `delay` are the seconds before the headers, `pause` those between two pieces. `split` cuts a stream into HTTP chunks
    of so many bytes, wherever that falls. `retry_after` is a number of seconds or an HTTP date.
    """

    text: str | Sequence[str] = ""
    _: KW_ONLY
    tool_calls: Sequence[tuple[str, Mapping[str, Any] | str]] = ()
    usage: tuple[int, int] | Literal["words"] | None = "words"
    finish: str | None = None
    delay: float = 0.0
    pause: float = 0.0
    split: int = 0
    fault: Fault | None = None
    pieces_before_fault: int = 1
    retry_after: float | str = 1

    def __post_init__(self) -> None:
        if self.fault is Fault.CUT_TOOL_CALL and not self.tool_calls:
            raise ValueError("there is no tool call to cut: give tool_calls")
        if min(self.pieces_before_fault, self.split, self.delay, self.pause) < 0:
            raise ValueError("pieces_before_fault, split, delay and pause are not negative")

    @property
    def pieces(self) -> list[str]:
        """The text as it is streamed."""
        return WORDS.findall(self.text) if isinstance(self.text, str) else list(self.text)

    @property
    def whole_text(self) -> str:
        """The text in one."""
        return self.text if isinstance(self.text, str) else "".join(self.text)

    def counted(self, call: ModelCall) -> tuple[int, int] | None:
        """Tokens of prompt and answer; None when the server does not say."""
        if self.usage != "words":
            return self.usage
        asked = sum(len(str(message.get("content") or "").split()) for message in call.messages)
        said = len(self.pieces) + sum(1 + len(str(arguments).split()) for _, arguments in self.tool_calls)
        return asked, said


#: Answers in their order, the last one again and again; or what to answer a call.
Replies: TypeAlias = Sequence[Reply] | Callable[[ModelCall], Reply]


class ReplyScript:
    """Whose turn it is among the replies."""

    def __init__(self, replies: Replies) -> None:
        if not callable(replies) and not replies:
            raise ValueError("there are no replies: give at least one")
        self._replies = replies
        self._taken = 0

    def take(self, call: ModelCall) -> Reply:
        """The reply to a call."""
        if callable(self._replies):
            return self._replies(call)
        self._taken += 1
        return self._replies[min(self._taken, len(self._replies)) - 1]

    def leads_nowhere(self) -> bool:
        """Whether the next request is not even to be read; a function has to see it first."""
        if callable(self._replies):
            return False
        return self._replies[min(self._taken, len(self._replies) - 1)].fault is Fault.BLACK_HOLE
