"""Runs every gate, then every test; 1 when one of them failed. Run by `make test`, arguments go to pytest."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
FOLDERS = ("src", "tests", "plugins", "benchmarks", "scripts")
#: Name -> command; all of them run, so that one call shows everything there is to mend.
GATES = {
    "lint": (str(BIN / "ruff"), "check", "--quiet", *FOLDERS),
    "format": (str(BIN / "ruff"), "format", "--check", "--quiet", *FOLDERS),
    "types": (str(BIN / "mypy"), *FOLDERS),
    "imports": (str(BIN / "lint-imports"), "--no-logo"),
    "sizes": (str(BIN / "python"), "scripts/sizes.py"),
}
#: Each process starts servers of its own, so more of them than this cost more than they save.
PROCESSES = min(os.cpu_count() or 1, 4)
PYTEST = (
    *(str(BIN / "python"), "-m", "pytest", "--cov", "--cov-report=term:skip-covered"),
    # In the order of the folders: what takes longest comes first, so that no process waits for another at the end.
    *("--numprocesses", str(PROCESSES), "--dist", "loadfile", "--no-loadscope-reorder"),
)


def main(arguments: list[str]) -> int:
    """Run everything; pytest comes last, so that its closing line is the last but for the failed gates."""
    failed = [name for name, command in GATES.items() if not passes(name, command)]
    if not passes("tests", (*PYTEST, *arguments)):
        failed.append("tests")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def passes(name: str, command: tuple[str, ...]) -> bool:
    """Run one command under its own heading."""
    print(f"== {name}", flush=True)
    began = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    print(f"-- {name}: {'ok' if code == 0 else 'FAILED'}, {time.monotonic() - began:.0f} s", flush=True)
    return code == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
