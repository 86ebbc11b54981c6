"""The floor: answers composed of the documents' own sentences, each with its source, without any model."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from agent_gateway.interfaces import Generation, GenerationRequest, Passage, Sentence
from agent_gateway.messages import Citation
from agent_gateway.models.talk import explain_absence, note_inability, reply_to_talk

#: Sentences are taken, best first, until they hold this share of the probability that one of them is the answer.
ENOUGH = 0.97
MOST_SENTENCES = 5
FEWEST_SENTENCES = 1
#: A sentence shorter than this is a label or a remnant, and an answer only where there is nothing else.
SHORTEST = 12


@dataclass(frozen=True)
class _Choice:
    passage: int
    sentence: Sentence
    text: str


class ExtractiveModel:
    """Writes an answer from the passages' sentences, in reading order, each followed by `[n]`."""

    async def generate(self, request: GenerationRequest) -> AsyncIterator[Generation]:
        """Stream the answer; small talk and "not in the knowledge base" come from the persona itself."""
        if request.intent.category == "chat" and not request.answerable:
            yield Generation(reply_to_talk(request))
            return
        if note := note_inability(request):
            yield Generation(note)
        choices = choose_sentences(request.passages) if request.answerable else []
        if not choices:
            yield Generation((" " if note else "") + explain_absence(request))
            return
        separator = "\n\n" if note else ""
        numbers: dict[int, int] = {}
        for choice in choices:
            passage = request.passages[choice.passage]
            fresh = choice.passage not in numbers
            number = numbers.setdefault(choice.passage, len(numbers) + 1)
            block = "\n" in choice.text or choice.text.startswith("|")
            if separator == " " and block:
                separator = "\n"
            yield Generation(f"{separator}{choice.text}{chr(10) if block else ' '}[{number}]")
            if fresh:
                yield Generation(citation=_cite(number, passage))
            separator = "\n" if block else " "


def choose_sentences(passages: Sequence[Passage]) -> list[_Choice]:
    """The sentences most likely to answer, in reading order: best passage's document first, then by position."""
    found: dict[str, _Choice] = {}
    for number, passage in enumerate(passages):
        for sentence in passage.sentences:
            text = passage.text[sentence.start : sentence.end]
            known = found.get(text)
            if known is None or known.sentence.score < sentence.score:
                found[text] = _Choice(number, sentence, text)
    whole = [choice for choice in found.values() if len(choice.text) >= SHORTEST]
    ranked = sorted(whole or found.values(), key=lambda choice: -choice.sentence.score)
    best = ranked[0].sentence.score if ranked else 0.0
    odds = [math.exp(choice.sentence.score - best) for choice in ranked]
    kept: list[_Choice] = []
    share = 0.0
    for choice, odd in zip(ranked[:MOST_SENTENCES], odds, strict=False):
        if len(kept) >= FEWEST_SENTENCES and share >= ENOUGH:
            break
        kept.append(choice)
        share += odd / sum(odds)
    return _in_reading_order(kept, passages)


def _in_reading_order(kept: Sequence[_Choice], passages: Sequence[Passage]) -> list[_Choice]:
    first: dict[tuple[str, str], int] = {}
    for choice in kept:
        passage = passages[choice.passage]
        first.setdefault((passage.collection, passage.source), len(first))

    def place(choice: _Choice) -> tuple[int, int, int]:
        passage = passages[choice.passage]
        return first[passage.collection, passage.source], passage.chunk, choice.sentence.start

    return sorted(kept, key=place)


def _cite(number: int, passage: Passage) -> Citation:
    return Citation(n=number, source=passage.source, title=passage.title, chunk=passage.chunk, score=passage.score)
