"""The time window that a plain request names."""

from __future__ import annotations

import re

#: Days that are named are covered whole, whatever the time of day is.
_NAMED = {"today": 86400, "yesterday": 2 * 86400, "this week": 7 * 86400, "this hour": 3600}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_NUMBERS = {
    word: number
    for number, word in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
        seventeen eighteen nineteen twenty""".split()
    )
} | {"a": 1, "an": 1, "couple of": 2, "a couple of": 2, "thirty": 30, "forty": 40, "forty-five": 45, "forty five": 45,
     "sixty": 60, "ninety": 90, "twenty-four": 24, "twenty four": 24, "forty-eight": 48}  # fmt: skip
_WORDS = "|".join(sorted(map(re.escape, _NUMBERS), key=len, reverse=True))
_LONG = r"seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|wks?|months?"
_UNIT = rf"(?P<unit>{_LONG}|[smhdw])"
_AMOUNT = rf"(?:(?P<number>\d+(?:\.\d+)?|{_WORDS})(?: |-)?{_UNIT}(?:(?: and)? ?(?P<more>\d+) ?(?:minutes?|mins?|m)\b)?(?P<half> and a half)?)"  # noqa: E501 - a pattern is easier to read in one line
_HALF = r"(?P<share>half(?: an?)?|quarter(?: of)?(?: an?)?|three quarters of an?) (?P<whole>hour|day|minute)"
_SPAN = rf"(?:{_HALF}|{_AMOUNT})"
_OVER = r"(?:(?:in|over|within|during|for|from|of|across|throughout|on|through) )?(?:the )?(?:full |entire )?"
_PATTERNS = tuple(
    re.compile(rf"(?<![\w/.=-]){pattern}(?![\w/=-])")
    for pattern in (
        rf"{_OVER}(?:last|past|previous|preceding|recent|latest) (?:{_SPAN}|(?P<bare>{_LONG})(?P<bare_half> and a half)?)(?: or so)?",  # noqa: E501 - a pattern is easier to read in one line
        rf"(?:going )?(?:since|from|starting|back) (?:about )?{_SPAN}(?: ago)?(?: (?:until|till|to) now)?",
        rf"--since[= ]{_SPAN}",
        rf"(?:in|over|with|for|using|on) (?:a|an|the) {_SPAN} (?:window|period|range|interval|span)",
        rf"(?:window|period|range) of {_SPAN}",
        rf"(?:within|during|for|over) (?:the )?{_SPAN}",
        rf"{_OVER}(?:since |so far )?(?P<named>today|yesterday|this week|this hour)(?:'s)?",
        rf"(?:the )?{_SPAN} window",
        rf"{_SPAN} (?:worth )?of(?= (?:the )?(?:[\w-]+ ){{0,3}}(?:logs?|traces|events)\b)",
    )
)
#: A length of time that stands alone, unless it is a limit.
_ALONE = re.compile(
    r"(?<!than )(?<!over )(?<!above )(?<!least )(?<!under )(?<!below )(?<!exceeding )(?<!timeout )(?<![>=<] )"
    r"(?<![\w/.=<>-])(?P<number>\d+)(?P<unit>[mhdw])(?![\w/.=:-])"
)
_MONTH = 30 * 86400
#: Nothing is kept for longer than ten years.
_LONGEST = 3650 * 86400


def find_window(words: str) -> tuple[int, str]:
    """The window's length in seconds, 0 when none is named, and the words without it."""
    for pattern in (*_PATTERNS, _ALONE):
        for found in pattern.finditer(words):
            seconds = _seconds(found.groupdict())
            if seconds >= 60:
                before, behind = words[: found.start()], words[found.end() :]
                if before.strip() in {"", "show", "the", "show the"}:
                    # "The last hour of logs of checkout."
                    behind = re.sub(r"^(?:'s)? (?:worth )?of ", " ", behind)
                return seconds, f"{before} {behind}"
    return 0, words


def _seconds(parts: dict[str, str | None]) -> int:
    if named := parts.get("named"):
        return _NAMED[named]
    if bare := parts.get("bare"):
        # "The last days" are nobody knows how many.
        half = _length(bare) // 2 if parts.get("bare_half") else 0
        return 0 if bare.endswith("s") else _length(bare) + half
    if whole := parts.get("whole"):
        share = {"h": 2, "q": 4, "t": 4}[(parts["share"] or "h")[0]]
        return _length(whole) // share * (3 if (parts["share"] or "").startswith("t") else 1)
    unit, number = parts["unit"] or "", parts["number"] or ""
    amount = float(_NUMBERS[number]) if number in _NUMBERS else float(number)
    amount += 0.5 if parts.get("half") else 0
    return int(min(amount * _length(unit), _LONGEST)) + 60 * int((parts.get("more") or "0")[:4])


def _length(unit: str) -> int:
    return _MONTH if unit.startswith("mo") else _UNITS[unit[0]]
