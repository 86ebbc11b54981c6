"""LangGraph's checkpointer: holds a turn's state while it runs, and makes bytes of it only where it stands still."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.types import Interrupt

from agent_gateway.graph.build.stored_state import (
    FORMAT,
    StoredCheckpoint,
    StoredInterrupt,
    StoredState,
    decode,
    encode,
    pack_state,
    unpack_state,
)

_INTERRUPT = "__interrupt__"


class TurnSaver(BaseCheckpointSaver[int]):
    """Keeps the last checkpoint of each turn that is going on, by reference. `thread_id` is the run's id."""

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[str, tuple[Checkpoint, CheckpointMetadata]] = {}
        self._writes: dict[str, list[tuple[str, str, Any]]] = {}

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The last checkpoint of a turn."""
        run_id = _run_of(config)
        if run_id not in self._held:
            return None
        checkpoint, metadata = self._held[run_id]
        return CheckpointTuple(_config(run_id, checkpoint), checkpoint, metadata, None, self._writes.get(run_id, []))

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Hold a checkpoint; what was written for the one before belongs to the past."""
        del new_versions
        run_id = _run_of(config)
        self._held[run_id] = (checkpoint, metadata)
        self._writes[run_id] = []
        return _config(run_id, checkpoint)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Hold what a node wrote, an interrupt above all."""
        del task_path
        held = self._writes.setdefault(_run_of(config), [])
        held.extend((task_id, channel, value) for channel, value in writes)

    def export(self, run_id: str) -> bytes:
        """The bytes of a turn that stands still."""
        checkpoint, metadata = self._held[run_id]
        values = dict(checkpoint["channel_values"])
        state = {name: values.pop(name) for name in StoredState.__struct_fields__ if name in values}
        kept = {name: value for name, value in checkpoint.items() if name != "channel_values"}
        interrupts = tuple(
            StoredInterrupt(task=task, id=each.id, value=each.value)
            for task, channel, value in self._writes.get(run_id, ())
            if channel == _INTERRUPT
            for each in value
        )
        return encode(
            StoredCheckpoint(
                format=FORMAT,
                state=pack_state(state),
                branches=values,
                bookkeeping=kept,
                metadata=dict(metadata),
                interrupts=interrupts,
            )
        )

    def load(self, run_id: str, data: bytes) -> None:
        """Hold what `export` gave, in another process perhaps."""
        stored = decode(data)
        checkpoint: Any = {**stored.bookkeeping, "channel_values": {**stored.branches, **unpack_state(stored.state)}}
        metadata: Any = stored.metadata
        self._held[run_id] = (checkpoint, metadata)
        self._writes[run_id] = [
            (each.task, _INTERRUPT, (Interrupt(value=each.value, id=each.id),)) for each in stored.interrupts
        ]

    def interrupts(self, run_id: str) -> tuple[str, ...]:
        """The ids of the places where a turn stands still."""
        return tuple(
            each.id for _, channel, value in self._writes.get(run_id, ()) if channel == _INTERRUPT for each in value
        )

    def drop(self, run_id: str) -> None:
        """The turn does not go on here."""
        self._held.pop(run_id, None)
        self._writes.pop(run_id, None)


def _run_of(config: RunnableConfig) -> str:
    run_id: str = config["configurable"]["thread_id"]
    return run_id


def _config(run_id: str, checkpoint: Checkpoint) -> RunnableConfig:
    return {"configurable": {"thread_id": run_id, "checkpoint_ns": "", "checkpoint_id": checkpoint["id"]}}
