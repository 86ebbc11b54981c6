"""Searching a text for secrets takes time in proportion to its length, whatever somebody puts into it."""

from __future__ import annotations

from time import process_time

import pytest

from agent_gateway.redaction import known_secrets, redact

#: Lengths of a text, the second four times the first; and how often the longer may take the time of the shorter.
SHORT, LONG = 10_000, 40_000
MOST = 9
#: What is done so fast is no matter of proportion: other work of the machine decides.
AT_ONCE = 0.03

REPEATED = [
    "?sig=",
    "cookie:",
    "authorization:",
    "password: ",
    "password=[",
    "password=[a,",
    'password="',
    'password=\\"',
    'pwd=\\\\\\"',
    "'password=' 'a' ",
    '"pw="+',
    "password: |\n  a password: |\n",
    "key: !token=a ",
    "-----END PRIVATE KEY-----",
    "AAAA -----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\n",
    "kind: Secret\ndata:\n",
    '"kind": "Secret", "data": {"a": "b"}, ',
    "://a:b",
    "://@sha256:1",
    "-eyJ",
    "-eyJaaaaaaaa.aaaaaaaa",
    "sk-\n",
    "'sk-\n65 ",
    "g hp_aB3dE5fG7hJ9",
    "AKIAQWERTYUIOPASDFGHASIA\\'\n  ",
    "%2525",
    "a\u200b",
    "a\b",
    "a.b-c,",
    "<b>a**",
    "| aB3d\n",
    "aB3d ",
    "cHc9YWJjMTIz ",
    "KRZDA5LC GRSG64RN\n",
    "0a0b ",
    "65, ",
    "00000000: 7077 3d61\n",
    "mysql ",
    "token>",
]


def seconds(text: str) -> float:
    begin = process_time()
    redact(text)
    return process_time() - begin


def assert_in_proportion(short: str, long: str) -> None:
    for _ in range(3):
        took = seconds(long)
        if took < AT_ONCE or took < MOST * min(seconds(short) for _ in range(2)):
            return
    pytest.fail(f"{len(long)} characters took {took:.2f} s")


@pytest.mark.parametrize("repeated", REPEATED)
def test_a_text_four_times_as_long_takes_about_four_times_as_long(repeated: str) -> None:
    known_secrets.register("canary value 4711", "p@ss#w!d$")
    assert_in_proportion(repeated * (SHORT // len(repeated)), repeated * (LONG // len(repeated)))


@pytest.mark.parametrize("start", ["data: kind: Secret", "password:", "ghp_", '"a" +', "kind: Secret\ndata:", "login "])
@pytest.mark.parametrize("filling", [" ", "\\", "a", "a1B", "\n"])
def test_so_does_a_long_gap_or_word(start: str, filling: str) -> None:
    assert_in_proportion(*(start + filling * (most // len(filling)) + "x" for most in (SHORT, LONG)))


def test_so_do_lines_that_are_ever_deeper() -> None:
    for line in ("password: |", "auth: |", "kind: Secret", "data:"):
        assert_in_proportion(
            *("".join(" " * (at % 90) + f"{line}\n" for at in range(most // 55)) for most in (SHORT, LONG))
        )


def test_so_do_many_secrets_in_pieces_of_base64() -> None:
    piece = "cHc9YWJj\nMTIzIA==\n"
    assert_in_proportion(piece * (SHORT // len(piece)), piece * (LONG // len(piece)))
