"""Commands changed in ways that must not make the policy's decision weaker, and in ways that must always be denied."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Literal, NamedTuple


class Mutant(NamedTuple):
    """A changed command, and whether it must be denied, may be judged only as strictly or stricter, or anyhow."""

    manner: str
    command: str
    expected: Literal["denied", "no weaker", "anything"]


Mutation = Callable[[Random, str], "str | None"]
_VALUED = frozenset("-n --namespace -l --selector -o --output -c --container --replicas --field-selector".split())
_FORBIDDEN_OPTIONS = (
    "--as=eve", "--as-group=system:masters", "--as-uid=0", "--token=x", "--kubeconfig=/tmp/x", "--context=prod",
    "--cluster=prod", "--server=https://198.51.100.7", "-s=https://198.51.100.7", "--user=admin", "--username=a",
    "--password=b", "--insecure-skip-tls-verify", "--tls-server-name=x", "--proxy-url=http://x", "--raw=/api",
    "--client-key=x", "--client-certificate=x", "--certificate-authority=x", "--cache-dir=/tmp", "-v=9", "--v=9",
    "--vmodule=a=9", "--log-file=/tmp/l", "--profile=cpu", "--watch-only", "--force", "-f=/etc/passwd",
    "--filename=https://example.com/x", "-k=.", "-R", "--template={{.}}", "--overrides={}", "--unheard-of", "--",
)  # fmt: skip
_FORBIDDEN_VERBS = ("exec", "cp", "port-forward", "proxy", "debug", "run", "edit", "attach", "certificate", "config",
                    "kustomize", "plugin", "krew", "unheard-of", "secrets")  # fmt: skip
_SECRETS = ("secrets", "secret", "Secrets", "SECRET", "secrets.v1.", "secret/db", "sec'ret's", '"secrets"')
_SHELL = (";", "|", "&", "&&", "`id`", "$(id)", "${IFS}", ">x", "<x", "*", "?", "#", "~", "\\", "!!", "\n", "{a,b}")
_LOOK_ALIKES = str.maketrans("aceopxyiAEOs", "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0391\u0415\u039f\u0455")
_UNSEEN = "\u200b\u200d\u00ad\u2060\ufeff\u202e\u00a0\u2003\u3000\u2028\x00\x07\x1b\x7f\x85"
_CONTROL = ("kube-system", "kube-public", "flux-system", "linkerd", "linkerd-viz", "cert-manager", "agent-gateway")
_WORD = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")
_PLAIN = re.compile(r"[A-Za-z0-9./:=_,@-]+")


def _words(command: str) -> list[str] | None:
    """The words as written, quotes left on; None when they are not all of it."""
    if not command.isascii() or "\n" in command or _WORD.sub("", command).strip():
        return None
    return _WORD.findall(command) or None


def reorder(random: Random, command: str) -> str | None:
    """An option, with its value, somewhere else behind the program."""
    words = _words(command)
    if words is None or "--" in words:
        return None
    spots = [at for at, word in enumerate(words) if at and word.startswith("--") and "=" in word]
    spots += [at for at, word in enumerate(words[:-1]) if at and word in _VALUED and not words[at + 1].startswith("-")]
    if not spots:
        return None
    at = random.choice(spots)
    size = 1 if "=" in words[at] else 2
    moved = words[at : at + size]
    rest = words[:at] + words[at + size :]
    # Not between another option and its value.
    to = random.choice([at for at in range(1, len(rest) + 1) if rest[at - 1][0] != "-" or "=" in rest[at - 1]])
    return " ".join(rest[:to] + moved + rest[to:])


def respell(random: Random, command: str) -> str | None:
    """`--name=value` as two words, or two words as one."""
    words = _words(command)
    if words is None:
        return None
    joined = [at for at, word in enumerate(words) if word.startswith("--") and "=" in word]
    parted = [at for at, word in enumerate(words[:-1]) if word in _VALUED and not words[at + 1].startswith("-")]
    if not joined + parted:
        return None
    at = random.choice(joined + parted)
    if at in joined:
        name, _, value = words[at].partition("=")
        return " ".join([*words[:at], name, *([value] if value else []), *words[at + 1 :]])
    return " ".join([*words[:at], f"{words[at]}={words[at + 1]}", *words[at + 2 :]])


def quote(random: Random, command: str) -> str | None:
    """One word in quotes, or a part of it."""
    words = _words(command)
    spots = [at for at, word in enumerate(words or []) if _PLAIN.fullmatch(word)]
    if words is None or not spots:
        return None
    at = random.choice(spots)
    word, mark = words[at], random.choice("'\"")
    start = random.randrange(len(word))
    end = random.randint(start + 1, len(word))
    words[at] = f"{word[:start]}{mark}{word[start:end]}{mark}{word[end:]}"
    return " ".join(words)


def space(random: Random, command: str) -> str | None:
    """More blanks and tabs between words."""
    words = _words(command)
    return None if words is None else "".join(f"{word}{random.choice([' ', '  ', chr(9), ' ' * 5])}" for word in words)


def change_case(random: Random, command: str) -> str | None:
    """One word in capitals, or its first letter."""
    words = _words(command)
    if words is None:
        return None
    at = random.randrange(len(words))
    words[at] = random.choice([words[at].upper(), words[at].title()])
    return " ".join(words)


def insert_option(random: Random, command: str) -> str | None:
    """A forbidden option between two words."""
    words = _words(command)
    if words is None or len(words) < 2:
        return None
    at = random.randint(1, len(words))
    return " ".join([*words[:at], random.choice(_FORBIDDEN_OPTIONS), *words[at:]])


def replace_verb(random: Random, command: str) -> str | None:
    """A forbidden verb instead of the command's own."""
    words = _words(command)
    if words is None or len(words) < 2 or words[1].startswith("-"):
        return None
    return " ".join([words[0], random.choice(_FORBIDDEN_VERBS), *words[2:]])


