"""Secrets are taken out of text before a model, a log, a stream or the store sees it.

`redact(text)` replaces every secret by `[redacted]`; `redact_value(value)` does it to nested JSON values, by their keys
too; `excerpt(text, most)` shortens a text that may hold one, which nothing else may do before `redact`;
`known_secrets.register(value)` makes an exact value a secret everywhere. A secret is found as it is written, in base64,
base32, hexadecimal, percent-encoding and escapes, as numbers, in the dump of a file and backwards; and broken by lines
and what stands before them, by quotes, spaces, signs, tags or invisible characters. All of it takes time in proportion
to the text's length.
"""

from __future__ import annotations

from agent_gateway.redaction.excerpts import excerpt
from agent_gateway.redaction.finding import MARK, has_secret, redact
from agent_gateway.redaction.known import known_secrets
from agent_gateway.redaction.values import redact_value

__all__ = ["MARK", "excerpt", "has_secret", "known_secrets", "redact", "redact_value"]
