"""Edits: what a call asks to be written, and what becomes of the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

import agent_gateway as ag

from . import scalars
from .fields import Assignment, resolve
from .manifests import Document, documents, search
from .places import text_at
from .rules import check_content, check_path

_MOST_EDITS = 20


class Edit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One change: a field of a manifest, found by app or file, or the whole content of a file."""

    app: Annotated[
        str, msgspec.Meta(description="Name of a Deployment, StatefulSet, HelmRelease or Kustomization.")
    ] = ""
    file: Annotated[str, msgspec.Meta(description="Path in the repository, instead of app or with it.")] = ""
    field: Annotated[
        str,
        msgspec.Meta(description="image, tag, tag[container], replicas, suspend, values.x.y or a path like spec.x.y."),
    ] = ""
    value: Annotated[str | int | float | bool | None, msgspec.Meta(description="The field's new value.")] = None
    content: Annotated[
        str | None, msgspec.Meta(description="Instead of field and value: the file's whole content.")
    ] = None


@dataclass
class Draft:
    """Files as they will be. `read` gives a file's present bytes or None, `files` lists the YAML files there are."""

    read: Callable[[str], bytes | None]
    files: Callable[[], Iterable[str]]
    globs: tuple[str, ...]
    changed: dict[str, bytes] = field(default_factory=dict)
    #: One line for each edit that changes something.
    notes: list[str] = field(default_factory=list)

    def now(self, path: str) -> bytes | None:
        """A file with the edits so far."""
        return self.changed[path] if path in self.changed else self.read(path)


def parse_edits(given: Any) -> list[Edit]:
    """Edits as a call has them; `InvalidInput` says what does not fit."""
    try:
        edits = msgspec.convert(msgspec.to_builtins(given), list[Edit], strict=False)
    except msgspec.ValidationError as error:
        raise ag.InvalidInput(f"the edits do not fit: {error}") from None
    if not 0 < len(edits) <= _MOST_EDITS:
        raise ag.InvalidInput(f"a commit has 1 to {_MOST_EDITS} edits")
    for edit in edits:
        whole = edit.content is not None
        if whole and (not edit.file or edit.app or edit.field or edit.value is not None):
            raise ag.InvalidInput("a whole file is given as file and content, and nothing else")
        if not whole and (not (edit.app or edit.file) or not edit.field or edit.value is None):
            raise ag.InvalidInput("an edit names an app or a file, a field and its value; or a file and its content")
    return edits


def apply(edits: list[Edit], draft: Draft) -> None:
    """Write the edits into the draft; an edit that is so already changes nothing."""
    for edit in edits:
        if edit.content is not None:
            _write_file(edit.file, edit.content.encode(), draft)
        else:
            _set_field(edit, draft)


def _write_file(path: str, content: bytes, draft: Draft) -> None:
    check_path(path, draft.globs)
    check_content(path, content)
    before = draft.now(path)
    if before is not None:
        check_content(path, before)
    if path.endswith((".yaml", ".yml")):
        documents(path, content.decode())
    if before != content:
        draft.changed[path] = content
        draft.notes.append(f"{path}: {'new file' if before is None else 'new content'}")


def _set_field(edit: Edit, draft: Draft) -> None:
    document, assignments = _choose(edit, draft)
    path = document.file
    check_path(path, draft.globs)
    before = draft.now(path) or b""
    check_content(path, before)
    text = before.decode()
    for each in assignments:
        was = text_at(document.root, *each.steps) if each.exists else "not set"
        write = scalars.replace if each.exists else scalars.add
        changed = write(text, document.index, each.steps, each.value)
        if changed != text:
            draft.notes.append(f"{path}: {document.name or edit.app} {'.'.join(each.steps)}: {was} -> {each.value}")
        text = changed
    if text.encode() != before:
        draft.changed[path] = text.encode()


def _choose(edit: Edit, draft: Draft) -> tuple[Document, tuple[Assignment, ...]]:
    """The one document in which the field stands, or else the one to which it can be added."""
    candidates = _candidates(edit, draft)
    value = edit.value if edit.value is not None else ""
    resolved = [(each, resolve(each, edit.field, value)) for each in candidates]
    fitting = [pair for pair in resolved if pair[1]]
    present = [pair for pair in fitting if all(each.exists for each in pair[1])]
    chosen = present or fitting
    if len(chosen) == 1:
        return chosen[0]
    places = "; ".join(each.title for each, _ in chosen or resolved)
    if chosen:
        raise ag.InvalidInput(f"'{edit.field}' of '{edit.app or edit.file}' is in several places: {places}",
                              hint="name the file, and the app in it")  # fmt: skip
    raise ag.NotFound(f"there is no field '{edit.field[:80]}' in {places}", code="git_no_field")


def _candidates(edit: Edit, draft: Draft) -> list[Document]:
    if edit.file:
        check_path(edit.file, draft.globs)
        content = draft.now(edit.file)
        if content is None:
            raise ag.NotFound(f"there is no file {edit.file}", code="git_no_file")
        check_content(edit.file, content)
        found = documents(edit.file, content.decode())
        found = [each for each in found if not edit.app or each.name == edit.app]
    else:
        found = search(edit.app, iter(draft.files()), lambda path: draft.now(path) or b"")
    if not found:
        place = edit.file or "the repository"
        hint = "an app is a Deployment, StatefulSet, DaemonSet, HelmRelease or Flux Kustomization"
        raise ag.NotFound(f"there is no app '{edit.app[:80]}' in {place}", code="git_no_app", hint=hint)
    return found
