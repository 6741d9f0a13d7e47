"""Where providers and other instances find the key that this gateway signs requests with.

Source: draft-meunier-http-message-signatures-directory, a JWK set at a well-known address.
"""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Response
from joserfc.jwk import ECKey

PATH = "/.well-known/http-message-signatures-directory"
MEDIA_TYPE = "application/http-message-signatures-directory+json"
MAX_AGE_SECONDS = 300


def router(key: ECKey) -> APIRouter:
    public = key.as_dict(private=False) | {"kid": key.thumbprint(), "use": "sig", "alg": "ES256"}
    body = orjson.dumps({"keys": [public]})
    made = APIRouter()

    @made.get(PATH)
    async def read_keys() -> Response:
        headers = {"cache-control": f"public, max-age={MAX_AGE_SECONDS}"}
        return Response(body, media_type=MEDIA_TYPE, headers=headers)

    return made
