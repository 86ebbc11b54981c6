"""How long a folder takes to ingest: the first time, unchanged, with one file changed, with one deleted.

python -m benchmarks.ingestion [--files 1000] [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path

from agent_gateway.interfaces import IngestProgress
from agent_gateway.knowledge.encoders.bulk_encoder import BulkEncoder
from agent_gateway.knowledge.encoders.weights import SHA256
from agent_gateway.knowledge.ingest import Ingester
from agent_gateway.knowledge.lancedb_store import Store
from agent_gateway.knowledge.rows import TableMark
from benchmarks.figures import Figure, show
from benchmarks.gateway_process import CACHE, ROOT

#: A repeated ingest may take this share of the first.
TARGET_SHARE = 0.1


def write_files(folder: Path, count: int, seed: int) -> None:
    """Short Markdown files of sentences from the example documents."""
    source = random.Random(seed)
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples").rglob("*.md"))]
    lines = [line for text in texts for line in text.splitlines() if len(line) > 60 and line[0].isalpha()]
    for number in range(count):
        place = folder / f"part-{number % 20:02d}" / f"page-{number:05d}.md"
        place.parent.mkdir(exist_ok=True)
        body = "\n\n".join(source.sample(lines, 3))
        place.write_text(f"# Page {number}\n\n{body}\n", encoding="utf-8")


async def ingest(ingester: Ingester, folder: Path) -> tuple[float, IngestProgress, int]:
    """Seconds, the last report, and how many reports there were."""
    begun, reports = time.perf_counter(), 0
    last = IngestProgress(files=0, total=0)
    async for progress in ingester.ingest(folder, "pages"):
        last, reports = progress, reports + 1
    return time.perf_counter() - begun, last, reports


async def measure(files: int, seed: int) -> list[Figure]:
    """Ingest four times."""
    with tempfile.TemporaryDirectory(prefix="agent-gateway-benchmark-") as name:
        folder = Path(name) / "pages"
        folder.mkdir()
        write_files(folder, files, seed)
        store = await Store.open(Path(name) / "knowledge")
        async with BulkEncoder(CACHE) as bulk:
            ingester = Ingester(store, bulk, TableMark(encoder=SHA256, precision=bulk.precision, sentences=bulk.mode))
            first, done, reports = await ingest(ingester, folder)
            again, same, _ = await ingest(ingester, folder)
            pages = sorted(folder.rglob("*.md"))
            pages[0].write_text("# Changed\n\nThis page says something else now.\n", encoding="utf-8")
            changed, one, _ = await ingest(ingester, folder)
            pages[-1].unlink()
            deleted, gone, _ = await ingest(ingester, folder)
        store.close()
    assert (done.added, same.unchanged, one.changed, gone.removed) == (files, files, 1, 1)
    return [
        Figure("files", files, ""),
        Figure("first ingest", first, "s"),
        Figure("progress reports", reports, ""),
        Figure("again, unchanged", again, "s", TARGET_SHARE * first, first),
        Figure("again, one file changed", changed, "s"),
        Figure("again, one file deleted", deleted, "s"),
    ]


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    show("ingestion", await measure(options.files, options.seed))


if __name__ == "__main__":
    asyncio.run(main())
