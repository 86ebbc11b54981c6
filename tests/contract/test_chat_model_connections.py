"""Connections as servers in houses have them: TLS with an authority of one's own, and ones that die while kept."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest
from tests.contract.chat_model_doors import DOORS, Door, collect, text_of
from tests.unit.models.raw_server import CLOSE, GOOD, raw_server

from agent_gateway.errors import ModelFailed

pytestmark = pytest.mark.parametrize("door", [door for door in DOORS if door.api == "openai"], ids=str)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that vouches for itself, in one file with its key."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command: list[str | Path] = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return folder


def tls_of(folder: Path) -> ssl.SSLContext:
    """The server's side of it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


async def test_tls_trusts_the_authorities_of_the_system(
    door: Door, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "certificate.pem"))
    async with raw_server(GOOD, tls=tls_of(certificate)) as server:
        model = door.open(f"https://127.0.0.1:{server.port}/v1")
        assert [text_of(await collect(model)) for _ in range(2)] == ["Yes.", "Yes."]
        await model.close()
    assert server.connections == 1


async def test_tls_trusts_nobody_else(door: Door, certificate: Path) -> None:
    async with raw_server(GOOD, tls=tls_of(certificate)) as server:
        model = door.open(f"https://127.0.0.1:{server.port}/v1")
        with pytest.raises(ModelFailed, match="certificate verify failed") as caught:
            await collect(model)
        await model.close()
    assert caught.value.code == "model_unreachable"
    assert server.requests == []


async def test_a_kept_connection_that_died_is_replaced(door: Door) -> None:
    async with raw_server(GOOD, CLOSE, GOOD) as server:
        model = door.open(f"{server.url}/v1")
        assert [text_of(await collect(model)) for _ in range(2)] == ["Yes.", "Yes."]
        await model.close()
    assert (len(server.requests), server.connections) == (3, 2)


async def test_a_new_connection_that_dies_is_not_tried_again(door: Door) -> None:
    async with raw_server(CLOSE) as server:
        model = door.open(f"{server.url}/v1")
        with pytest.raises(ModelFailed) as caught:
            await collect(model)
        await model.close()
    assert (caught.value.code, len(server.requests)) == ("model_unreachable", 1)


async def test_no_proxy_is_asked(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server(GOOD) as server, raw_server(CLOSE) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        model = door.open(f"{server.url}/v1")
        assert text_of(await collect(model)) == "Yes."
        await model.close()
    assert proxy.connections == 0
