"""Every error the gateway raises on purpose, by consequence.

`GatewayError` and its children are shown to the user: `code` is stable and machine-readable, the text says what is
wrong, `hint` says what to do. Anything else that escapes is a bug and is reported as `internal_error` without detail.
"""

from __future__ import annotations

from dataclasses import dataclass


class GatewayError(Exception):
    """Root of all expected errors; never retried by itself."""

    code = "gateway_error"

    def __init__(self, detail: str, *, code: str | None = None, hint: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.detail} ({self.hint})" if self.hint else self.detail


class InvalidInput(GatewayError):
    """The caller sent something that cannot be served; repeating it unchanged fails again."""

    code = "invalid_input"


class NotFound(GatewayError):
    """The thing does not exist, or belongs to somebody else: the two are not told apart."""

    code = "not_found"


class Conflict(GatewayError):
    """The thing exists but is in a state that does not allow the request."""

    code = "conflict"


class Forbidden(GatewayError):
    """Who asks is known, and may not do this."""

    code = "forbidden"


class Unavailable(GatewayError):
    """Not now: starting, draining or full. `retry_after` is in seconds."""

    code = "unavailable"

    def __init__(self, detail: str, *, code: str | None = None, hint: str = "", retry_after: int = 1) -> None:
        super().__init__(detail, code=code, hint=hint)
        self.retry_after = retry_after


class StorageFailed(GatewayError):
    """The data directory cannot be read or written (full disk, permissions, damaged file)."""

    code = "storage_failed"


class ModelFailed(GatewayError):
    """A model, or its server, did not answer as it should; another model may.

    `transient`: the same one may do better at once. `retry_after`: seconds its server asked to be left alone.
    `unfit`: the request does not suit this model (too long, no tools), and nothing is wrong with its server.
    """

    code = "model_failed"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        hint: str = "",
        transient: bool = False,
        retry_after: float | None = None,
        unfit: bool = False,
    ) -> None:
        super().__init__(detail, code=code, hint=hint)
        self.transient = transient
        self.retry_after = retry_after
        self.unfit = unfit


@dataclass(frozen=True)
class Fault:
    """One problem in a configuration file or a plugin: where, which key, which value, and what to do."""

    file: str
    key: str
    detail: str
    value: str = ""
    hint: str = ""

    def __str__(self) -> str:
        value = f" (is {self.value})" if self.value else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.file}: {self.key}: {self.detail}{value}{hint}"


class ConfigurationError(GatewayError):
    """Settings or personas.yaml are wrong: all faults at once, and nothing starts."""

    code = "configuration"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults), hint="run `agent-gateway check`")
        self.faults = faults
