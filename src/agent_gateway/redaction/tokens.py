"""Tokens that tell by their beginning that they are secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

#: A piece of text, `[start, end)`.
Span = tuple[int, int]

_DIGIT = re.compile(r"[0-9]")
#: In a longer text each beginning is looked for by itself.
_SHORT = 2000
_PART = re.compile(r"[A-Za-z0-9_-]*")
_MIXED = re.compile(r"[a-z][A-Z]|[A-Z][a-z]+[A-Z]")


def looks_random(text: str) -> bool:
    """Tell the body of a token from words: it has a digit, or capitals in its middle."""
    return bool(_DIGIT.search(text) or _MIXED.search(text))


def starts_anew(text: str, at: int) -> bool:
    """Tell whether what begins here is not the middle of a word."""
    return at == 0 or not (text[at - 1].isalnum() and text[at - 1].isascii())


@dataclass(frozen=True)
class TokenShape:
    """A token begins with `start`, and `rest`, a regular expression, is what follows: `least` characters at least.

    `sure`: the beginning is so rare that the rest need not look random. `beside` is the length of a second secret in
    base64 that usually follows, 0 for none. `parts`: it has several, with dots between them.
    """

    start: str
    rest: str
    least: int
    sure: bool = False
    beside: int = 0
    parts: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The whole token; to be matched where `start` was found."""
        return re.compile(re.escape(self.start) + self.rest)

    @property
    def shortest(self) -> int:
        """The length from which it can be a whole token."""
        return len(self.start) + self.least

    def places(self, text: str, is_new: Callable[[int], bool]) -> Iterator[Span]:
        """Yield where a token may begin, and how far it would reach.

        Each stretch of the text is read once: a token that begins within what another reached ends where that one ends,
        and where the first part of one leads nowhere, no other begins in it.
        """
        end = dead = 0
        at = text.find(self.start)
        while at >= 0:
            if at >= dead and is_new(at):
                if at >= end or self.beside:
                    found = self.pattern.match(text, at)
                    end = found.end() if found else 0
                    dead = _end_of_part(text, at) if self.parts and not found else 0
                if end - at >= self.shortest:
                    yield at, end
            at = text.find(self.start, at + 1)

    def fits(self, token: str) -> bool:
        """Tell whether this is a token of this shape, and no word that begins like one."""
        return self.pattern.fullmatch(token) is not None and (self.sure or looks_random(token[len(self.start) :]))


def find_tokens(text: str) -> Iterator[Span]:
    """Yield every token that stands in one piece."""
    for shape in shapes_in(text):
        done = 0
        for at, end in shape.places(text, partial(starts_anew, text)):
            if at >= done and shape.fits(text[at:end]):
                yield at, end
            done = max(done, end)


def shapes_in(text: str) -> Sequence[TokenShape]:
    """The shapes of which tokens may begin in a text. Most short texts have none, which one look tells."""
    return SHAPES if len(text) > _SHORT or _STARTS.search(text) else ()


def find_mirrored(text: str) -> Iterator[Span]:
    """Yield every token that is written backwards, of those whose beginning is rare."""
    shapes = [shape for shape in _RARE if shape.start[::-1] in text]
    mirrored = text[::-1] if shapes else ""
    for shape in shapes:
        for at, end in shape.places(mirrored, partial(starts_anew, mirrored)):
            if shape.fits(mirrored[at:end]):
                yield len(text) - end, len(text) - at


def _end_of_part(text: str, at: int) -> int:
    found = _PART.match(text, at)
    return found.end() if found else at


def _shape(start: str, characters: str = "A-Za-z0-9", least: int = 16, *, sure: bool = False) -> TokenShape:
    return TokenShape(start, f"[{characters}]{{{least},}}", least, sure)


_WORD = "A-Za-z0-9_-"
_UPPER = "A-Z0-9"
_HEX = "a-fA-F0-9"
_BASE64 = "A-Za-z0-9+/=_-"

SHAPES: tuple[TokenShape, ...] = (
    # The id of an access key, which may be letters alone, and the key itself.
    *(TokenShape(start, "[A-Z0-9]{16}", 16, sure=True, beside=40) for start in ("AKIA", "ASIA", "ABIA", "ACCA")),
    *(_shape(f"gh{kind}_", sure=True) for kind in "pousr"),
    _shape("github_pat_", "A-Za-z0-9_", 20, sure=True),
    *(_shape(f"gl{kind}-", _WORD, sure=True) for kind in "pat dt rt cbt ptt ft imt agent soat oas ffct".split()),
    _shape("GR1348941", _WORD, 20, sure=True),
    _shape("ATBB", least=24),
    _shape("ATATT3", _BASE64, 20),
    _shape("AIza", _WORD, 30),
    _shape("ya29.", "A-Za-z0-9_.-", 20),
    _shape("1//0", _WORD, 30),
    _shape("GOCSPX-", _WORD),
    *(_shape(f"xox{kind}-", "A-Za-z0-9-", 10) for kind in "abceoprs"),
    _shape("xapp-", "A-Za-z0-9-"),
    *(_shape(f"{kind}_{mode}_", least=10) for kind in ("sk", "rk") for mode in ("live", "test")),
    _shape("whsec_", "A-Za-z0-9+/="),
    _shape("sk-", _WORD),
    _shape("hf_"),
    _shape("r8_", least=30),
    _shape("gsk_", least=20),
    _shape("xai-", least=20),
    _shape("pplx-", least=20),
    _shape("npm_", least=20),
    _shape("pypi-Ag", _WORD, sure=True),
    _shape("rubygems_", _HEX, 32),
    *(_shape(f"dckr_{kind}_", _WORD, sure=True) for kind in ("pat", "oat")),
    *(_shape(f"hv{kind}.", _WORD, sure=True) for kind in "sbr"),
    _shape("s.", least=24),
    _shape("AGE-SECRET-KEY-1", _UPPER, 20, sure=True),
    _shape("dop_v1_", _HEX, 32),
    _shape("dapi", _HEX, 32),
    _shape("glsa_", "A-Za-z0-9_", 20),
    _shape("glc_", _BASE64, 24),
    _shape("SG.", "A-Za-z0-9_.-", 32),
    _shape("NRAK-", _UPPER, 20),
    *(_shape(f"shp{kind}_", _HEX, 32) for kind in ("at", "ca", "pa", "ss")),
    _shape("lin_api_", least=20),
    _shape("ntn_", least=30),
    _shape("dp.pt.", least=20),
    _shape("pul-", _HEX, 40),
    _shape("tskey-", _WORD),
    _shape("sntrys_", _BASE64, 20),
    _shape("PMAK-", _WORD, 20),
    # The gateway's own API keys.
    _shape("agw_", _WORD, 30, sure=True),
    _shape("ops_eyJ", _WORD, 20, sure=True),
    # A JSON Web Token: header and payload at least, five parts when it is encrypted.
    TokenShape("eyJ", r"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,3}", 17, sure=True, parts=True),
)
_RARE = tuple(shape for shape in SHAPES if shape.sure)
_STARTS = re.compile("|".join(re.escape(shape.start) for shape in SHAPES))
