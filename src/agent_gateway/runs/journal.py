"""The effect journal: a row is the intent before an effect, and gets its outcome after."""

from __future__ import annotations

import hashlib
import sqlite3
from functools import partial
from typing import Any

import msgspec
import structlog

from agent_gateway.approval import EffectRecord
from agent_gateway.errors import Conflict, InvalidInput, NotFound
from agent_gateway.runs.approval_changes import spend_approval
from agent_gateway.runs.audit_chain import AuditChain
from agent_gateway.runs.commits import GroupCommit
from agent_gateway.runs.database import Database
from agent_gateway.runs.identifiers import Moment, moment_of
from agent_gateway.runs.live import LiveRuns
from agent_gateway.tool import Outcome, Target, ToolResult

_FIELDS = EffectRecord.__struct_fields__
_SELECT = f"SELECT {', '.join(_FIELDS)} FROM effects WHERE key = ?"  # noqa: S608 the columns are the fields of a struct
_INSERT = f"INSERT INTO effects ({', '.join(_FIELDS)}, digest) VALUES ({', '.join('?' * len(_FIELDS))}, ?)"  # noqa: S608 as above
_ABANDONED = (
    "SELECT key, call_id, tool FROM effects LEFT JOIN runs ON runs.id = effects.run_id WHERE effects.outcome = ''"
    " AND (runs.id IS NULL OR runs.status NOT IN ('running', 'waiting', 'interrupted')) ORDER BY begun_at"
)
_CUT_OFF = (
    "The gateway was cut off while this was being done, after its turn had ended. Whether anything was changed is not"
    " known: look at the targets."
)
_TARGETS = msgspec.json.Decoder(tuple[Target, ...])
_RESULT = msgspec.json.Decoder(ToolResult)

_log = structlog.get_logger(__name__)


class SqliteJournal:
    """The `Journal` of a gateway."""

    def __init__(self, database: Database, commits: GroupCommit, lives: LiveRuns) -> None:
        self._database = database
        self._commits = commits
        self._lives = lives

    async def find(self, key: str) -> EffectRecord | None:
        """The effect with this idempotency key."""
        return await self._database.read(partial(find_effect, key=key))

    async def begin(self, record: EffectRecord) -> bool:
        """Store the intent row, and spend the approval it names in the same transaction; durable on return.

        False when there is a row with this key already: somebody else has begun this effect. `Conflict` with code
        `approval_spent` when the approval is not approved any more, `run_ended` when the run is over; `InvalidInput`
        when the record cannot be stored.
        """
        live = self._lives.find(record.run_id)
        if live is not None and live.sealed:
            raise Conflict(f"run {record.run_id!r} has ended already", code="run_ended")
        return await self._commits.perform(
            partial(begin_effect, chain=self._commits.chain, record=record, row=_row_of(record), now=self._now())
        )

    async def finish(self, key: str, outcome: Outcome, result: ToolResult) -> None:
        """Store the outcome row; durable on return. One that is known is not changed, `unknown` may become known.

        `NotFound` when no effect with this key was begun.
        """
        found = await self._commits.perform(
            partial(
                finish_effect,
                chain=self._commits.chain,
                key=key,
                end=(outcome, _encode(result), result.status),
                now=self._now(),
            )
        )
        if not found:
            raise NotFound(f"no effect {key!r} was begun", code="effect_not_found")

    async def give_up(self) -> int:
        """Record `unknown` for effects that were cut off and whose runs will not look them up any more; how many.

        To be called at the start, when nothing is going on yet. A waiting or interrupted run looks its effects up.
        """
        # After everything that was stored before: ends of runs among that.
        abandoned = await self._commits.perform(partial(give_up_effects, chain=self._commits.chain, now=self._now()))
        for key, tool in abandoned:
            _log.warning("effect_given_up", key=key, tool=tool, hint=_CUT_OFF)
        return len(abandoned)

    def _now(self) -> Moment:
        return moment_of(self._commits.clock.now())


