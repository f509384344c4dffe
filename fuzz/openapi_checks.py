"""What every answer must be, whatever was asked: no accident of the server, the documented type, and a Status where it is a refusal."""

from collections.abc import Iterator
from typing import Any

import orjson

from fuzz.steering import Sent

UPSTREAM_ANSWERS = frozenset({501, 503, 504})
"""Server errors that the original answers too where a backend is missing: proxies, APIServices, subresources that go through a kubelet."""
SAID_UPSTREAM = (b"resourceVersion should not be set on objects to be created", b"failed to create typed patch object",
                 b"no preferred addresses found; known addresses")  # fmt: skip
"""What the original answers with 500 and no reason as well, because its store and its field managers raise plain errors."""
TYPES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/cbor", "text/plain")


def complaints(sent: Sent, status: int, headers: Any, content: bytes) -> Iterator[str]:
    """What is wrong with an answer, apart from its schema."""
    kind = headers.get("content-type", "").partition(";")[0]
    if status == 500 and any(each in content for each in SAID_UPSTREAM):
        return
    if status >= 500 and status not in UPSTREAM_ANSWERS:
        yield f"server error {status}"
    if content and kind not in TYPES:
        yield f"content type {kind!r}"
    if status >= 400 and kind == "application/json":
        yield from _about_status(status, content)
    elif status >= 400 and kind == "text/plain" and status not in (404, 503):
        yield f"a refusal {status} in plain text"
    elif status < 300 and sent.accept == "application/json" and kind not in ("application/json", "text/plain"):
        yield f"{kind} in answer to Accept: application/json"


def _about_status(code: int, content: bytes) -> Iterator[str]:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        yield "a refusal that is no JSON"
        return
    if not isinstance(body, dict) or (body.get("apiVersion"), body.get("kind"), body.get("status")) != ("v1", "Status", "Failure"):
        yield f"a refusal {code} that is no Status"
        return
    if body.get("code") != code:
        yield f"a Status of code {body.get('code')} in an answer {code}"
    if not body.get("reason") and code not in (422,):
        yield f"a Status {code} without reason"
    if not isinstance(body.get("message"), str) or not body["message"]:
        yield f"a Status {code} without message"
    for cause in (body.get("details") or {}).get("causes") or []:
        if code == 422 and not cause.get("reason"):
            yield f"a cause without reason: {cause}"
        if "Traceback" in cause.get("message", "") or "<class" in cause.get("message", ""):
            yield f"a message of the implementation: {cause['message'][:200]}"
    if any(word in body.get("message", "") for word in ("Traceback", "object has no attribute", "<class '")):
        yield f"a message of the implementation: {body['message'][:200]}"
