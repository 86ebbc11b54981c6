"""Names that tell what they name: how sure it is that the value of `password`, `token` or `secret` is a secret."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache

#: Every telling name holds one of these.
HINTS = ("pass", "pwd", "pw", "secret", "token", "key", "cred", "auth", "cookie", "psk", "jwt", "bearer", "sig")

_SEPARATORS = re.compile(r"[-_.\s]+")
#: `DB_PASS`, `dbPass` and `pass`, but not `compass`.
_SHORT = re.compile(
    r"(?:^|[-_.]|(?<=[a-z0-9]))(?:(?:root|bind)?(?:PASS|Pass|PW|Pw)|(?<![A-Za-z0-9])(?:root|bind)?(?:pass|pw))[0-9]*$"
)
_KEYS = (
    "api access secret private account encryption signing master shared auth sharedaccess storage preshared hmac session"  # noqa: E501 - a pattern is easier to read in one line
    " unseal recovery license service subscription consumer integration routing app ssh deploy decryption"
)
_SECRETS = "client app shared signing webhook jwt consumer cookie oauth api session hmac"
_SURE = re.compile(
    rf"(?:passwords?|passwd|passphrase|passcode|pwd|storepass|keypass|psk|clientkeydata|privatekeydata"
    rf"|(?:{'|'.join(_KEYS.split())})keys?|(?:{'|'.join(_SECRETS.split())})secrets?)[0-9]*$"
)
_TOKEN = re.compile(r"(?:token|jwt|bearer|authorization|proxyauthorization|cookie)[0-9]*$")
_VAGUE = re.compile(r"(?:secrets?|tokens|credentials?|creds?|auth|sig|signature|identitytoken)[0-9]*$")


class Telling(IntEnum):
    """How much a name says: nothing; a random value is a secret; anything like a token is; any value is."""

    NOTHING = 0
    VAGUE = 1
    TOKEN = 2
    SURE = 3


@lru_cache(maxsize=4096)
def judge_name(name: str) -> Telling:
    """How sure it is that what is called so is a secret. The telling word must come last: `secretName` is none."""
    if not any(hint in name.lower() for hint in HINTS):
        return Telling.NOTHING
    plain = _SEPARATORS.sub("", name.lower())
    if _SURE.search(plain) or _SHORT.search(name):
        return Telling.SURE
    if _TOKEN.search(plain):
        return Telling.TOKEN
    return Telling.VAGUE if _VAGUE.search(plain) else Telling.NOTHING
