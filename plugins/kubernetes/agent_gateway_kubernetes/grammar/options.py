"""Takes the options out of a command's words, exactly as kubectl would, or refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from .command import Refused
from .forbidden_options import FORBIDDEN, LONG_NAMES, forbidden_reason
from .option_values import RULES


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """An option of a verb. `rule` names the form of its value, empty for a flag; `bare` is its value without one."""

    name: str
    rule: str = ""
    many: bool = False
    bare: str = ""
    only_false: bool = False


class Options(msgspec.Struct, frozen=True):
    """The options of one verb, by long name and by letter."""

    by_name: Mapping[str, Option]
    by_letter: Mapping[str, Option]


def read_options(text: str) -> Options:
    """Make the options of a verb from its line in the tables.

    `name` is a flag, `name:rule` takes a value, `name:rule*` may be repeated, `name:rule=v` may stand without a value,
    `!name` is a flag that may only be false, and `/x` adds a letter to each.
    """
    by_name: dict[str, Option] = {}
    by_letter: dict[str, Option] = {}
    for word in text.split():
        spec, _, rule = word.lstrip("!").partition(":")
        name, _, letter = spec.partition("/")
        rule, _, bare = rule.partition("=")
        option = Option(
            name=name, rule=rule.rstrip("*"), many=rule.endswith("*"), bare=bare, only_false=word.startswith("!")
        )
        if option.rule and option.rule not in RULES:
            raise KeyError(option.rule)
        by_name[name] = option
        if letter:
            by_letter[letter] = option
    return Options(by_name, by_letter)


class Taken:
    """Goes through the words after the verb; `values` are the options found, `rest` the other words."""

    def __init__(self, options: Options, words: Sequence[str]) -> None:
        self._options = options
        self._words = words
        self._at = 0
        self.values: dict[str, str] = {}
        self.rest: list[str] = []
        while self._at < len(words):
            word = words[self._at]
            self._at += 1
            if word.startswith("--"):
                self._take_long(word)
            elif word.startswith("-") and len(word) > 1:
                self._take_letters(word)
            else:
                self.rest.append(word)

    def _take_long(self, word: str) -> None:
        name, equals, value = word[2:].partition("=")
        option = self._options.by_name.get(name)
        if option is None:
            raise Refused(forbidden_reason(f"--{name}", name))
        self._take(option, value if equals else None, f"--{name}")

    def _take_letters(self, word: str) -> None:
        name = word[1:].partition("=")[0]
        if len(name) > 1 and name in LONG_NAMES:
            raise Refused(f"'-{name}' is written with two dashes.")
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            option = self._options.by_letter.get(letter)
            if option is None:
                raise Refused(forbidden_reason(f"-{letter}", letter))
            if letters.startswith("="):
                self._take(option, letters[1:], f"-{letter}")
                return
            if letters and (option.rule and not option.bare):
                self._take(option, letters, f"-{letter}")
                return
            self._take(option, None, f"-{letter}")

    def _take(self, option: Option, value: str | None, written: str) -> None:
        if value is None:
            value = self._value_of(option, written)
        if option.rule:
            if not RULES[option.rule](value):
                if option.rule == "stdin":
                    raise Refused(FORBIDDEN["filename"])
                raise Refused(f"The option {written} does not take the value {value[:80]!r}.")
        elif value not in {"true", "false"}:
            raise Refused(f"The option {written} is true or false.")
        elif option.only_false and value == "true":
            raise Refused(FORBIDDEN.get(option.name) or f"The option {written} is not allowed here.")
        if option.name in self.values:
            if not option.many:
                raise Refused(f"The option --{option.name} is given twice.")
            value = f"{self.values[option.name]}\n{value}"
        self.values[option.name] = value

    def _value_of(self, option: Option, written: str) -> str:
        following = self._words[self._at] if self._at < len(self._words) else ""
        if not option.rule:
            if following in {"true", "false"}:
                raise Refused(f"The value of {written} is written with '='.")
            return "true"
        if option.bare:
            # kubectl would take the next word for a name: whoever wrote it meant a value.
            if following and not following.startswith("-"):
                raise Refused(f"The value of {written} is written with '='.")
            return option.bare
        if not following or (following.startswith("-") and following != "-"):
            raise Refused(f"The option {written} has no value.")
        self._at += 1
        return following
