"""Secrets that were written in another way so that they get through, and ordinary text that looks like it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_gateway.policy.output import MOST_KEPT, OutputStore
from agent_gateway.redaction import MARK, known_secrets, redact

#: Put together here, so that no file holds what looks like a secret.
TOKEN = "ghp_" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"
KNOWN = "Tr0ub4dor-and-3-horses!"


def in_base64(secret: str, size: int = 8) -> list[str]:
    encoded = base64.b64encode(secret.encode()).decode()
    return [encoded[at : at + size] for at in range(0, len(encoded), size)]


def pieces(secret: str, size: int = 6) -> list[str]:
    return [secret[at : at + size] for at in range(0, len(secret), size)]


def dumped(secret: str, *, small: bool) -> str:
    rows = []
    for at in range(0, len(secret), 16):
        row = secret[at : at + 16]
        digits = row.encode().hex(" ", 1 if small else -2)
        rows.append(f"{at:08x}  {digits}  |{row}|" if small else f"{at:08x}: {digits:40} {row}")
    return "\n".join(rows)


WAYS: dict[str, Callable[[str], str]] = {
    "base64 with spaces": lambda secret: " ".join(in_base64(secret)),
    "base64 with spaces, in a sentence": lambda secret: f"it says {' '.join(in_base64(secret, 4))} and no more",
    "base64 behind bars": lambda secret: "\n".join(f"| {piece}" for piece in in_base64(secret)),
    "base64 in a log": lambda secret: "\n".join(f"2024-01-01 pod-1 {piece}" for piece in in_base64(secret)),
    "lines with numbers": lambda secret: "\n".join(f"line{at}: {each}" for at, each in enumerate(pieces(secret))),
    "lines with times": lambda secret: "\n".join(f"12:00:{at:02} out {each}" for at, each in enumerate(pieces(secret))),
    "bold": lambda secret: f"{secret[:9]}**{secret[9:]}**",
    "tags": lambda secret: f"{secret[:9]}<b>{secret[9:]}</b>",
    "a comment": lambda secret: f"{secret[:9]}<!-- -->{secret[9:]}",
    "dashes": "-".join,
    "dots": ".".join,
    "decimal codes": lambda secret: " ".join(str(ord(each)) for each in secret),
    "a list of codes": lambda secret: str([ord(each) for each in secret]),
    "binary": lambda secret: " ".join(f"{ord(each):08b}" for each in secret),
    "hexdump": lambda secret: dumped(secret, small=True),
    "xxd": lambda secret: dumped(secret, small=False),
    "base32": lambda secret: base64.b32encode(secret.encode()).decode(),
    "backwards": lambda secret: secret[::-1],
    "mail": lambda secret: "".join(f"={ord(each):02X}" for each in secret),
    "a shell's escapes": lambda secret: "".join(f"\\u{{{ord(each):x}}}" for each in secret),
    "tags of Unicode": lambda secret: "".join(chr(0xE0000 + ord(each)) for each in secret),
    "struck over": "x\b".join,
    "a terminal": "\x1b[K".join,
}


def parts_of(secret: str) -> list[str]:
    """A few characters of it in every writing, with what is between them."""
    middles = [secret[at : at + 4] for at in range(len(secret) - 4)]
    apart = [sign.join(middle) for middle in middles for sign in ("", "-", ".", "x\b", "\x1b[K")]
    numbers = [form.join(str(ord(each)) for each in middle) for middle in middles for form in (" ", ", ")]
    binary = [" ".join(f"{ord(each):08b}" for each in middle) for middle in middles]
    raw = [middle.encode().hex(" ", size) for middle in middles for size in (1, -2)]
    mail = ["".join(f"={ord(each):02X}" for each in middle) for middle in middles]
    hidden = ["".join(chr(0xE0000 + ord(each)) for each in middle) for middle in middles]
    base32 = pieces(base64.b32encode(secret.encode()).decode(), 8)[:-1]
    return [*apart, *numbers, *binary, *raw, *mail, *hidden, *base32, *in_base64(secret), secret[::-1][3:12]]


@pytest.mark.parametrize("secret", [TOKEN, KNOWN])
@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_found_in_other_writing(way: str, secret: str) -> None:
    known_secrets.register(KNOWN)
    written = WAYS[way](secret)
    hidden = redact(f"before\n{written}\nafter")
    assert MARK in hidden
    assert hidden.startswith("before\n")
    assert hidden.endswith("\nafter")
    assert not [part for part in parts_of(secret) if part in hidden]
    assert redact(hidden) == hidden


@pytest.mark.parametrize(
    "written", [KNOWN.upper(), KNOWN.replace("-", " "), "Tr0ub-4dor/and.3.horses", f"{KNOWN[:4]}, {KNOWN[4:]}"]
)
def test_an_exact_value_is_found_in_capitals_and_with_other_signs(written: str) -> None:
    known_secrets.register(KNOWN)
    assert redact(f"<{written}>").removesuffix("!>").removesuffix(">") == f"<{MARK}"


def test_numbers_and_values_of_few_letters_are_looked_for_as_they_are() -> None:
    known_secrets.register("20240101", "p@$$-w0rd")
    assert redact("on 2024-01-01 at 20:24:01.01") == "on 2024-01-01 at 20:24:01.01"
    assert redact("20240101 p@$$-w0rd") == f"{MARK} {MARK}"


HARMLESS = [
    "ready 12 14 45 97 101 110 116 32 115 114 99 of 20",
    "1.2.3.4.5.6.7.8.9.10 a.b.c.d.e.f.g.h",
    "GET POST PUT DELETE HEAD OPTIONS PATCH TRACE CONNECT",
    "- web-1\n- web-2\n- api-7d9f8c6b5-x2v9k\n- api-7d9f8c6b5-q8w2e",
    "2024-01-01 12:00:01 web ready\n2024-01-01 12:00:02 web failing\n2024-01-01 12:00:03 web sk-learn",
    "**bold**text and `code`with a <b>tag</b>gy word, `--password`. The next sentence",
    "team-alpha-2024-ks and some-long-file.with-a-name-hf_",
    "00000000  7f 45 4c 46 02 01 01 00  00 00 00 00 00 00 00 00  |.ELF............|",
    "deploy 4f9d1c2 0a1b2c3 feedbeef 1234abcd of Monday at 12:30:45",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_looks_like_other_writing_stays(text: str) -> None:
    known_secrets.register(KNOWN)
    assert redact(text) == text


async def test_no_half_of_a_secret_is_kept_where_output_is_cut_for_good(tmp_path: Path) -> None:
    known_secrets.register(KNOWN)
    store = OutputStore(tmp_path)
    output = "word " * (MOST_KEPT // 5 - 2) + KNOWN + " word" * 10
    excerpt = await store.shorten("run-1", output, 4_000, redact)
    last = await store.read("run-1", excerpt.more, excerpt.pages)
    assert KNOWN[:6] not in last
    assert last.endswith(("word", "word "))
    assert excerpt.pages < MOST_KEPT // 4_000
