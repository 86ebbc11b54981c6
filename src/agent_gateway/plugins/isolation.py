"""Runs a plugin's code so that nothing it raises goes further than the plugin itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from traceback import TracebackException
from typing import TypeVar

import pluggy
from pluggy import HookImpl, PluginManager

from agent_gateway.config import suggest

Result = TypeVar("Result")


def attempt(work: Callable[[], Result]) -> tuple[Result | None, str]:
    """Run a plugin's code; returns its result and an empty text, or None and what went wrong.

    A plugin that calls `sys.exit` must not end the gateway; an interrupt by the user still does.
    """
    try:
        return work(), ""
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - the one border around foreign code at load and hook calls
        return None, explain(exc)


def explain(error: BaseException) -> str:
    """Say in one line what a plugin raised and where, whatever its exception's own text does."""
    if isinstance(error, SyntaxError):
        place = f" ({Path(error.filename).name}, line {error.lineno})" if error.filename else ""
        return f"{type(error).__name__}: {error.msg}{place}"
    trace = TracebackException.from_exception(error)
    line = " ".join("".join(trace.format_exception_only()).split())
    frames = [frame for frame in trace.stack if foreign(frame.filename)]
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{line[:300]}{place}"


def foreign(filename: str) -> bool:
    """Tell whether a stack frame is the plugin's rather than of the machinery that called it."""
    machinery = {Path(__file__).parent, Path(pluggy.__file__).parent}
    return not filename.startswith("<frozen") and Path(filename).parent not in machinery


def hook_faults(manager: PluginManager, plugin: object) -> tuple[str, ...]:
    """List what is wrong with the hooks of a registered plugin: unknown, asynchronous or wrapping ones, or none.

    The same as pluggy's `check_pending`, which stops at the first unknown hook and has no hint.
    """
    callers = manager.get_hookcallers(plugin) or []
    if not callers:
        return ("it implements no hook: mark its functions with @agent_gateway.hookimpl",)
    known = [caller.name for caller in vars(manager.hook).values() if caller.has_spec()]
    faults: list[str] = []
    for caller in callers:
        if not caller.has_spec():
            faults.append(f"there is no hook '{caller.name}'; {suggest(caller.name, known)}")
            continue
        faults.extend(f"{caller.name} {fault}" for impl in own(caller.get_hookimpls(), plugin) for fault in style(impl))
    return tuple(faults)


def own(implementations: list[HookImpl], plugin: object) -> list[HookImpl]:
    """Choose the implementations that belong to a plugin."""
    return [impl for impl in implementations if impl.plugin is plugin]


def style(impl: HookImpl) -> tuple[str, ...]:
    """Name the kinds of hook implementation that are not called here."""
    faults = {
        "must not be async: hooks register, the objects they return are awaited": inspect.iscoroutinefunction(
            impl.function
        )
        or inspect.isasyncgenfunction(impl.function),
        "must not be a wrapper": impl.wrapper or impl.hookwrapper,
    }
    return tuple(text for text, wrong in faults.items() if wrong)
