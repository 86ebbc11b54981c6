from __future__ import annotations

import pytest

from agent_gateway.graph.writing.thinking import ThoughtFilter


def answer_of(reply: str, size: int) -> str:
    thoughts = ThoughtFilter()
    shown = "".join(thoughts.feed(reply[at : at + size]) for at in range(0, len(reply), size))
    return shown + thoughts.finish()


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("<think>Where were they?\nAh.</think>\n\nIn the drawer [1].", "In the drawer [1]."),
        ("\n <think>a < b </thin k></think>Yes.", "Yes."),
        ("<think></think>Yes.", "Yes."),
        ("<think>I never stop", ""),
        ("Plain <think>text</think> is shown.", "Plain <think>text</think> is shown."),
        ("<thinking> is another word.", "<thinking> is another word."),
        ("<thi", "<thi"),
        (" ", " "),
        ("", ""),
    ],
)
def test_thoughts_before_an_answer_are_left_out(reply: str, answer: str, size: int) -> None:
    # White space before an answer is dropped later, whoever wrote it.
    assert answer_of(reply, size).lstrip() == answer.lstrip()


def test_an_answer_without_thoughts_is_not_held_back() -> None:
    thoughts = ThoughtFilter()
    assert thoughts.feed("In") == "In"
    assert thoughts.feed(" the") == " the"
