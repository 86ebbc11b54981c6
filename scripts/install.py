"""Installs everything into `.venv`: torch for the CPU, then the hashed lock, then the package itself.

Run by `make setup` with any Python; needs nothing but the standard library. Safe to repeat: a second call compares a
stamp and returns at once. Interrupt it whenever you like, the next call continues.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

OLDEST = (3, 11)
PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14", "python3")
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / ".installed"
#: What decides the content of the environment; a change of any of them installs again.
INPUTS = ("requirements.lock", "pyproject.toml", "scripts/install.py")

TORCH = "2.13.0"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
#: torch's requirements that mean gigabytes of CUDA libraries.
CUDA_PREFIXES = ("nvidia", "cuda", "triton")
LIST_TORCH_REQUIREMENTS = "import importlib.metadata as m; print('\\n'.join(m.requires('torch') or ()))"


class SetupError(Exception):
    """What went wrong, and what to do about it."""


def main() -> int:
    """Install, or find that nothing is to be done."""
    if sys.version_info < OLDEST:
        return start_again_with_newer_python()
    try:
        with alone():
            install()
    except SetupError as exc:
        print(f"setup failed: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup interrupted; `make setup` continues", file=sys.stderr)
        return 130
    return 0


def start_again_with_newer_python() -> int:
    """Replace this process by one of a Python that is new enough, if there is one."""
    wanted = ".".join(str(part) for part in OLDEST)
    for name in PYTHONS:
        path = shutil.which(name)
        if path and is_new_enough(path):
            os.execv(path, [path, *sys.argv])  # noqa: S606 - a shell has nothing to do here
    print(f"setup failed: Python {wanted} or newer is needed; name one with `make setup PYTHON=...`", file=sys.stderr)
    return 1


def is_new_enough(python: str) -> bool:
    """Tell whether this is a Python that runs and is new enough."""
    probe = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    try:
        return subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one setup run at a time: `make run` and `make test` are often typed in two terminals."""
    with Path(__file__).open("rb") as own:
        try:
            fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another setup of this folder to finish", flush=True)
            fcntl.flock(own, fcntl.LOCK_EX)
        yield


def install() -> None:
    """Bring `.venv` up to date."""
    wanted = digest()
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted and venv_python_works():
        return
    began = time.monotonic()
    STAMP.unlink(missing_ok=True)
    make_venv()
    install_torch()
    refuse_cuda()
    say("installing the locked packages (a few minutes the first time)")
    pip("install", "--no-deps", "--require-hashes", "-r", "requirements.lock")
    say("installing agent-gateway itself, editable")
    pip("install", "--no-deps", "--no-build-isolation", "--editable", ".")
    say("checking that everything fits together")
    pip("check")
    STAMP.write_text(wanted, encoding="utf-8")
    say(f"ready in {time.monotonic() - began:.0f} s")


def digest() -> str:
    """Name the state that the environment should have; its path counts, because scripts in it contain it."""
    parts = [str(VENV).encode(), *((ROOT / name).read_bytes() for name in INPUTS)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def venv_python() -> str:
    """Return the environment's Python."""
    return str(VENV / "bin" / "python")


def venv_python_works() -> bool:
    """Tell whether the environment is whole enough to run what it contains."""
    return os.access(VENV / "bin" / "agent-gateway", os.X_OK) and os.access(venv_python(), os.X_OK)


def make_venv() -> None:
    """Make the environment, unless there is one that works; remove `.venv` to change its Python."""
    pip_script = VENV / "bin" / "pip"
    in_place = pip_script.is_file() and str(VENV) in pip_script.read_text("utf-8")
    if in_place and is_new_enough(venv_python()):
        return
    say(f"making .venv with Python {platform.python_version()}")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        hint = "; on Debian and Ubuntu: apt-get install python3-venv" if sys.platform == "linux" else ""
        raise SetupError(f"Python cannot make a virtual environment{hint}\n{made.stdout}{made.stderr}".rstrip())


def install_torch() -> None:
    """Install torch for the CPU: PyPI's own wheel for Linux would bring gigabytes of CUDA.

    The lock cannot name it, because its build differs by platform; so it is not checked against a hash but comes
    from a place the user configured for pip, or else from its makers.
    """
    if sys.platform != "linux":
        say(f"installing torch {TORCH}")
        pip("install", "--no-deps", f"torch=={TORCH}")
        return
    say(f"installing torch {TORCH} for the CPU (about 200 MB)")
    requirement = f"torch=={TORCH}+cpu"
    # PyPI accepts no version with `+`, so this finds one only where the user's own pip configuration points.
    first = pip_quietly("install", "--no-deps", requirement)
    if first.returncode != 0:
        say(f"pip's configured places have none, using {TORCH_CPU_INDEX}")
        second = pip_quietly("install", "--no-deps", "--index-url", TORCH_CPU_INDEX, requirement)
        if second.returncode != 0:
            reason = second.stderr.strip().splitlines()[-1:]
            hint = "if that address cannot be reached, put the wheel into a folder and set PIP_FIND_LINKS to it"
            raise SetupError(f"there is no {requirement} to be had; {hint}\n{''.join(reason)}")


def refuse_cuda() -> None:
    """Stop when the installed torch wants CUDA libraries after all."""
    listed = subprocess.run(
        [venv_python(), "-c", LIST_TORCH_REQUIREMENTS], capture_output=True, text=True, check=True
    ).stdout
    unwanted = [line.split(";")[0] for line in listed.splitlines() if line.startswith(CUDA_PREFIXES)]
    if sys.platform == "linux" and unwanted:
        raise SetupError(f"this torch needs CUDA packages ({', '.join(unwanted[:3])}, ...); offer pip a +cpu wheel")


def pip(*arguments: str) -> None:
    """Run pip in the environment, showing what it says only when it fails."""
    done = pip_quietly(*arguments)
    if done.returncode != 0:
        raise SetupError(f"pip {arguments[0]} did not succeed:\n{done.stdout}{done.stderr}".rstrip())


def pip_quietly(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pip in the environment and return what it said."""
    command = [venv_python(), "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def say(text: str) -> None:
    """Report a step."""
    print(f"setup: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
