"""The documentation is true: its commands work, its links lead somewhere, its examples are what they say."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.contract.doc_pages import ROOT, RUNNABLE, Fence, anchors, fences, links, pages, read
from tests.contract.doc_workspace import Workspace, running, tail

PAGES = pages()
FENCES = [fence for page in PAGES for fence in fences(page, read(page))]
RUN = {page: [each for each in FENCES if each.page == page and each.language in RUNNABLE and not each.not_run]
       for page in PAGES}  # fmt: skip

#: Every command that is shown and not run, so that none is left out by and by: page, first line of the block.
NOT_RUN = {
    ("README.md", "make run"),
    ("CONTRIBUTING.md", "make test"),
    ("docs/getting-started.md", "make run"),
    ("docs/getting-started.md", 'export PATH="$PWD/.venv/bin:$PATH"'),
    ("docs/ollama.md", "ollama pull llama3:8b"),
    ("docs/observability.md", "agent-gateway mcp-observability --port 8080"),
    ("docs/vllm.md", "vllm serve meta-llama/Meta-Llama-3.1-70B-Instruct \\"),
    ("docs/vllm.md", "agent-gateway doctor --config models-vllm.yaml"),
}

HTTP_PAGE = "docs/http.md"
_ENDPOINT = re.compile(r"^\| `(GET|POST|DELETE) (/[^`]*)` ", re.MULTILINE)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory, prepared_clone: Path) -> Iterator[Workspace]:
    """One gateway for all pages, with the example documents."""
    with running(tmp_path_factory.mktemp("clone"), prepared_clone / "data") as found:
        yield found


@pytest.mark.server
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [page for page, found in RUN.items() if found])
def test_the_commands_of_a_page_work(page: str, workspace: Workspace) -> None:
    done = workspace.type(RUN[page])
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}\n{tail(workspace)}"


def test_what_is_not_run_is_listed_here() -> None:
    found = {
        (each.page, each.commands.splitlines()[0]) for each in FENCES if each.language in RUNNABLE and each.not_run
    }
    assert found == NOT_RUN


def test_commands_stand_in_blocks_that_are_run() -> None:
    wrong = [each.place for each in FENCES if each.language in {"", "bash", "shell", "shell-session", "zsh"}]
    assert wrong == [], "say `sh`, `console`, or `text` for what is not typed"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    broken = []
    for target in links(read(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        if not path.exists() or (anchor and anchor not in anchors(path.read_text(encoding="utf-8"))):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("fence", [each for each in FENCES if each.language in {"json", "yaml", "python"}],
                         ids=lambda each: each.place)  # fmt: skip
def test_an_example_is_well_formed(fence: Fence) -> None:
    if fence.language == "yaml":
        assert yaml.safe_load(fence.text) is not None
    elif fence.language == "python":
        ast.parse(fence.text)
    else:
        parse_json(fence.text)


def parse_json(text: str) -> None:
    """Parse one document, or one for each line."""
    try:
        json.loads(text)
    except json.JSONDecodeError:
        for line in text.splitlines():
            json.loads(line)


def test_the_readme_shows_the_echo_plugin_as_it_is() -> None:
    source = (ROOT / "plugins/echo/agent_gateway_echo.py").read_text(encoding="utf-8")
    assert source in [each.text for each in FENCES if each.page == "README.md" and each.language == "python"]
    assert len([line for line in source.splitlines() if line]) <= 12


@pytest.mark.server
def test_the_readme_shows_an_answer_as_it_is(workspace: Workspace) -> None:
    (shown,) = [json.loads(each.text) for each in FENCES if each.page == "README.md" and each.language == "json"]
    (question,) = [each for each in RUN["README.md"] if "/v1/chat" in each.text]
    answer = json.loads(workspace.type([question]).stdout)
    assert shown.keys() <= answer.keys()
    assert shown["route"].keys() <= answer["route"].keys()
    assert shown["intent"].keys() == answer["intent"].keys()
    assert shown["citations"][0]["source"] in {each["source"] for each in answer["citations"]}


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, pending = set[str](), ["README.md"]
    while pending:
        page = pending.pop()
        reached.add(page)
        for target in links(read(page)):
            path = (Path(page).parent / target.partition("#")[0]).as_posix()
            path = Path(ROOT / path).resolve().relative_to(ROOT).as_posix() if (ROOT / path).exists() else path
            if path in PAGES and path not in reached:
                pending.append(path)
    assert sorted(set(PAGES) - reached) == []


def test_every_defence_names_what_shows_it() -> None:
    rows = [row.strip("| ").split(" | ") for row in read("SECURITY.md").splitlines() if row.startswith("| ")][1:]
    assert len(rows) > 15
    for threat, _, shown_by in rows:
        named = re.findall(r"`([^`]+\.py)`", shown_by)
        assert named, threat
        assert [each for each in named if not (ROOT / each).is_file()] == []


@pytest.mark.server
def test_the_table_of_endpoints_is_complete(workspace: Workspace) -> None:
    served = endpoints(workspace.get("/schema", port=30120)) | endpoints(workspace.get("/schema"))
    assert set(_ENDPOINT.findall(read(HTTP_PAGE))) == served


def test_every_error_code_of_the_table_is_one_of_the_gateway() -> None:
    rows = re.findall(r"^\| [0-9, ]+ \| (`[^|]+`) \|", read(HTTP_PAGE), re.MULTILINE)
    codes = [code.strip("`") for row in rows for code in row.split(", ")]
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    assert len(codes) > 20
    assert [code for code in codes if f'"{code}"' not in source] == []


def endpoints(schema: bytes) -> set[tuple[str, str]]:
    """Return method and path of each operation of an OpenAPI document."""
    paths: dict[str, dict[str, object]] = json.loads(schema)["paths"]
    return {(method.upper(), path) for path, operations in paths.items() for method in operations}


def test_fences_are_read_as_they_are_rendered() -> None:
    text = "<!-- not run: it never ends -->\n\n```sh\nmake run\n```\n\n```console\n$ one \\\n> two\nout\n```\n"
    first, second = fences("page.md", text)
    assert (first.not_run, first.commands, first.line) == ("it never ends", "make run\n", 3)
    assert (second.not_run, second.commands) == ("", "one \\\ntwo\n")


def test_ports_are_shifted_in_commands_only_where_they_are_addresses(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, 1000)
    assert workspace.shift("curl localhost:30121/v1/chat -d 30121") == "curl 127.0.0.1:31121/v1/chat -d 30121"


def test_headings_can_be_linked_to() -> None:
    assert anchors("# What's new?\n## `POST /v1/chat`\n```sh\n# not this\n```\n") == {"whats-new", "post-v1chat"}
