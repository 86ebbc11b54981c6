"""`git_commit` against a real Git server: previewed, made once, found again, and refused when the world has moved."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from plugins.gitops.agent_gateway_gitops.settings import GitopsSettings, RepositorySettings
from plugins.gitops.agent_gateway_gitops.tools import Repositories
from tests.git_server import LINK, GitServer

import agent_gateway as ag

DEPLOYMENT = """\
# web, the shop window
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
    replicas: 2   # two are enough
    template:
      spec:
        containers:
          - name: web
            image: "ghcr.io/acme/web:1.2.3"  # bumped by hand
"""
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: shop}
spec:
  chart: {spec: {chart: shop, version: '1.0.0'}}
  values:
    replicaCount: 1
    image:
      repository: ghcr.io/acme/shop
      tag: 2.0
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {password: hunter2}\n"
FILES = {
    "apps/web/deployment.yaml": DEPLOYMENT,
    "apps/shop.yaml": RELEASE,
    "apps/secret.yaml": SECRET,
    "clusters/lab/flux-system/sync.yaml": DEPLOYMENT.replace("name: web", "name: sync"),
    "docs/readme.md": "hello\n",
}
BUMP: list[Any] = [{"app": "web", "field": "tag", "value": "1.2.4"}]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    server = GitServer(tmp_path / "apps.git", password="s3cret-token")
    server.commit(FILES, "begin")
    with server.running():
        yield server


@pytest.fixture
def git(server: GitServer, tmp_path: Path) -> Iterator[Repositories]:
    (tmp_path / "token").write_text("s3cret-token\n")
    yield from opened(server.url, tmp_path, token_file=tmp_path / "token")


def opened(url: str, folder: Path, timeout: float = 20.0, **options: Any) -> Iterator[Repositories]:
    settings = RepositorySettings(url=url, paths=("apps/**/*.yaml",), **options)
    found = Repositories(
        GitopsSettings(repositories={"apps": settings}, cache_dir=folder / "cache", timeout_seconds=timeout)
    )
    yield found
    found.close()


async def warrant(git: Repositories, edits: list[Any], key: str = "run-1.call-1") -> ag.Warrant:
    targets = (await git.preview_commit("Bump", edits)).targets
    return ag.Warrant(
        key=key, run_id="run-1", persona="bruno", requester="alice", approver="bob", comment="ok", targets=targets
    )


async def test_the_preview_shows_only_the_changed_lines_and_pushes_nothing(
    server: GitServer, git: Repositories
) -> None:
    edits: list[Any] = [*BUMP, {"app": "web", "field": "replicas", "value": "3"}]
    preview = await git.preview_commit("Bump web", edits)
    changed = [line for line in preview.diff.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    assert changed == [
        "-    replicas: 2   # two are enough",
        "+    replicas: 3   # two are enough",
        '-            image: "ghcr.io/acme/web:1.2.3"  # bumped by hand',
        '+            image: "ghcr.io/acme/web:1.2.4"  # bumped by hand',
    ]
    head, touched = preview.targets
    assert head.name == f"{server.url}@main"
    assert touched.name == f"{server.url}@main:apps/web/deployment.yaml"
    assert "1.2.3" in preview.summary
    assert server.pushes == 0


async def test_a_commit_is_pushed_once_with_its_trailers(server: GitServer, git: Repositories) -> None:
    allowed = await warrant(git, BUMP)
    assert (await git.verify_commit("Bump web", BUMP, allowed)).outcome == "not_done"
    first = await git.git_commit("Bump web\n\nBecause of a fix.", BUMP, allowed)
    again = await git.git_commit("Bump web\n\nBecause of a fix.", BUMP, allowed)
    assert first == again
    assert server.pushes == 1
    assert server.files() == {
        **FILES, "apps/web/deployment.yaml": DEPLOYMENT.replace("1.2.3", "1.2.4"),
    }  # fmt: skip
    assert server.messages()[0] == (
        "Bump web\n\nBecause of a fix.\n\nAgent-Gateway-Run: run-1\nAgent-Gateway-Requester: alice\n"
        "Agent-Gateway-Approver: bob\nIdempotency-Key: run-1.call-1\n"
    )
    assert (await git.verify_commit("Bump web", BUMP, allowed)).outcome == "done"


async def test_a_moved_branch_is_taken_along_when_the_file_is_the_same(server: GitServer, git: Repositories) -> None:
    allowed = await warrant(git, BUMP)
    server.commit({"docs/readme.md": "other\n"}, "unrelated")
    await git.git_commit("Bump web", BUMP, allowed)
    assert [message.split("\n")[0] for message in server.messages()] == ["Bump web", "unrelated", "begin"]


async def test_a_file_that_changed_since_the_approval_is_a_conflict(server: GitServer, git: Repositories) -> None:
    allowed = await warrant(git, BUMP)
    server.commit({"apps/web/deployment.yaml": DEPLOYMENT.replace("replicas: 2", "replicas: 9")})
    with pytest.raises(ag.Conflict, match=r"changed since it was approved: apps/web/deployment\.yaml"):
        await git.git_commit("Bump web", BUMP, allowed)
    assert server.pushes == 0
    assert (await git.verify_commit("Bump web", BUMP, allowed)).outcome == "not_done"


async def test_a_lost_race_is_noticed_and_run_again(server: GitServer, git: Repositories) -> None:
    allowed = await warrant(git, BUMP)

    def interfere() -> None:
        server.before_push = None
        server.commit({"docs/readme.md": "raced\n"}, "raced")

    server.before_push = interfere
    await git.git_commit("Bump web", BUMP, allowed)
    assert [message.split("\n")[0] for message in server.messages()] == ["Bump web", "raced", "begin"]
    assert server.pushes == 2


async def test_a_branch_that_never_stands_still_is_a_conflict(server: GitServer, git: Repositories) -> None:
    allowed = await warrant(git, BUMP)
    server.before_push = lambda: server.commit({"docs/readme.md": str(server.pushes)}, "raced")
    with pytest.raises(ag.Conflict, match="kept moving"):
        await git.git_commit("Bump web", BUMP, allowed)
    assert DEPLOYMENT in server.files().values()


async def test_what_is_so_already_is_not_committed(server: GitServer, git: Repositories) -> None:
    edits: list[Any] = [{"app": "web", "field": "replicas", "value": 2}]
    with pytest.raises(ag.Conflict, match="already so") as caught:
        await git.preview_commit("Bump", edits)
    assert caught.value.code == "already_so"
    allowed = await warrant(git, BUMP)
    server.commit({"apps/web/deployment.yaml": DEPLOYMENT.replace("1.2.3", "1.2.4")}, "by hand")
    assert "nothing was committed" in await git.git_commit("Bump web", BUMP, allowed)
    assert (await git.verify_commit("Bump web", BUMP, allowed)).outcome == "done"
    assert server.pushes == 0


async def test_a_crash_after_the_push_is_found_out(server: GitServer, git: Repositories, tmp_path: Path) -> None:
    allowed = await warrant(git, BUMP)
    await git.git_commit("Bump web", BUMP, allowed)
    server.commit({"apps/web/deployment.yaml": DEPLOYMENT}, "undone by hand")
    for other in opened(server.url, tmp_path / "elsewhere", token_file=tmp_path / "token"):
        assert (await other.verify_commit("Bump web", BUMP, allowed)).outcome == "done"
        assert (await other.git_commit("Bump web", BUMP, allowed)).startswith("Committed")
    assert server.pushes == 1


async def test_a_server_that_is_away_leaves_the_outcome_unknown(server: GitServer, git: Repositories) -> None:
    allowed = await warrant(git, BUMP)
    server.status = 503
    with pytest.raises(ag.Unavailable, match="503"):
        await git.git_commit("Bump web", BUMP, allowed)
    assert (await git.verify_commit("Bump web", BUMP, allowed)).outcome == "unknown"


async def test_a_call_that_is_given_up_pushes_nothing_later(server: GitServer, git: Repositories) -> None:
    allowed = await warrant(git, BUMP)
    server.delay = 0.3
    running = asyncio.create_task(git.git_commit("Bump web", BUMP, allowed))
    await asyncio.sleep(0.1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await git.verify_commit("Bump web", BUMP, allowed)).outcome == "not_done"
    assert server.pushes == 0


async def test_work_takes_no_longer_than_it_may(server: GitServer, tmp_path: Path, git: Repositories) -> None:
    server.delay = 0.3
    for hasty in opened(server.url, tmp_path / "hasty", timeout=0.2, token_file=tmp_path / "token"):
        with pytest.raises(ag.Unavailable, match=r"within 0\.2 s"):
            await hasty.git_log()


async def test_a_wrong_password_is_told_without_it(
    server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TOKEN_OF_TEST", "wr0ng-token")
    for git in opened(server.url, tmp_path, password_env="GIT_TOKEN_OF_TEST"):
        with pytest.raises(ag.Forbidden) as caught:
            await git.preview_commit("Bump", BUMP)
        assert "wr0ng-token" not in str(caught.value)
        assert "token_file" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [(302, ag.Unavailable, "redirects"), (403, ag.Forbidden, "credentials"), (404, ag.NotFound, "no Git repository")],
)
async def test_a_server_that_will_not_serve_is_told_apart(
    server: GitServer, git: Repositories, status: int, kind: type[ag.GatewayError], reason: str
) -> None:
    server.status = status
    with pytest.raises(kind, match=reason):
        await git.git_log()


async def test_credentials_are_nowhere_on_disk(server: GitServer, git: Repositories, tmp_path: Path) -> None:
    await git.git_commit("Bump web", BUMP, await warrant(git, BUMP))
    kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if b"s3cret-token" in path.read_bytes()]
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    assert "s3cret-token" not in server.messages()[0]


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ({"file": "../etc/passwd.yaml", "content": "a: 1\n"}, "no path"),
        ({"file": "/apps/a.yaml", "content": "a: 1\n"}, "no path"),
        ({"file": "apps/.git/a.yaml", "content": "a: 1\n"}, "never edited"),
        ({"file": ".github/workflows/a.yaml", "content": "a: 1\n"}, "never edited"),
        ({"file": "apps/.sops.yaml", "content": "a: 1\n"}, "never edited"),
        ({"file": "apps/flux-system/a.yaml", "content": "a: 1\n"}, "never edited"),
        ({"file": "docs/readme.md", "content": "bye\n"}, "may not be edited"),
        ({"app": "sync", "field": "replicas", "value": 3}, "never edited"),
        ({"file": "apps/new.yaml", "content": SECRET}, "Secret"),
        (
            {"file": "apps/new.yaml", "content": '{"kind": "Secr\\u0065t", "apiVersion": "v1", "metadata": {}}'},
            "Secret",
        ),
        ({"file": "apps/new.yaml", "content": "a: &k Secret\nb: {kind: *k, data: {}}\n"}, "Secret"),
        ({"file": "apps/new.yaml", "content": "a: ENC[AES256_GCM,data:x]\n"}, "Secret"),
        ({"file": "apps/secret.yaml", "field": "metadata.name", "value": "other"}, "Secret"),
        ({"file": "apps/secret.yaml", "content": "a: 1\n"}, "Secret"),
        ({"file": "apps/new.yaml", "content": "a: [\n"}, "no YAML"),
        ({"file": "apps/new.yaml", "content": "a: " + "x" * 300_000}, "larger than"),
        ({"file": "apps/link.yaml", "field": "a", "value": 1}, "symbolic link"),
        ({"file": "apps/linked/a.yaml", "content": "a: 1\n"}, "symbolic link"),
        ({"file": "apps/web", "field": "a", "value": 1}, "may not be edited"),
        ({"app": "nobody", "field": "replicas", "value": 1}, "no app 'nobody'"),
        ({"app": "web", "field": "version", "value": 1}, "no field 'version'"),
        ({"app": "web", "field": "replicas", "value": "many"}, "is a number"),
        ({"app": "web", "field": "tag", "value": "a b"}, "is no tag"),
        ({"app": "web", "field": "tag"}, "names an app"),
        ({"app": "web", "field": "tag", "value": "1", "content": "x"}, "a whole file"),
    ],
)
async def test_what_may_not_be_edited_is_refused_before_anybody_is_asked(
    server: GitServer, git: Repositories, edit: Any, reason: str
) -> None:
    server.commit({"apps/link.yaml": "web/deployment.yaml", "apps/linked": "web"}, mode=LINK)
    with pytest.raises(ag.GatewayError, match=reason):
        await git.preview_commit("Change", [edit])


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("", "one line"),
        ("x" * 101, "one line"),
        ("a\nb", "empty line"),
        ("a\n\nb\x1b[31m", "control"),
        ("a\n\nIdempotency-Key: run-2.call-1", "gateway's own"),
        ("a\n\nagent-gateway-approver : root", "gateway's own"),
    ],
)
async def test_a_message_is_one_line_and_a_body_and_signs_for_nobody(
    git: Repositories, message: str, reason: str
) -> None:
    with pytest.raises(ag.InvalidInput, match=reason):
        await git.preview_commit(message, BUMP)


async def test_an_app_in_several_files_is_named_with_all_of_them(server: GitServer, git: Repositories) -> None:
    server.commit({"apps/staging/web.yaml": DEPLOYMENT})
    with pytest.raises(ag.InvalidInput, match=r"apps/staging/web\.yaml.*apps/web/deployment\.yaml"):
        await git.preview_commit("Bump", BUMP)
    edits: list[Any] = [{**BUMP[0], "file": "apps/staging/web.yaml"}]
    preview = await git.preview_commit("Bump", edits)
    assert "+++ b/apps/staging/web.yaml" in preview.diff


async def test_new_files_and_releases_are_written(server: GitServer, git: Repositories) -> None:
    edits: list[Any] = [
        {"file": "apps/new.yaml", "content": "a: 1\n"},
        {"app": "shop", "field": "tag", "value": "2.1"},
        {"app": "shop", "field": "version", "value": "1.1.0"},
        {"app": "shop", "field": "values.ingress.enabled", "value": True},
    ]
    await git.git_commit("Release", edits, await warrant(git, edits))
    files = server.files()
    assert files["apps/new.yaml"] == "a: 1\n"
    assert files["apps/shop.yaml"] == RELEASE.replace("tag: 2.0", 'tag: "2.1"').replace("'1.0.0'", "'1.1.0'").replace(
        "    replicaCount", "    ingress:\n      enabled: true\n    replicaCount"
    )


async def test_a_local_repository_works_and_a_checked_out_branch_is_left_alone(tmp_path: Path) -> None:
    server = GitServer(tmp_path / "local.git")
    server.commit(FILES, "begin")
    for git in opened(f"file://{tmp_path}/local.git", tmp_path):
        allowed = await warrant(git, BUMP)
        await git.git_commit("Bump web", BUMP, allowed)
        assert "1.2.4" in server.files()["apps/web/deployment.yaml"]
        (tmp_path / "local.git" / "config").write_text("[core]\n\tbare = false\n\trepositoryformatversion = 0\n")
        undo: list[Any] = [{**BUMP[0], "value": "1.2.3"}]
        (tmp_path / "local.git").rename(tmp_path / ".git")
        (tmp_path / "local.git").mkdir()
        (tmp_path / ".git").rename(tmp_path / "local.git" / ".git")
        allowed = await warrant(git, undo, key="run-1.call-2")
        with pytest.raises(ag.Conflict, match="checked out"):
            await git.git_commit("Undo", undo, allowed)
