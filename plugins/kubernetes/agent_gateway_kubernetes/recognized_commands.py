"""A message that is a kubectl command, word for word, perhaps in a code block or behind "run"."""

from __future__ import annotations

import re

import agent_gateway as ag

_FENCE = re.compile(r"\s*```(?:\w+)?\s*\n(?P<body>.*?)\n\s*```\s*", re.DOTALL)
_RUN = re.compile(
    r"(?:(?:can|could|would) you (?:please )?|please )?(?:run|execute|do)(?: (?:this"
    r"|the) ?command)?(?: for me)?[: ]\s*(?P<body>[`\"']?kubectl\s.*)",
    re.DOTALL | re.IGNORECASE,
)
#: Words that no command line has by themselves; the message only begins like one.
_PROSE = frozenset(
    """a an the in on of for from to with is are was do does did don't doesn't didn't not no never please thanks why
    what how when where which who should could would can and or but if then hangs hang fails fail failed works work
    returns return shows show says say gives give takes take about my our your it this that there only all now
    namespace-wide command output error slow broken""".split()
)


def recognize_command(request: ag.PlainRequest) -> ag.Recognition | None:
    """The call of `kubectl` with the message as its command."""
    text, exact = request.text.strip(), True
    if found := _RUN.fullmatch(text):
        text, exact = found["body"].strip(), False
        text = text.removesuffix(" please").removesuffix(" for me")
    if found := _FENCE.fullmatch(text):
        text = found["body"].strip()
    elif len(text) > 1 and text[0] == text[-1] and text[0] in "`\"'":
        text = text[1:-1].strip()
    text = text.removeprefix("$ ").strip()
    line = text.split("\n", 1)[0]
    if not line.startswith("kubectl ") or is_prose(line):
        return None
    # Only a here-document goes on in the next line.
    if "\n" in text and "<<" not in line:
        return None
    arguments = {"command": text} | (
        {"cluster": request.cluster} if request.cluster and "--cluster" not in text else {}
    )
    return ag.Recognition(
        arguments=arguments, confidence=1.0 if exact else 0.97, meaning=f"run `{line}`", command=exact
    )


def is_prose(line: str) -> bool:
    """Whether a line goes on in English, or ends like a sentence."""
    words = [word for word in re.sub(r"'[^']*'|\"[^\"]*\"", "''", line).split()[1:] if not word.startswith("-")]
    return line.rstrip().endswith(("?", "!", ".")) or any(word.lower().rstrip(",.;:") in _PROSE for word in words)
