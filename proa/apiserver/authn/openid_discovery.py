"""The two documents by which others verify this cluster's service-account tokens (OpenID Connect Discovery 1.0)."""

import orjson

from proa.api.meta import Object
from proa.lib.http.message import Response
from proa.lib.json_web_token import SigningKey

CONFIGURATION_PATH = "/.well-known/openid-configuration"
KEYS_PATH = "/openid/v1/jwks"
KEYS_MEDIA_TYPE = "application/jwk-set+json"
CACHED = "public, max-age=3600"
"""Verifiers need not ask each time; keys change rarely, and old ones stay known."""


def published(document: Object, media_type: str = "application/json") -> Response:
    return Response(200, {"content-type": media_type, "cache-control": CACHED}, orjson.dumps(document))


def openid_configuration(key: SigningKey, issuer: str, external_url: str = "", keys_url: str = "") -> Object:
    """`keys_url` is where the keys are published, if not by this server; `external_url` is where others reach this server
    (https://host:port); the issuer's own place if neither is given."""
    return {
        "issuer": issuer,
        "jwks_uri": keys_url or f"{(external_url or issuer).rstrip('/')}{KEYS_PATH}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(dict.fromkeys(each["alg"] for each in key.json_web_keys())),
    }


def json_web_key_set(key: SigningKey) -> Object:
    return {"keys": key.json_web_keys()}