def replace_kind(random: Random, command: str) -> str | None:
    """Secrets instead of the command's kind, or beside it."""
    words = _words(command)
    if words is None or len(words) < 3 or words[1] not in {"get", "describe", "delete", "label", "annotate", "patch"}:
        return None
    if words[2].startswith("-"):
        return None
    secret = random.choice(_SECRETS)
    beside = random.random() < 0.5 and "/" not in words[2] and "/" not in secret
    return " ".join([*words[:2], f"{words[2]},{secret}" if beside else secret, *words[3:]])


def insert_shell(random: Random, command: str) -> str | None:
    """What a shell would act on, unquoted."""
    words = _words(command)
    if words is None:
        return None
    at = random.randint(1, len(words))
    return " ".join([*words[:at], random.choice(_SHELL), *words[at:]]) + " x"


def look_alike(random: Random, command: str) -> str | None:
    """One letter of another alphabet that looks the same."""
    spots = [at for at, letter in enumerate(command) if letter.translate(_LOOK_ALIKES) != letter]
    if not spots or "\n" in command:
        return None
    at = random.choice(spots)
    return command[:at] + command[at].translate(_LOOK_ALIKES) + command[at + 1 :]


def insert_unseen(random: Random, command: str) -> str | None:
    """A character that nobody sees."""
    if "\n" in command or not command.strip():
        return None
    at = random.randint(0, len(command))
    return command[:at] + random.choice(_UNSEEN) + command[at:]


def garble(random: Random, command: str) -> str:
    """Some characters gone or thrown in: whatever comes of it."""
    letters = list(command)
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, len(letters))
        letters[at : at + random.randint(0, 2)] = random.choice("'\"\\-=/,{}[]:$ \nabcZ09\u00e9\ud800")
    return "".join(letters)


SAME: Mapping[str, Mutation] = {
    "order of options": reorder, "= or blank": respell, "quotes": quote, "blanks": space, "case": change_case,
}  # fmt: skip
DENIED: Mapping[str, Mutation] = {
    "forbidden option": insert_option, "forbidden verb": replace_verb, "secret kind": replace_kind,
    "shell": insert_shell, "look-alike": look_alike, "unseen character": insert_unseen,
}  # fmt: skip


def mutate(random: Random, command: str) -> Mutant:
    """One mutation of a command that fits it."""
    for _ in range(4):
        manner = random.choice([*SAME, *DENIED])
        changed = (SAME.get(manner) or DENIED[manner])(random, command)
        if changed is not None:
            return Mutant(manner, changed, "denied" if manner in DENIED else "no weaker")
    return Mutant("garbled", garble(random, command), "anything")
