"""What a name may look like; whatever becomes a part of an address or of a query follows one of these."""

from __future__ import annotations

import re

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_KEY_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
KEY = rf"(?:{_DOMAIN}/)?{_KEY_NAME}"
_LABEL_VALUE = rf"(?:{_KEY_NAME})?"

_NAMESPACE = re.compile(_LABEL)
_NAME = re.compile(_DOMAIN)
#: Names of RBAC objects are freer.
_RBAC_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9:_-]|\.(?!\.)){0,251}[A-Za-z0-9]|[A-Za-z0-9]")
_QUALIFIED = re.compile(KEY)
_VALUE = re.compile(_LABEL_VALUE)
_VERSION = re.compile(r"v[0-9]{1,3}(?:(?:alpha|beta)[0-9]{1,3})?")
_KIND = re.compile(rf"[a-z][a-z0-9-]{{0,62}}(?:\.{_LABEL})*\.?")
#: A reference to an image: no scheme, no query.
_IMAGE = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?/)?[a-z0-9]+(?:[._/-]{1,2}[a-z0-9]+)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)


def is_namespace(text: str) -> bool:
    """A name without dots, of at most 63 characters."""
    return _NAMESPACE.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """A name of nearly all objects."""
    return len(text) <= 253 and _NAME.fullmatch(text) is not None


def is_rbac_name(text: str) -> bool:
    """A name of a role or of a binding (`system:node`)."""
    return _RBAC_NAME.fullmatch(text) is not None


def is_key(text: str) -> bool:
    """A key of a label or of an annotation."""
    return len(text) <= 317 and _QUALIFIED.fullmatch(text) is not None


def is_label_value(text: str) -> bool:
    """A value of a label; it may be empty."""
    return _VALUE.fullmatch(text) is not None


def is_version(text: str) -> bool:
    """A version of the API: `v1`, `v2beta1`."""
    return _VERSION.fullmatch(text) is not None


def is_kind(text: str) -> bool:
    """A kind as `kind`, `kind.group`, `kind.version.group` or `kind.version.`."""
    return len(text) <= 253 and _KIND.fullmatch(text) is not None


def is_image(text: str) -> bool:
    """A reference to an image."""
    return len(text) <= 500 and "//" not in text and _IMAGE.fullmatch(text) is not None
