"""An OpenID Connect provider on loopback: discovery, its keys, and tokens signed with them or against all rules."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "agent-gateway"


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A private key; making one takes a moment, so it is kept."""
    del name
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    """A private key on P-256."""
    del name
    return ec.generate_private_key(ec.SECP256R1())


class IdentityProvider:
    """`keys`: what it publishes. `asked`: the paths it was asked for. `down`: answers 503. `says`: its issuer."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [published("first")]
        self.asked: list[str] = []
        self.down = False
        self.url = ""
        self.says = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        self.asked.append(path)
        documents = {
            "/.well-known/openid-configuration": {"issuer": self.says, "jwks_uri": f"{self.url}/keys"},
            "/keys": {"keys": self.keys},
        }
        body = json.dumps(documents.get(path, {})).encode()
        status = "503 Service Unavailable" if self.down else "200 OK" if path in documents else "404 Not Found"
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a good token, except for what is changed; None takes one away."""
        now = int(time.time())
        made = {"iss": self.url, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 300, **changes}
        return {name: value for name, value in made.items() if value is not None}

    def token(self, key: str = "first", *, headers: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token signed with RS256 by a key, known to the provider or not."""
        return jwt.encode(self.claims(**changes), rsa_key(key), "RS256", headers={"kid": key, **(headers or {})})


def published(name: str, **changes: Any) -> dict[str, Any]:
    """An RSA key as a provider publishes it."""
    key = RSAAlgorithm.to_jwk(rsa_key(name).public_key(), as_dict=True)
    return {**key, "kid": name, "use": "sig", **changes}


def published_ec(name: str, **changes: Any) -> dict[str, Any]:
    """An EC key as a provider publishes it."""
    return {**ECAlgorithm.to_jwk(ec_key(name).public_key(), as_dict=True), "kid": name, **changes}


def public_pem(name: str) -> bytes:
    """The public key as text: what an attacker has of it."""
    return rsa_key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@asynccontextmanager
async def identity_provider() -> AsyncIterator[IdentityProvider]:
    """Serve until the block is left."""
    provider = IdentityProvider()
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    provider.url = provider.says = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield provider
