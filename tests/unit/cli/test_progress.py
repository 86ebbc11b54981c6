from __future__ import annotations

import msgspec
import pytest

from agent_gateway.cli.output import Output
from agent_gateway.cli.progress import ProgressDisplay
from agent_gateway.interfaces import IngestProgress

STEPS = (
    IngestProgress(files=1, total=4, chunks=3),
    IngestProgress(files=4, total=4, chunks=9, added=2, unchanged=1, skipped={"x.pdf": "empty"}, finished=True),
)


@pytest.mark.parametrize(
    ("as_json", "expected"),
    [(False, "notes: 2 added, 1 unchanged, 1 skipped; 9 chunks written\n"), (True, None)],
)
def test_the_counts_are_told(capsys: pytest.CaptureFixture[str], as_json: bool, expected: str | None) -> None:
    with ProgressDisplay(Output(as_json=as_json), "notes") as display:
        for step in STEPS:
            display.show(step)
    out, err = capsys.readouterr()
    assert err == ""
    if expected is not None:
        assert out == expected
    else:
        assert [msgspec.json.decode(line, type=IngestProgress) for line in out.splitlines()] == list(STEPS)
