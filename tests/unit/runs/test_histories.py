from __future__ import annotations

from agent_gateway.messages import Exchange
from agent_gateway.runs.histories import IDLE_LENGTH, ConversationState, Histories


def state(number: int) -> ConversationState:
    return ConversationState((f"conv_{number}", "bruno", "local", "title", "2026"), "2026")


async def test_conversations_in_use_stay_and_idle_ones_leave_oldest_first() -> None:
    histories = Histories(idle_limit=2)
    busy, *others = [state(number) for number in range(5)]
    histories.acquire(busy)
    for other in others:
        histories.acquire(other)
        histories.release(other)
    assert [found is not None for found in map(histories.find, [f"conv_{number}" for number in range(5)])] == [
        True,
        False,
        False,
        True,
        True,
    ]
    histories.acquire(busy)
    histories.release(busy)
    assert histories.find("conv_0") is busy
    histories.release(busy)
    assert histories.find("conv_3") is None
    assert len(histories) == 2


async def test_conversation_with_huge_messages_is_not_kept() -> None:
    histories = Histories()
    huge = state(0)
    histories.acquire(huge)
    huge.add("1", Exchange(message="x" * IDLE_LENGTH, response="response"))
    assert histories.find("conv_0") is huge
    histories.release(huge)
    assert histories.find("conv_0") is None


async def test_history_is_ordered_by_the_start_of_the_turns() -> None:
    conversation = state(0)
    for created_at in ("3", "1", "2"):
        conversation.add(created_at, Exchange(message=f"message {created_at}", response="response"))
    assert [exchange.message for exchange in conversation.history(before="3")] == ["message 1", "message 2"]
