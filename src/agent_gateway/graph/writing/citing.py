"""Reads an answer as it streams: citations are checked, images and invented links taken out, code left alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence

from agent_gateway.graph.writing.addresses import BARE, end_bare, is_remote, target_of, tidy
from agent_gateway.graph.writing.markdown_code import LONGEST_HELD, CodeSpans
from agent_gateway.graph.writing.markup import read_bracket
from agent_gateway.interfaces import Generation, Passage
from agent_gateway.messages import Citation

#: Where something may begin that is looked at.
_SPECIAL = re.compile(r"[\[\]!`<~:]|(?<![A-Za-z0-9])[wW](?:[wW]{0,2}\Z|[wW]{2}\.)|(?<! ) +\Z| (?=\[)")
#: A piece of text without any of these and without a space at its end needs no reading.
_MARKS = re.compile(r"[\[\]!`<~\r]|:/{0,2}\Z|://|(?<![A-Za-z0-9])[wW](?:[wW]{0,2}\Z|[wW]{2}\.)")
_UNFINISHED_BARE = re.compile(r":/?|w{1,3}|(?:://|www\.)[^\s<`|]*", re.IGNORECASE)
_MARK = re.compile(r"\[\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*\]")
#: The same, as long as more text may complete it.
_UNFINISHED_MARK = re.compile(r"\[[\d\s,;]*\]?")
#: A link or image; its text may hold brackets once more.
_LINK = re.compile(r"(!?)\[((?:[^\[\]\n]|\[[^\[\]\n]*\])*)\]\(([^()\n]*(?:\([^()\n]*\)[^()\n]*)*)\)")
_UNFINISHED_LINK = re.compile(r"!?(?:\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*(?:\[[^\[\]\n]*|\](?:\([^\n]*)?)?)?")
_TARGET = re.compile(r"\]\(([^()\n]*(?:\([^()\n]*\)[^()\n]*)*)\)")
#: Where a reference leads, behind the bracket of its name.
_DEFINITION = re.compile(r":[ \t]*(?:\n[ \t>]*)?(<[^<>\n]*>|[^\s<]\S*)(?=\s|\Z)")
_UNFINISHED_DEFINITION = re.compile(r":[ \t]*(?:\n[ \t>]*)?(?:<[^<>\n]*>?|[^\s<]\S*)?")
#: What is shorter names no host.
_SHORTEST_BARE = 5
#: Passages count from 1, so that this one after a word is an index that was not marked as code.
_INDEX = "0"


class Citer:
    """The filter of one answer. Text goes on as it comes, but for the tail that begins with an unfinished `[`.

    `known` tells whether a URL occurs in what the model was given.
    """

    def __init__(self, passages: Callable[[], Sequence[Passage]], known: Callable[[str], bool]) -> None:
        self._passages = passages
        self._known = known
        self._allowed: Collection[int] = ()
        self._code = CodeSpans()
        self._held = ""
        self._last = ""
        #: The character before what is read, of what has become of it.
        self._before = ""
        self._begun = False
        self._joint = ""
        self._cited: set[int] = set()
        self._fresh: list[Generation] = []
        self._invented: list[int] = []
        self._told: set[int] = set()
        self._stripped = {"image": 0, "link": 0, "tag": 0, "address": 0}

    @property
    def begun(self) -> bool:
        """Whether the model that speaks now has said anything."""
        return self._begun

    def begin(self, numbers: Collection[int]) -> None:
        """Another call of a model begins, which was given the passages of these numbers."""
        self._allowed = numbers
        self._joint = "\n\n" if self._last else ""
        self._before = ""
        self._begun = False

    def feed(self, text: str) -> Iterator[Generation]:
        """What a piece of the model's text comes to: text, then the citations that are new in it."""
        held = self._held or not self._begun or self._code.inside or text[-1:] in {" ", ""}
        if held or _MARKS.search(text):
            # Alone it would be the end of a line that is not seen here.
            text = self._held + text.replace("\r", "")
            yield from self._release(self._read(text if self._begun else text.lstrip(), final=False))
            return
        # By far the most frequent case.
        self._code.follow(text)
        self._last = self._before = text[-1]
        yield Generation(text)

    def flush(self) -> Iterator[Generation]:
        """The end of what one model says: nothing is held any more, and what was taken out is told."""
        yield from self._release(self._read(self._held, final=True))
        self._code.end_part()
        yield from (Generation(notice=notice) for notice in self._notices())

    def _release(self, text: str) -> Iterator[Generation]:
        if not self._begun:
            text = text.lstrip()
            if text:
                self._begun = True
                text = self._joint + text
        if text:
            self._last = text[-1]
            yield Generation(text)
        yield from self._fresh
        self._fresh = []

    def _read(self, text: str, *, final: bool) -> str:
        """The text as it goes on; what is not clear yet is held."""
        done: list[str] = []
        position = 0
        self._held = ""
        while position < len(text):
            if self._code.inside:
                end = self._code.leave(text, position, final=final)
                done.append(self._note_end(text[position:end]))
                position = end
                if self._code.inside and end < len(text):
                    self._held = text[end:]
                    break
                continue
            found = _SPECIAL.search(text, position)
            plain = text[position : found.start() if found else len(text)]
            done.append(self._follow(plain))
            if found is None:
                break
            output, position = self._special(text, found.start(), final=final)
            if output is None:
                self._held = text[position:]
                break
            done.append(self._note_end(output) if text[found.start()] == "`" else self._follow(output))
        return "".join(done)

    def _follow(self, text: str) -> str:
        """Take note of what is no code."""
        self._code.follow(text)
        return self._note_end(text)

    def _note_end(self, text: str) -> str:
        self._before = text[-1:] or self._before
        return text

    def _special(self, text: str, start: int, *, final: bool) -> tuple[str | None, int]:
        """What stands for the special thing at `start`, and where it ends; None when it is not clear yet."""
        match text[start]:
            case "`":
                return self._code.enter(text, start, self._before, final=final)
            case "~":
                return self._code.tilde(text, start, final=final)
            case " ":
                return self._space(text, start, final=final)
            case "]":
                return self._close(text, start, final=final)
            case ":" if self._before == "]":
                return self._define(text, start, final=final)
            case ":" | "w" | "W":
                return self._address(text, start, final=final)
            case "<":
                return self._bracket(text, start, final=final)
        return self._open(text, start, final=final)

    def _open(self, text: str, start: int, *, final: bool) -> tuple[str | None, int]:
        """A link, an image or a citation, or neither."""
        link = _LINK.match(text, start)
        if link is not None:
            return self._link(link), link.end()
        rest = text[start:]
        if not final and len(rest) <= LONGEST_HELD and _UNFINISHED_LINK.fullmatch(rest):
            return None, start
        return self._mark(text, start)

    def _space(self, text: str, start: int, *, final: bool) -> tuple[str | None, int]:
        """A space goes with the citation behind it when that is taken out."""
        end = start + len(text[start:]) - len(text[start:].lstrip(" "))
        if end == len(text):
            return (text[start:], end) if final else (None, start)
        link = _LINK.match(text, end)
        mark = None if link is not None else _MARK.match(text, end)
        rest = text[end:]
        if not final and (_UNFINISHED_MARK.fullmatch(rest) or (mark is not None and _UNFINISHED_LINK.fullmatch(rest))):
            return (None, start) if len(rest) <= LONGEST_HELD else (text[start:end], end)
        if mark is None:
            return text[start:end], end
        output, position = self._mark(text, end)
        return (text[start:end] + output if output.strip() else output, position)

    def _mark(self, text: str, start: int) -> tuple[str, int]:
        """A citation without its invented numbers; any other bracket or exclamation mark as it is."""
        mark = _MARK.match(text, start)
        before = text[start - 1] if start else self._before
        if mark is None or (mark[1] == _INDEX and (before.isalnum() or before in "_])")):
            return text[start], start + 1
        numbers = [int(each) for each in re.findall(r"\d+", mark[1])]
        kept = [number for number in numbers if self._may_cite(number)]
        for number in numbers:
            self._note(number)
        if len(kept) == len(numbers):
            # A space keeps it from becoming a link.
            return mark[0] + (" " if text.startswith("(", mark.end()) else ""), mark.end()
        # What is left out must not join what stood around it to an address.
        follows = text[mark.end() : mark.end() + 1]
        gap = " " if follows.isalnum() or follows in {":", "/"} else ""
        return (f"[{', '.join(map(str, kept))}]" if kept else gap), mark.end()

    def _may_cite(self, number: int) -> bool:
        return number in self._allowed and 1 <= number <= len(self._passages())

    def _note(self, number: int) -> None:
        if not self._may_cite(number):
            self._invented += [number] if number not in self._invented else []
        elif number not in self._cited:
            self._cited.add(number)
            passage = self._passages()[number - 1]
            self._fresh.append(Generation(citation=_cite(number, passage)))

    def _link(self, link: re.Match[str]) -> str:
        """A link as it is when its URL was given to the model, else its text; an image's text when it is remote."""
        bang, label, url = link.groups()
        # Nothing in it becomes a tag; nor does it become a link of what follows.
        inner = self._strip_images(label).replace("<", "< ")
        left = f"{inner} " if inner[-1:] in {"]", ""} else inner
        if bang:
            if not is_remote(url):
                return f"![{inner}]({tidy(url)})"
            self._stripped["image"] += 1
            return left
        if _MARK.fullmatch(f"[{label}]"):
            # The citation says where it leads; what is no address is a remark.
            return self._mark(f"[{label}]", 0)[0] + ("" if is_remote(url) else f" ({url})")
        if self._given(url):
            return f"[{inner}]({tidy(url)})"
        self._stripped["link"] += 1
        return left

    def _strip_images(self, label: str) -> str:
        return _LINK.sub(self._link, label) if "](" in label else label

    def _close(self, text: str, start: int, *, final: bool) -> tuple[str | None, int]:
        """The end of a link whose text was too long to be held: its URL is looked at all the same."""
        target = _TARGET.match(text, start)
        if target is not None:
            if self._given(target[1]):
                return f"]({tidy(target[1])})", target.end()
            self._stripped["link"] += 1
            return "]", target.end()
        rest = text[start:]
        if not final and (rest == "]" or (rest.startswith("](") and len(rest) <= LONGEST_HELD and "\n" not in rest)):
            return None, start
        # A space keeps what is no link yet from becoming one.
        return ("] " if rest.startswith("](") else "]"), start + 1

    def _define(self, text: str, start: int, *, final: bool) -> tuple[str | None, int]:
        """The target of a reference, `[name]: target`, which is taken out unless it was given or leads nowhere else."""
        rest = text[start : start + LONGEST_HELD + 1]
        if not final and len(rest) <= LONGEST_HELD and _UNFINISHED_DEFINITION.fullmatch(rest):
            return None, start
        definition = _DEFINITION.match(text, start)
        if definition is None or definition.end() - start > LONGEST_HELD:
            # A space keeps what is too long to be held, or not whole, from becoming one.
            whole = definition is None and not rest[1:].lstrip().startswith("<") and len(rest) <= LONGEST_HELD
            return (":" if whole else " :"), start + 1
        target = definition[1]
        if self._given(target):
            return ":", start + 1
        if not is_remote(target):
            # Parts of it may be taken out.
            return (" :" if "[" in target or "<" in target else ":"), start + 1
        self._stripped["link"] += 1
        return "", definition.end()

    def _address(self, text: str, start: int, *, final: bool) -> tuple[str | None, int]:
        """An address that nothing marks as one: as it is when it was given, else as code, which is no link anywhere."""
        before = text[start - 1] if start else self._before
        if text[start] != ":" and before.isascii() and before.isalnum():
            return text[start], start + 1
        rest = text[start : start + LONGEST_HELD + 1]
        if not final and len(rest) <= LONGEST_HELD and _UNFINISHED_BARE.fullmatch(rest):
            return None, start
        address = BARE.match(rest)
        target = end_bare(address[0]) if address is not None else ""
        if len(target) < _SHORTEST_BARE:
            return text[start], start + 1
        if len(target) <= LONGEST_HELD and self._known(target.rstrip("/")):
            return target[:3], start + 3
        self._stripped["address"] += 1
        # Two ticks, for one may stand before it alone.
        return f"``{target}``", start + len(target)

    def _bracket(self, text: str, start: int, *, final: bool) -> tuple[str | None, int]:
        """An HTML tag or a link in angle brackets."""
        bracket = read_bracket(text, start, self._given, final=final)
        if bracket.tag:
            self._code.follow_tag()
        if bracket.stripped:
            self._stripped[bracket.stripped] += 1
        # What is left out must not join what stood around it to a link.
        joins = bracket.text == "" and self._before in {"]", "!", "<", "`", "\\"}
        return (" " if joins else bracket.text), bracket.end

    def _given(self, url: str) -> bool:
        target = target_of(url)
        return bool(target) and self._known(target)

    def _notices(self) -> Iterator[str]:
        news = [number for number in self._invented if number not in self._told]
        self._told.update(news)
        if news:
            marks = _join([f"[{number}]" for number in news])
            were, them = ("was", "the mark was") if len(news) == 1 else ("were", "the marks were")
            yield f"The model cited {marks}, which {were} not among the passages; {them} removed."
        if self._stripped["image"]:
            yield "The model's answer would have loaded an image from elsewhere; only its description was kept."
        if self._stripped["link"]:
            yield "The model's answer had a link that is in none of its sources; only its text was kept."
        if self._stripped["tag"]:
            yield "The model's answer had HTML that loads or links something from elsewhere; it was removed."
        if self._stripped["address"]:
            yield "The model's answer had an address that is in none of its sources; it was made code, and no link."
        self._stripped = dict.fromkeys(self._stripped, 0)


def _cite(number: int, passage: Passage) -> Citation:
    return Citation(n=number, source=passage.source, title=passage.title, chunk=passage.chunk, score=passage.score)


def _join(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
