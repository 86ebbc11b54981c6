"""Takes secrets out of text before anybody sees it: a model, a log, a stream, the store, another system.

What looks like a secret is one: keys and tokens by their form, values by the name beside them, and what the gateway
itself holds by its value; also in base64, hex or percent-encoding, and split over lines, quotes and spaces.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import quote, unquote

MARK = HIDDEN = "[redacted]"

#: Secrets that their form gives away. Each has a fixed beginning, so text without it is passed over quickly.
_TOKENS = re.compile(
    r"AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{50,255}"
    r"|glpat-[A-Za-z0-9_-]{20,}|xox[abposr]-[A-Za-z0-9-]{10,}|sk-(?:ant-|proj-|live-)?[A-Za-z0-9_-]{20,}"
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}"
    r"|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}|dckr_pat_[A-Za-z0-9_-]{20,}|hv[sb]\.[A-Za-z0-9_-]{20,}"
    r"|AGE-SECRET-KEY-1[A-Z0-9]{50,}|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
    r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|shpat_[a-f0-9]{32}|dop_v1_[a-f0-9]{64}|agk_[A-Za-z0-9_-]{30,}"
)
_BLOCK = re.compile(
    r"-----BEGIN (?P<kind>[A-Z0-9 ]*PRIVATE KEY[A-Z ]*)-----.*?(?:-----END (?P=kind)-----|\Z)", re.DOTALL
)
_HEADER = re.compile(r"(?i)\b(?P<name>(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic|token)\s+"
                     r"|bearer\s+)"
                     r"(?P<value>[A-Za-z0-9._~+/=-]{12,})")  # fmt: skip
_URL = re.compile(
    r"(?P<name>\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"']{0,64}:)(?P<value>[^\s@/\"']{3,256})(?=@)", re.IGNORECASE
)
_NAMED = re.compile(
    r"(?P<name>(?<![\w-])[\"']?[\w.-]{0,40}(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|client[_-]?secret|credentials?)(?P<tail>[\w.-]{0,20})[\"']?[ \t]{0,4}(?:[:=]|=>)[ \t]{0,4})"
    r"(?:\"(?P<double>[^\"\n]{3,1000})\"|'(?P<single>[^'\n]{3,1000})'|(?P<bare>[^\s\"'`,;&{}\[\]()<>]{6,1000})(?![(\[]))",
    re.IGNORECASE,
)
#: A name that ends like this tells about a secret and is none; a value like this is none either.
_ABOUT = re.compile(
    r"(?i)(?:name|ref|refs|namespace|seconds|path|file|type|kind|class|count|length|limit|env|url|uri|expir\w*|id|ttl"
    r"|mount\w*|policy|store|template|version|audience|issuer|selector|labels?|s|ed)[\"']?\s{0,4}(?:[:=]|=>)\s{0,4}$"
)
_HARMLESS = re.compile(
    r"(?i)(?:true|false|null|none|nil|yes|no|optional|required|string|\d+(?:\.\d+)?[a-z%]{0,2}|\$\{?\(?[\w.]+\)?\}?"
    r"|\*+|<[^>]*>|\[redacted\]|x{3,}|\.{3,}|changeme|example|\S*(?:secretKeyRef|valueFrom)\S*)[.,;:]?"
)
_DATA = re.compile(r"(?m)^(?P<indent> *)(?:data|stringData):\s*\n(?P<values>(?:(?P=indent) +\S.*\n?)+)")
_SECRET_KIND = re.compile(r"[\"']?kind[\"']?\s*:\s*[\"']?Secret\b")
_JSON_DATA = re.compile(r"(\"(?:data|stringData)\"\s*:\s*)\{[^{}]*\}")
_VALUE = re.compile(r"(?m)^(\s+[\w.\"'-]+:\s*)(?:[|>][+-]?\s*\n(?:\s{4,}.*\n?)*|\S.*)$")
#: What may be an encoding: runs of an alphabet, over line ends too.
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}(?:\r?\n[ \t]*[A-Za-z0-9+/_-]{16,})*={0,2}")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{2}){12,}(?![0-9A-Za-z])")
_PERCENT = re.compile(r"[^\s\"'<>]*(?:%[0-9A-Fa-f]{2}[^\s\"'<>%]*){2,}")
_ESCAPES = re.compile(r"(?:[\w+/=.-]*(?:\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2})[\w+/=.-]*){1,}")
#: What may stand in the middle of a secret that was split.
_BETWEEN = re.compile(r"[\s\"'`+,|\\>\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]+")
_BEGINNINGS = re.compile(
    r"(?<![A-Za-z0-9])(?:AKIA|ASIA|gh[pousr]|github|glpat|xox|sk|[sr]k_|hf|npm|pypi|AIza|ya29|dckr|hv[sb]|AGE|eyJ|SG|agk)"
)
_LONGEST_SPLIT = 400


class KnownSecrets:
    """Values that the gateway itself holds, in every form in which they may come back."""

    def __init__(self) -> None:
        self._forms: dict[str, None] = {}
        self._pattern: re.Pattern[str] | None = None

    def register(self, value: str) -> None:
        """Hide this value from now on; one of less than 6 characters would hide half the language."""
        if len(value) < 6 or value in self._forms:
            return
        self._forms.update(dict.fromkeys(_forms(value)))
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def hide(self, text: str) -> str:
        """The text without them."""
        return text if self._pattern is None else self._pattern.sub(HIDDEN, text)


known_secrets = KnownSecrets()


def redact(text: str, extra: Sequence[re.Pattern[str] | str] = ()) -> str:
    """The text with every secret in it replaced by `[redacted]`; `extra` are patterns of more that is to be hidden."""
    text = known_secrets.hide(text)
    for pattern in extra:
        text = re.sub(pattern, HIDDEN, text)
    # Split ones first: what hides the half that a name stands beside leaves the other half.
    return _hide_encoded(_hide_plain(_hide_split(text)))


def _hide_plain(text: str) -> str:
    text = _BLOCK.sub(HIDDEN, text) if "PRIVATE KEY" in text else text
    text = _TOKENS.sub(HIDDEN, text)
    text = _HEADER.sub(_keep_name, text)
    text = _URL.sub(_keep_name, text) if "://" in text else text
    if _SECRET_KIND.search(text):
        text = _DATA.sub(lambda found: _VALUE.sub(rf"\1{HIDDEN}", found[0]), text)
        text = _JSON_DATA.sub(rf'\1"{HIDDEN}"', text)
    return _NAMED.sub(_hide_named, text)


def _keep_name(found: re.Match[str]) -> str:
    return f"{found['name']}{HIDDEN}"


def _hide_named(found: re.Match[str]) -> str:
    value = found["double"] or found["single"] or found["bare"]
    if (found["tail"] and _ABOUT.search(found["name"])) or _HARMLESS.fullmatch(value):
        return found[0]
    if found["bare"] and not _looks_random(value):
        return found[0]
    return found[0].replace(value, HIDDEN)


def _looks_random(value: str) -> bool:
    """Whether a bare value is no plain word: digits, signs or both cases among its letters."""
    kinds = (str.isdigit, str.isupper, str.islower, lambda each: not each.isalnum())
    return sum(any(kind(each) for each in value) for kind in kinds) >= 2 and not value.endswith((":", "..."))


def _hide_encoded(text: str) -> str:
    for pattern, decode in _ENCODINGS:
        text = pattern.sub(lambda found, decode=decode: _judge_encoded(found[0], decode), text)  # type: ignore[misc] # mypy knows no lambda with a default
    return text


def _judge_encoded(blob: str, decode: Callable[[str], Iterable[str]]) -> str:
    for decoded in decode(blob):
        if decoded != blob and (_hide_plain(known_secrets.hide(decoded)) != decoded or _nested(decoded)):
            return HIDDEN
    return blob


def _nested(decoded: str) -> bool:
    """Whether there is a secret in an encoding within an encoding."""
    return any(
        _hide_plain(known_secrets.hide(inner)) != inner
        for found in _BASE64.finditer(decoded)
        for inner in _from_base64(found[0])
    )


def _from_base64(blob: str) -> Iterator[str]:
    """What a run decodes to; something in front of it may have been taken for its beginning."""
    joined = re.sub(r"\s", "", blob).rstrip("=").translate({45: 43, 95: 47})
    for start in range(min(4, len(joined))):
        part = joined[start:]
        part = part[: len(part) - (len(part) % 4 == 1)]
        try:
            raw = base64.b64decode(part + "=" * (-len(part) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue
        text = raw.decode("utf-8", "ignore")
        if len(text) >= 8 and sum(each.isprintable() or each in "\n\t" for each in text) >= 0.9 * len(raw):
            yield text


def _from_hex(blob: str) -> Iterator[str]:
    text = bytes.fromhex(blob).decode("utf-8", "ignore")
    if len(text) * 2 >= 0.9 * len(blob):
        yield text


def _from_percent(blob: str) -> Iterator[str]:
    yield unquote(blob)


def _from_escapes(blob: str) -> Iterator[str]:
    yield re.sub(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))", lambda found: chr(int(found[1] or found[2], 16)), blob)


_ENCODINGS: tuple[tuple[re.Pattern[str], Callable[[str], Iterable[str]]], ...] = (
    (_ESCAPES, _from_escapes),
    (_PERCENT, _from_percent),
    (_HEX, _from_hex),
    (_BASE64, _from_base64),
)


def _hide_split(text: str) -> str:
    """Hide tokens that are broken by spaces, quotes or line ends, wherever one begins."""
    pieces: list[str] = []
    done = 0
    for found in _BEGINNINGS.finditer(text):
        if found.start() < done:
            continue
        window = text[found.start() : found.start() + _LONGEST_SPLIT]
        length = _split_length(window)
        if length:
            pieces += [text[done : found.start()], HIDDEN]
            done = found.start() + length
    return "".join([*pieces, text[done:]])


def _split_length(window: str) -> int:
    """How much of a window is one broken token from its beginning; 0 when none is."""
    places = [index for index, each in enumerate(window) if not _BETWEEN.fullmatch(each)]
    squeezed = "".join(window[index] for index in places)
    found = _TOKENS.match(squeezed)
    if found is None or not _is_token(found[0]):
        return 0
    return places[found.end() - 1] + 1


def _is_token(text: str) -> bool:
    """Whether a joined text is a token, and not words that stood beside each other."""
    return sum(map(str.isdigit, text)) >= 3 and any(map(str.isupper, text))


def _forms(value: str) -> Iterator[str]:
    raw = value.encode()
    yield value
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        # The first and last characters depend on what stands beside the value.
        core = encoded[(0, 2, 3)[shift] : len(encoded) - ((len(raw) + shift) % 3 != 0)]
        yield core
        yield core.translate({43: 45, 47: 95})
    yield raw.hex()
    yield raw.hex().upper()
    yield quote(value, safe="")


def has_secret(text: str) -> bool:
    """Whether there is a secret in a text."""
    return redact(text) != text
