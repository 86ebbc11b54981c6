from __future__ import annotations

import asyncio
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from agent_gateway.graph.intent_fit import CHARACTERS_PER_ERROR, Examples, fit_head, misspell
from agent_gateway.graph.intent_head import IntentHead, load_head
from agent_gateway.intent import IntentExample
from agent_gateway.testing import HashingEncoder

OBJECTS = ("gateway", "printer", "lamp", "database", "mailbox", "camera", "router", "oven")


def examples_of(*verbs: str, depth: int = 0, accuracy: int = 1) -> tuple[IntentExample, ...]:
    return tuple(
        IntentExample(
            text=f"{verb} the {thing}",
            complexity="high" if depth else "low",
            reasoning_depth=depth,
            accuracy_requirement=accuracy,
        )
        for verb in verbs
        for thing in OBJECTS
    )


TINY = Examples(
    {
        "change": examples_of("restart", "upgrade", accuracy=2),
        "look": examples_of("describe", "where is", accuracy=1),
        "explain": examples_of("why broke", "what caused trouble with", depth=3),
    },
    tuple(f"sing about {thing} and rain" for thing in OBJECTS),
)


def vectors_of(texts: list[str]) -> NDArray[np.float32]:
    async def encode() -> list[NDArray[np.float32]]:
        encoder = HashingEncoder()
        return [await encoder.encode(text) for text in texts]

    return np.stack(asyncio.run(encode()))


def fit(examples: Examples, path: Path) -> IntentHead:
    fit_head(examples, vectors_of(examples.texts()), str(path), "digest")
    found = load_head(path, "digest")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> IntentHead:
    return fit(TINY, tmp_path_factory.mktemp("head") / "head.npz")


@pytest.mark.parametrize(
    ("text", "category", "depth", "accuracy"),
    [
        ("restart the dishwasher", "change", 0, 2),
        ("please upgrade my kettle", "change", 0, 2),
        ("where is the dishwasher", "look", 0, 1),
        ("what caused trouble with the kettle", "explain", 3, 1),
    ],
)
def test_a_few_examples_teach_what_was_not_among_them(
    fitted: IntentHead, text: str, category: str, depth: int, accuracy: int
) -> None:
    intent = fitted.predict(text, vectors_of([text])[0], ())
    assert (intent.category, intent.reasoning_depth, intent.accuracy_requirement) == (category, depth, accuracy)
    assert intent.complexity == ("high" if depth else "low")
    assert intent.confidence > 0.5


def test_what_is_out_of_scope_is_unsure(fitted: IntentHead) -> None:
    inside, outside = "restart the kettle", "sing about the kettle and rain"
    sure = fitted.predict(inside, vectors_of([inside])[0], ()).confidence
    assert fitted.predict(outside, vectors_of([outside])[0], ()).confidence < 0.5 < sure


def test_a_fit_is_reproducible_and_leaves_nothing_half_written(fitted: IntentHead, tmp_path: Path) -> None:
    again = fit(TINY, tmp_path / "again.npz")
    (vector,) = vectors_of(["upgrade the lamp"])
    assert again.predict("upgrade the lamp", vector, ()) == fitted.predict("upgrade the lamp", vector, ())
    assert [path.name for path in tmp_path.iterdir()] == ["again.npz"]


@pytest.mark.parametrize("outside", [(), TINY.out_of_scope])
def test_a_single_intent_is_always_that_one(outside: tuple[str, ...], tmp_path: Path) -> None:
    head = fit(Examples({"look": examples_of("describe")}, outside), tmp_path / "head.npz")
    (vector,) = vectors_of(["describe the lamp"])
    intent = head.predict("describe the lamp", vector, ())
    assert (intent.category, intent.complexity, intent.reasoning_depth) == ("look", "low", 0)
    assert intent.confidence > 0.5


def test_two_intents_are_told_apart(tmp_path: Path) -> None:
    head = fit(Examples({"a": examples_of("restart"), "b": examples_of("describe")}, ()), tmp_path / "head.npz")
    for text, category in (("restart the lamp", "a"), ("describe the lamp", "b")):
        assert head.predict(text, vectors_of([text])[0], ()).category == category


def test_texts_are_the_examples_then_their_misspelt_copies_then_what_is_out_of_scope() -> None:
    texts = TINY.texts()
    plain = [each.text for group in TINY.intents.values() for each in group]
    assert texts[: len(plain)] == plain
    assert texts[2 * len(plain) :] == list(TINY.out_of_scope)
    copies = texts[len(plain) : 2 * len(plain)]
    assert sum(copy != text for copy, text in zip(copies, plain, strict=True)) > 0.7 * len(plain)
    assert TINY.texts() == texts


@given(st.text(max_size=200), st.integers(0, 2**32))
@example("", 0)
@example("ab", 0)
@example("1234567890" * 10, 0)
def test_a_misspelling_is_repeatable_and_small(text: str, seed: int) -> None:
    wrong = misspell(text, random.Random(seed))
    assert wrong == misspell(text, random.Random(seed))
    errors = max(1, len(text) // CHARACTERS_PER_ERROR)
    assert abs(len(wrong) - len(text)) <= errors
    assert set(wrong) <= set(text)
    if len(text) < 3 or not any(character.isalpha() for character in text):
        assert wrong == text


def test_a_typing_error_touches_letters_only() -> None:
    for seed in range(200):
        wrong = misspell("port 30121 of studio-2", random.Random(seed))
        assert [each for each in wrong if each.isdigit()] == list("301212")


def changed(**fields: object) -> Examples:
    return Examples(**{"intents": TINY.intents, "out_of_scope": TINY.out_of_scope, **fields})  # type: ignore[arg-type]  # each test gives fields of the right type


def test_the_digest_is_that_of_everything_that_is_learned() -> None:
    first = TINY.intents["change"][0]
    others = (
        IntentExample(f"{first.text}!", first.complexity, first.reasoning_depth, first.accuracy_requirement),
        IntentExample(first.text, "medium", first.reasoning_depth, first.accuracy_requirement),
        IntentExample(first.text, first.complexity, 1, first.accuracy_requirement),
        IntentExample(first.text, first.complexity, first.reasoning_depth, 0),
    )
    variants = [
        *(changed(intents={**TINY.intents, "change": (other, *TINY.intents["change"][1:])}) for other in others),
        changed(intents={("alter" if name == "change" else name): group for name, group in TINY.intents.items()}),
        changed(out_of_scope=TINY.out_of_scope[1:]),
        changed(out_of_scope=()),
    ]
    digests = {TINY.digest("encoder"), TINY.digest("encoder int8"), *(each.digest("encoder") for each in variants)}
    assert len(digests) == len(variants) + 2
    assert changed().digest("encoder") == TINY.digest("encoder")
