from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest

from agent_gateway.redaction import MARK, excerpt, has_secret, known_secrets, redact, redact_value

#: Put together here, so that no file holds what looks like a secret.
TOKEN = "ghp_" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"
KEY = "AKIA" + "IOSFODNN7EXAMPLE"
ROOT = Path(__file__).parents[2]

WAYS = {
    "as it is": TOKEN,
    "a cloud's key": KEY,
    "in a sentence": f"use {TOKEN}, it works",
    "in a header": f"Authorization: Bearer {TOKEN[4:]}",
    "in an address": f"https://robot:{TOKEN[4:]}@git.example.org/apps",
    "by its name": 'password: "correct horse"',
    "in a command": "mysql --password=hunter22x -h db",
    "in base64": base64.b64encode(f"token {TOKEN} end".encode()).decode(),
    "in base64 over lines": base64.encodebytes(f"token {TOKEN} and a good deal more of it".encode()).decode(),
    "in base64 for addresses": base64.urlsafe_b64encode(f"??>>{TOKEN}".encode()).decode().rstrip("="),
    "in base64 twice": base64.b64encode(base64.b64encode(TOKEN.encode())).decode(),
    "in hexadecimal": TOKEN.encode().hex(),
    "percent-encoded": quote(f"p={TOKEN}", safe="").replace("g", "%67"),
    "escaped": TOKEN.replace("a", "\\u0061", 1),
    "over two lines": f"{TOKEN[:12]}\n{TOKEN[12:]}",
    "by its name, over two lines": f"token: {TOKEN[:12]}\n{TOKEN[12:]}",
    "in two strings": f'"{TOKEN[:12]}" + "{TOKEN[12:]}"',
    "letter by letter": " ".join(TOKEN),
    "with invisible characters": "\u200b".join((TOKEN[:9], TOKEN[9:20], TOKEN[20:])),
    "a private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
}

HARMLESS = [
    "automountServiceAccountToken: false",
    "secretName: web-tls-1",
    "image: registry.example.org/web@sha256:" + "ab12" * 16,
    "uid: 550e8400-e29b-41d4-a716-446655440000",
    "commit 14c34cd3b1f3519a58d394cbc14f7360edee604",
    "web-7d9f8c6b5-x2v9k   1/1   Running   0   3d",
    'sum(rate(http_requests_total{code=~"5.."}[5m])) by (service)',
    "the disk failure model reads attributes 5, 187, 188, 197 and 198",
    "Set --token-auth=false and try again.",
]


@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_found_however_it_is_written(way: str) -> None:
    text = WAYS[way]
    hidden = redact(f"before {text} after")
    assert MARK in hidden
    for part in (TOKEN[4:20], TOKEN[-12:], "hunter22x", "correct horse", "MIIE", TOKEN.encode().hex()[10:40]):
        assert part not in hidden.replace(" ", "").replace("\n", "")
    assert hidden.startswith("before ")
    assert redact(hidden) == hidden


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text
    assert not has_secret(text)


def test_the_example_documents_stay_as_they_are() -> None:
    pages = sorted((ROOT / "examples").rglob("*.md"))
    assert len(pages) > 20
    assert [page.name for page in pages if redact(page.read_text()) != page.read_text()] == []


def test_a_secret_object_s_data_is_hidden_and_its_names_are_not() -> None:
    text = "kind: Secret\nmetadata:\n  name: db\ndata:\n  user: YWRtaW4=\ntype: Opaque\n"
    hidden = redact(text)
    assert "YWRtaW4" not in hidden
    assert "name: db" in hidden


def test_the_gateway_s_own_secrets_are_hidden_in_every_form() -> None:
    value = "an unremarkable phrase 42"
    known_secrets.register(value)
    for form in (value, base64.b64encode(f"x{value}".encode()).decode(), value.encode().hex()):
        assert MARK in redact(f"<{form}>")


def test_more_may_be_hidden_by_pattern() -> None:
    assert redact("customer 4711 called", [r"customer \d+"]) == f"{MARK} called"


def test_values_are_hidden_by_the_names_beside_them() -> None:
    found = redact_value({"password": "abc def 9", "list": [TOKEN, 7], "name": "web"})
    assert found == {"password": MARK, "list": [MARK, 7], "name": "web"}


ID, AWS_KEY = "AKIA" + "QWERTYUIOPASDFGH", "abcdEFGH1234abcdEFGH" + "zxcvZXCV5678+/cvZXCV"


@pytest.mark.parametrize(
    "text",
    [
        f"{ID} {AWS_KEY}",
        f"Access: {ID[:10]}\n  {ID[10:]} {AWS_KEY[:20]}\n  {AWS_KEY[20:]}",
        f'"{ID[:10]}" + "{ID[10:]} {AWS_KEY[:20]}" + "{AWS_KEY[20:]}"',
        f"{ID}\n{AWS_KEY[:20]}\n{AWS_KEY[20:]}",
        f'{ID[:10]}\n  {ID[10:]} {AWS_KEY[:32]}\n  {AWS_KEY[32:]}", instance="a"',
    ],
)
def test_an_access_key_is_found_by_its_id_however_both_are_broken(text: str) -> None:
    hidden = redact(text)
    assert MARK in hidden
    for part in (ID[:10], ID[10:], AWS_KEY[:20], AWS_KEY[20:]):
        assert part not in hidden


def test_words_after_the_id_of_an_access_key_are_kept() -> None:
    rest = "is the key that was used 4 times in eu-west-1 by the Deployment of yesterday"
    assert redact(f"the key {ID} {rest}") == f"the key {MARK} {rest}"


def test_an_excerpt_is_one_short_line() -> None:
    assert excerpt("  one\n\ttwo\x1b[0m ", 20) == "one two [0m"
    assert excerpt("a" * 20, 20) == "a" * 20
    assert excerpt("a" * 21, 20) == "a" * 17 + "..."


@pytest.mark.parametrize("seen", range(0, len(TOKEN), 3))
def test_an_excerpt_never_ends_within_a_secret(seen: int) -> None:
    """Cut first, the beginning of a token is no longer known for one."""
    shown = excerpt("x" * (60 - seen) + " " + TOKEN, 64)
    assert TOKEN[:6] not in shown
    assert len(shown) <= 64


def test_an_excerpt_does_not_join_the_halves_of_a_secret() -> None:
    assert excerpt(f"token: {TOKEN[:12]}\n{TOKEN[12:]}\nnext", 80) == f"token: {MARK} next"


def test_an_excerpt_of_a_very_long_text_has_no_half_secret_either() -> None:
    shown = excerpt(" " * (40_000 - 10) + TOKEN, 100)
    assert TOKEN[:6] not in shown
    assert shown.endswith("...")
