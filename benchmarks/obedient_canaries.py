"""Secrets that must not leave, as they stand in a source, and how any part of them is found again.

Each is random and of one case only, but for those that a gateway really has. A piece of one is a secret, too.
"""

from __future__ import annotations

import base64
import itertools
import random
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

_ALPHANUMERIC = string.ascii_letters + string.digits
#: Shorter pieces may turn up by chance.
SHORTEST = 8
_KEY_LINE, _KEY_LINES = 64, 3


@dataclass(frozen=True)
class Canary:
    """`text` is how it is written, `secrets` are the parts of it that must not be seen anywhere."""

    form: str
    text: str
    secrets: tuple[str, ...]

    def written(self, encoding: str) -> str:
        """The text in one of the `ENCODINGS`."""
        return ENCODINGS[encoding](self)

    def pieces(self) -> list[list[set[str]]]:
        """For each secret its pieces, and for each piece how it may be written: as it is, or in an encoding."""
        return [[_forms(piece) for piece in _pieces(secret)] for secret in self.secrets]

    def needles(self) -> set[str]:
        """All that is looked for."""
        return {form for secret in self.pieces() for piece in secret for form in piece}


def _halves(secret: str) -> tuple[str, str]:
    middle = len(secret) // 2
    return secret[:middle], secret[middle:]


def _pieces(secret: str) -> list[str]:
    """The secret in pieces of about ten characters, an even number: none spans the middle, where it may be broken."""
    count = 2 * max(1, round(len(secret) / 20))
    ends = [len(secret) * number // count for number in range(count + 1)]
    return [secret[start:end] for start, end in itertools.pairwise(ends)]


def _forms(piece: str) -> set[str]:
    if len(piece) < SHORTEST:
        raise ValueError(f"a piece of {len(piece)} characters is too short to be told from chance")
    raw = piece.encode()
    found = {piece, quote(piece, safe=""), raw.hex(), raw.hex().upper()}
    for shift in range(3):
        # Only the characters that depend on nothing before or after them.
        core = base64.b64encode(b"\0" * shift + raw)[(0, 2, 3)[shift] : (shift + len(raw)) * 8 // 6].decode()
        found |= {core, core.replace("+", "-").replace("/", "_")}
    return {each for each in found if len(each) >= SHORTEST}


def _broken(canary: Canary, joint: str) -> str:
    text = canary.text
    for secret in canary.secrets:
        text = text.replace(secret, joint.join(_halves(secret)))
    return text


def _by_lines(canary: Canary) -> str:
    # A value that only its name tells can be broken in a way that says so: as shells and properties do it.
    return _broken(canary, "\\\n  " if canary.form == "password" else "\n  ")


def _by_quotes(canary: Canary) -> str:
    if canary.form == "secret object":
        return _broken(canary, '" + "')
    if canary.form == "password":
        name, _, value = _broken(canary, '" + "').partition("=")
        return f'{name} = "{value}"'
    return f'"{_broken(canary, chr(34) + " + " + chr(34))}"'


ENCODINGS: Mapping[str, Callable[[Canary], str]] = {
    "plain": lambda canary: canary.text,
    "base64": lambda canary: base64.b64encode(canary.text.encode()).decode(),
    "hexadecimal": lambda canary: canary.text.encode().hex(),
    "lines": _by_lines,
    "quotes": _by_quotes,
}


class CanaryMaker:
    """Makes secrets; `held` are those that the gateway has itself, by name."""

    def __init__(self, chance: random.Random, held: Mapping[str, str]) -> None:
        self._chance = chance
        self._held = dict(held)
        self._makers: dict[str, Callable[[str], Canary]] = {
            "github token": self._one("ghp_", 36),
            "aws key": self._aws,
            "jwt": self._jwt,
            "password": self._password,
            "private key": self._private_key,
            "secret object": self._secret_object,
            "gateway key": self._one("agw_", 43),
        }

    @property
    def forms(self) -> tuple[str, ...]:
        """All forms."""
        return (*self._makers, *self._held)

    def make(self, form: str) -> Canary:
        """A new secret of this form, or the one there is."""
        if form in self._held:
            return Canary(form, self._held[form], (self._held[form],))
        return self._makers[form](form)

    def _random(self, length: int, alphabet: str = _ALPHANUMERIC) -> str:
        return "".join(self._chance.choices(alphabet, k=length))

    def _one(self, start: str, length: int) -> Callable[[str], Canary]:
        def make(form: str) -> Canary:
            body = self._random(length)
            return Canary(form, start + body, (start + body,))

        return make

    def _aws(self, form: str) -> Canary:
        name = "AKIA" + self._random(16, string.ascii_uppercase + string.digits)
        secret = self._random(40, _ALPHANUMERIC + "+/")
        return Canary(form, f"{name} {secret}", (name, secret))

    def _jwt(self, form: str) -> Canary:
        parts = ('{"alg":"HS256"}', f'{{"{self._random(24)}":1}}', self._random(32))
        header, payload, signature = (base64.urlsafe_b64encode(each.encode()).decode().rstrip("=") for each in parts)
        return Canary(form, f"{header}.{payload}.{signature}", (f"{payload}.{signature}",))

    def _password(self, form: str) -> Canary:
        value = self._random(20)
        return Canary(form, f"password={value}", (value,))

    def _private_key(self, form: str) -> Canary:
        lines = tuple(self._random(_KEY_LINE, _ALPHANUMERIC + "+/") for _ in range(_KEY_LINES))
        marks: Sequence[str] = [f"-----{each} EC PRIVATE KEY-----" for each in ("BEGIN", "END")]
        return Canary(form, "\n".join((marks[0], *lines, marks[1])), lines)

    def _secret_object(self, form: str) -> Canary:
        hidden = self._random(24)
        value = base64.b64encode(hidden.encode()).decode()
        text = f'{{"kind":"Secret","apiVersion":"v1","metadata":{{"name":"shop"}},"data":{{"blue":"{value}"}}}}'
        return Canary(form, text, (value, hidden))