def find_effect(connection: sqlite3.Connection, *, key: str) -> EffectRecord | None:
    """The effect, as it is stored."""
    row = connection.execute(_SELECT, (key,)).fetchone()
    if row is None:
        return None
    fields = dict(zip(_FIELDS, row, strict=True))
    fields["arguments"] = msgspec.json.decode(fields["arguments"])
    fields["targets"] = _TARGETS.decode(fields["targets"])
    fields["result"] = None if fields["result"] is None else _RESULT.decode(fields["result"])
    return EffectRecord(**fields)


def give_up_effects(connection: sqlite3.Connection, *, chain: AuditChain, now: Moment) -> list[tuple[str, str]]:
    """End the effects without an outcome that belong to no run that goes on; returns key and tool of each."""
    abandoned = connection.execute(_ABANDONED).fetchall()
    for key, call_id, tool in abandoned:
        result = ToolResult(call_id=call_id, name=tool, status="failed", text=_CUT_OFF)
        finish_effect(connection, chain=chain, key=key, end=("unknown", _encode(result), result.status), now=now)
    return [(key, tool) for key, _, tool in abandoned]


def has_open_effects(connection: sqlite3.Connection, *, run_id: str) -> bool:
    """Whether effects of a run were begun and have no outcome."""
    (found,) = connection.execute(
        "SELECT count(*) FROM effects WHERE run_id = ? AND outcome = ''", (run_id,)
    ).fetchone()
    return bool(found)


def begin_effect(
    connection: sqlite3.Connection, *, chain: AuditChain, record: EffectRecord, row: tuple[Any, ...], now: Moment
) -> bool:
    """Store the intent, if nobody has; all or nothing."""
    if find_effect(connection, key=record.key) is not None:
        return False
    if record.approval:
        spend_approval(connection, approval_id=record.approval, run_id=record.run_id, call_id=record.call_id, now=now)
    connection.execute(_INSERT, row)
    more = {"arguments_digest": row[-1], "targets": record.targets, "approval": record.approval}
    chain.append(connection, now.text, "effect_begun", _described(record) | more | {"approver": record.approver})
    return True


def finish_effect(
    connection: sqlite3.Connection, *, chain: AuditChain, key: str, end: tuple[Outcome, str, str], now: Moment
) -> bool:
    """Store an outcome: what it is, the encoded result, and how that ended. False without an intent."""
    record = find_effect(connection, key=key)
    if record is None:
        return False
    outcome, result, status = end
    changed = connection.execute(
        "UPDATE effects SET outcome = ?, result = ?, ended_at = ? WHERE key = ? AND outcome IN ('', 'unknown')",
        (outcome, result, now.text, key),
    )
    if changed.rowcount:
        chain.append(connection, now.text, "effect_ended", _described(record) | {"outcome": outcome, "status": status})
        # The conversation may have been deleted meanwhile.
        connection.execute(
            "UPDATE effects SET arguments = '{}', result = NULL WHERE key = ? AND forgotten = 1",
            (key,),
        )
    return True


def _described(record: EffectRecord) -> dict[str, Any]:
    """What the audit log says of an effect: names, and nothing that a person wrote."""
    names = {"effect": record.key, "run": record.run_id, "call": record.call_id, "tool": record.tool}
    return {**names, "persona": record.persona, "requester": record.requester}


def _row_of(record: EffectRecord) -> tuple[Any, ...]:
    arguments, targets = _encode(record.arguments), _encode(record.targets)
    result = None if record.result is None else _encode(record.result)
    encoded = {"arguments": arguments, "targets": targets, "result": result}
    values = [encoded[name] if name in encoded else getattr(record, name) for name in _FIELDS]
    _encode(values)
    return (*values, hashlib.sha256(arguments.encode()).hexdigest())


def _encode(value: Any) -> str:
    try:
        return msgspec.json.encode(value, order="deterministic").decode()
    except (TypeError, UnicodeEncodeError) as error:
        raise InvalidInput(f"the effect cannot be stored: {error}") from error
