"""`git_commit`: edits manifests and pushes the commit, once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from dulwich.objects import Commit

import agent_gateway as ag

from . import trees
from .checkout import Checkout, Moved
from .edits import Draft, Edit, apply
from .messages import check_message, find_effect, make_commit, sign

_ATTEMPTS = 5
_LONGEST_DIFF = 20_000


@dataclass(frozen=True)
class Plan:
    """A commit that could be made onto a head: the files with their new content, and the blobs they have now."""

    head: Commit
    files: dict[str, bytes]
    blobs: dict[str, str]
    notes: tuple[str, ...]


def plan(checkout: Checkout, edits: list[Edit], head: Commit) -> Plan:
    """Apply the edits in memory."""
    store, tree = checkout.store, head.tree

    def read(path: str) -> bytes | None:
        checkout.limit.check()
        return trees.read(store, tree, path)

    draft = Draft(
        read=read,
        files=lambda: trees.yaml_files(store, tree, checkout.settings.apps_path),
        globs=checkout.settings.paths,
    )
    apply(edits, draft)
    files = {path: content for path, content in draft.changed.items() if content != read(path)}
    blobs = {path: trees.blob_id(store, tree, path) for path in files}
    return Plan(head=head, files=files, blobs=blobs, notes=tuple(draft.notes))


def preview(checkout: Checkout, message: str, edits: list[Edit]) -> ag.Preview:
    """What the commit would be; `Conflict` (`already_so`) when it would be empty."""
    check_message(message)
    planned = plan(checkout, edits, checkout.fetch())
    settings = checkout.settings
    if not planned.files:
        raise ag.Conflict(f"{settings.target} is already so: nothing to commit", code="already_so")
    diff = "".join(
        trees.unified(path, trees.read(checkout.store, planned.head.tree, path), content)
        for path, content in sorted(planned.files.items())
    )
    if len(diff) > _LONGEST_DIFF:
        raise ag.InvalidInput(f"the change is too long to be looked at: more than {_LONGEST_DIFF} characters of diff")
    head = ag.Target(name=settings.target, version=planned.head.id.decode())
    touched = (
        ag.Target(name=_file_target(settings.target, path), version=blob) for path, blob in planned.blobs.items()
    )
    summary = f"Commit to {settings.target}: {'; '.join(planned.notes)}."
    return ag.Preview(summary=summary, diff=diff, targets=(head, *touched))


def commit(checkout: Checkout, message: str, edits: list[Edit], warrant: ag.Warrant) -> str:
    """Commit and push what was approved; `Conflict` when a file it touches is another one by now."""
    settings = checkout.settings
    approved = {target.name: target.version for target in warrant.targets}
    for attempt in range(_ATTEMPTS + 1):
        head = checkout.fetch()
        made, _complete = find_effect(checkout.store, head, warrant, approved.get(settings.target, ""), checkout.limit)
        if made is not None:
            return f"Committed {made.id.decode()[:12]} to {settings.target}."
        planned = plan(checkout, edits, head)
        if not planned.files:
            return f"{settings.target} is already so: nothing was committed."
        _compare(planned, approved, settings.target)
        if attempt < _ATTEMPTS:
            _push(checkout, planned, sign(message, warrant))
    raise ag.Conflict(f"{settings.target} kept moving, {_ATTEMPTS} times in a row", hint="try again")


def _push(checkout: Checkout, planned: Plan, message: bytes) -> None:
    """Commit and push onto the head of the plan. Whether it is there is only known when the branch is fetched again.

    A server may say that all is well and have lost a race; `Conflict` when it refuses, and nobody else has pushed.
    """
    settings, head = checkout.settings, planned.head
    tree = trees.write(checkout.store, head.tree, planned.files)
    new = make_commit(head, tree, settings.author, message)
    checkout.store.add_object(new)
    try:
        refusal = checkout.push(new, head)
    except Moved:
        return
    if refusal and checkout.fetch().id == head.id:
        raise ag.Conflict(f"{settings.url} refused the push: {refusal}", code="git_refused")


def verify(checkout: Checkout, edits: list[Edit], warrant: ag.Warrant) -> ag.Verification:
    """Look for the effect's commit on the branch, or for what it was to bring about."""
    settings = checkout.settings
    approved = {target.name: target.version for target in warrant.targets}
    head = checkout.fetch()
    made, complete = find_effect(checkout.store, head, warrant, approved.get(settings.target, ""), checkout.limit)
    if made is not None:
        text = f"commit {made.id.decode()[:12]} of this call is on {settings.target}"
        return ag.Verification(outcome="done", text=text)
    # When the files have changed so that the edits fit no more, that says nothing about this effect.
    with suppress(ag.InvalidInput, ag.NotFound, ag.Forbidden):
        if not plan(checkout, edits, head).files:
            return ag.Verification(outcome="done", text=f"{settings.target} is as the call wants it")
    if not complete:
        return ag.Verification(outcome="unknown", text=f"the history of {settings.target} is too long to be searched")
    return ag.Verification(outcome="not_done", text=f"no commit on {settings.target} is of this call")


def _compare(planned: Plan, approved: dict[str, str], target: str) -> None:
    """The head may have moved, but the files to be written must be those that were looked at."""
    now = {_file_target(target, path): blob for path, blob in planned.blobs.items()}
    seen = {name: version for name, version in approved.items() if name != target}
    if now != seen:
        other = sorted(name.removeprefix(f"{target}:") for name in now.keys() ^ seen.keys())
        other += sorted(name.removeprefix(f"{target}:") for name in now.keys() & seen.keys() if now[name] != seen[name])
        raise ag.Conflict(f"changed since it was approved: {', '.join(other)}", hint="ask again to see the new change")


def _file_target(target: str, path: str) -> str:
    return f"{target}:{path}"
