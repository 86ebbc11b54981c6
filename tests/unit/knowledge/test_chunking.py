from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_gateway.knowledge.blocks import Block, Document, fence, with_rule
from agent_gateway.knowledge.chunking import Chunk, ChunkSizes, chunk_document, text_to_embed
from agent_gateway.knowledge.sentences import split_sentences

SIZES = ChunkSizes()


def paragraph(length: int, word: str = "word") -> Block:
    sentence = f"This {word} is one of the sentences. "
    return Block("paragraph", (sentence * (length // len(sentence) + 1))[:length].strip() + ".")


def chunk(*blocks: Block, title: str = "Page") -> list[Chunk]:
    return chunk_document(Document("a.md", title, blocks))


def heading(text: str, level: int) -> Block:
    return Block("heading", text, level)


def test_sections_are_chunks_under_their_headings() -> None:
    chunks = chunk(
        heading("Page", 1),
        paragraph(300),
        heading("Setup", 2),
        paragraph(600),
        heading("On Linux", 3),
        paragraph(700),
        heading("Use", 2),
        paragraph(300),
    )
    assert [piece.headings for piece in chunks] == [(), ("Setup",), ("Setup", "On Linux"), ("Use",)]
    assert [piece.index for piece in chunks] == [0, 1, 2, 3]
    assert text_to_embed("Page", chunks[2].headings, "See [a](b).") == "Page > Setup > On Linux\nSee [a]   ."


def test_a_top_heading_that_is_not_the_title_leads_the_path() -> None:
    assert chunk(heading("Other", 1), heading("Sub", 2), paragraph(300))[0].headings == ("Other", "Sub")


def test_small_neighbours_under_one_parent_are_merged_with_their_headings_in_the_text() -> None:
    first, second = paragraph(250, "first"), paragraph(250, "second")
    (merged,) = chunk(heading("Parent", 2), heading("One", 3), first, heading("Two", 3), second)
    assert merged.headings == ("Parent",)
    assert merged.text == f"### One\n\n{first.text}\n\n### Two\n\n{second.text}"


def test_top_level_sections_are_merged_only_when_tiny() -> None:
    separate = chunk(heading("A", 2), paragraph(250), heading("B", 2), paragraph(250))
    assert [piece.headings for piece in separate] == [("A",), ("B",)]
    (merged,) = chunk(heading("A", 2), paragraph(100), heading("B", 2), paragraph(250))
    assert merged.headings == ()
    assert merged.text.startswith("## A\n\nThis word")


def test_a_long_section_is_cut_evenly_and_an_introduction_stays_with_its_list() -> None:
    items = [Block("item", f"- The item {number} says something of fifty characters.") for number in range(40)]
    chunks = chunk(heading("Long", 2), paragraph(800), Block("paragraph", "These are the items:"), *items)
    lengths = [len(piece.text) for piece in chunks]
    assert max(lengths) <= SIZES.maximum
    assert min(lengths) > 500
    assert not any(piece.text.endswith(":") for piece in chunks)


def test_a_long_table_repeats_its_header_row() -> None:
    rows = [Block("row", with_rule("| Name | Meaning |", 2))]
    rows += [Block("row", f"| name-{number} | what it means in words |") for number in range(60)]
    chunks = chunk(*rows)
    assert len(chunks) > 1
    for piece in chunks:
        assert piece.text.startswith("| Name | Meaning |\n|---|---|\n| name-")
        assert len(piece.text) <= SIZES.maximum
    found = [line for piece in chunks for line in piece.text.split("\n") if line.startswith("| name-")]
    assert found == [block.text for block in rows[1:]]


def test_long_code_is_cut_between_its_least_indented_lines() -> None:
    code = "\n".join(f"key-{number}:\n  value: {'x' * 60}\n  other: {'y' * 60}" for number in range(20))
    chunks = chunk(Block("code", fence(code, "yaml")))
    assert len(chunks) > 1
    for piece in chunks:
        assert piece.text.startswith("```yaml\nkey-")
        assert piece.text.endswith("\n```")
        assert len(piece.text) <= SIZES.maximum
        assert len(split_sentences(piece.text)) == 1
    assert "\n".join(piece.text[8:-4] for piece in chunks) == code


def test_a_sentence_longer_than_a_chunk_is_cut_between_words() -> None:
    text = "word " * 2000
    chunks = chunk(Block("paragraph", text.strip()))
    assert all(len(piece.text) <= SIZES.maximum for piece in chunks)
    assert " ".join(piece.text for piece in chunks).split() == text.split()
    assert all(len(piece.text) <= SIZES.maximum for piece in chunk(Block("paragraph", "x" * 10_000)))
    assert all(len(piece.text) <= SIZES.maximum for piece in chunk(Block("code", fence("x" * 10_000))))


def test_an_endless_heading_is_text() -> None:
    chunks = chunk(heading("many words " * 300, 2), paragraph(100))
    assert all(len(piece.text) <= SIZES.maximum for piece in chunks)
    assert chunks[0].headings == ()


SENTENCES = st.lists(st.text("abcdefgh XY", min_size=1, max_size=200), min_size=1, max_size=12)
BLOCKS = st.one_of(
    SENTENCES.map(lambda parts: Block("paragraph", "A" + " ".join("B ".join(parts).split()) + ".")),
    SENTENCES.map(lambda parts: Block("item", "- C" + " ".join(". D ".join(parts).split()) + ".")),
    st.integers(0, 40).map(
        lambda lines: Block("code", fence("\n".join("  " * (n % 4) + "line" for n in range(lines + 1))))
    ),
    st.tuples(st.text("hijk", min_size=1, max_size=9), st.integers(1, 6)).map(lambda pair: heading(*pair)),
)


@settings(deadline=None)
@given(st.lists(BLOCKS, max_size=25))
def test_every_word_is_kept_in_order_and_no_sentence_is_cut(blocks: list[Block]) -> None:
    chunks = chunk(*blocks)
    text = [block.text for block in blocks if block.kind != "heading"]
    words = " ".join(text).replace("```", "").split()
    lines = [line for piece in chunks for line in piece.text.split("\n") if not line.startswith("#")]
    assert " ".join(lines).replace("```", "").split() == words
    assert all(0 < len(piece.text) <= SIZES.maximum for piece in chunks)
    for block in blocks:
        if block.kind in {"paragraph", "item"}:
            for start, end in split_sentences(block.text):
                sentence = block.text[start:end]
                assert len(sentence) > SIZES.maximum or any(sentence in piece.text for piece in chunks)
