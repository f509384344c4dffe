"""What the pages of a list hand to the client: the revision that all pages show, and the last key that was given out.

The shape is upstream's, base64 of a small JSON document; clients must treat it as opaque. A token without a revision continues after its
key with whatever is there now: the API server puts one into the 410 answer when the history of the first page has been compacted, so that
a client that can live with an inconsistent list may go on.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

import orjson

from proa.api.errors import BadRequest
from proa.api.strict_json import decode_json

VERSION = "meta.k8s.io/v1"
NEWEST = -1


class ContinueToken(NamedTuple):
    """`after` is relative to the collection; `revision` NEWEST means whatever is there now."""

    revision: int
    after: str

    def encode(self) -> str:
        document = orjson.dumps({"v": VERSION, "rv": self.revision, "start": self.after})
        return urlsafe_b64encode(document).rstrip(b"=").decode()


def decode(token: str) -> ContinueToken:
    """Raises ValueError for what is not a token."""
    try:
        document = decode_json(urlsafe_b64decode(token + "=" * (-len(token) % 4))).value
        version, revision, after = document["v"], document["rv"], document["start"]
    except BadRequest as error:
        raise ValueError(f"continue key is not valid: {error.message}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"continue key is not valid: {error}") from error
    if version != VERSION or type(revision) is not int or (revision < 1 and revision != NEWEST) or not isinstance(after, str) or not after:
        raise ValueError(f"continue key is not valid: incorrect encoded start resourceVersion or key (version {version})")
    return ContinueToken(revision, after)


def inconsistent(token: str) -> str:
    """The token that goes on after the same key without asking for the first page's revision."""
    return decode(token)._replace(revision=NEWEST).encode()
