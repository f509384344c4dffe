"""What one request leaves behind: an audit.k8s.io/v1 Event, one for each stage that the policy wants.

The parts that repeat (the user, above all) are encoded once and spliced in, so that a request at level Metadata costs some microseconds.
"""

import ipaddress
from typing import Any

import orjson

from proa.api.meta import Object
from proa.apiserver.audit.policy import REQUEST, Recording
from proa.apiserver.interface import RequestInfo, User
from proa.lib.http.message import Request
from proa.lib.remembered import remembered

LONGEST_AGENT = 1024
MEMORY = 1024
_users: dict[tuple[object, ...], orjson.Fragment] = {}


def new_event(audit_id: str, recording: Recording, user: User | None, request: Request, info: RequestInfo, now: str) -> dict[str, Any]:
    """As it is when the request has been received."""
    event: dict[str, Any] = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": recording.level_name,
        "auditID": audit_id,
        "stage": "RequestReceived",
        "requestURI": f"{request.raw_path}?{request.raw_query}" if request.raw_query else request.raw_path,
        "verb": info.verb,
        "user": _user_fragment(user) if user is not None else {},
    }
    if addresses := source_addresses(request):
        event["sourceIPs"] = addresses
    if agent := request.headers.get("user-agent"):
        event["userAgent"] = agent if len(agent) <= LONGEST_AGENT else agent[:LONGEST_AGENT] + "...TRUNCATED"
    if info.is_resource:
        event["objectRef"] = _reference(info)
    event["requestReceivedTimestamp"] = event["stageTimestamp"] = now
    return event


def user_info(user: User) -> Object:
    told: Object = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
    if user.extra:
        told["extra"] = {key: list(values) for key, values in user.extra.items()}
    return {key: value for key, value in told.items() if value}


def _user_fragment(user: User) -> orjson.Fragment:
    key = (user.name, user.groups, user.uid, *user.extra.items()) if user.extra else (user.name, user.groups, user.uid)
    found = _users.get(key)
    if found is None:
        if len(_users) >= MEMORY:
            _users.clear()
        found = _users[key] = orjson.Fragment(orjson.dumps(user_info(user)))
    return found


def _reference(info: RequestInfo) -> Object:
    reference: Object = {"resource": info.resource}
    if info.namespace:
        reference["namespace"] = info.namespace
    if info.name:
        reference["name"] = info.name
    if info.group:
        reference["apiGroup"] = info.group
    if info.version:
        reference["apiVersion"] = info.version
    if info.subresource:
        reference["subresource"] = info.subresource
    return reference


def source_addresses(request: Request) -> list[str]:
    """Who forwarded it, as the headers say, then who is connected; a Unix socket has no address."""
    headers = request.headers
    connected = _host(request.peer)
    if "x-forwarded-for" not in headers and "x-real-ip" not in headers:
        return [connected] if connected else []
    found = [each for part in headers.get("x-forwarded-for", "").split(",") if (each := _address(part.strip()))]
    real = _address(headers.get("x-real-ip", "").strip())
    if real and real not in found:
        found.append(real)
    if connected and (not found or found[-1] != connected):
        found.append(connected)
    return found


@remembered(MEMORY)
def _host(peer: str) -> str:
    return _address(peer.rpartition(":")[0].strip("[]"))


@remembered(MEMORY)
def _address(text: str) -> str:
    """As it is written canonically; "" for what is no address."""
    if not text:
        return ""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def complete_reference(event: dict[str, Any], obj: Object) -> None:
    """What the URL did not say of the object that is sent."""
    reference, metadata = event.get("objectRef"), obj.get("metadata")
    if reference is None or not isinstance(metadata, dict):
        return
    for member in ("namespace", "name", "uid", "resourceVersion"):
        value = metadata.get(member)
        if value and not reference.get(member) and isinstance(value, str):
            reference[member] = value


def sent_object(obj: Any, recording: Recording) -> orjson.Fragment | None:
    """A request's object as it is now; None where the level leaves it out."""
    if recording.level < REQUEST:
        return None
    return orjson.Fragment(orjson.dumps(without_managed_fields(obj) if recording.omit_managed_fields else obj))


def without_managed_fields(obj: Any) -> Any:
    """A copy without them: of an object, of each item of a list, of each row of a Table."""
    if not isinstance(obj, dict):
        return obj
    copy = dict(obj)
    metadata = copy.get("metadata")
    if isinstance(metadata, dict) and "managedFields" in metadata:
        copy["metadata"] = {key: value for key, value in metadata.items() if key != "managedFields"}
    if isinstance(copy.get("items"), list):
        copy["items"] = [without_managed_fields(item) for item in copy["items"]]
    if copy.get("kind") == "Table":
        copy["rows"] = [row | {"object": without_managed_fields(row.get("object"))} for row in copy.get("rows") or ()]
    return copy


def legacy_line(event: dict[str, Any]) -> str:
    """The text of --audit-log-format=legacy."""
    user = orjson.loads(orjson.dumps(event["user"]))
    acting = event.get("impersonatedUser") or {}
    status = event.get("responseStatus")
    fields = {
        "id": event["auditID"],
        "stage": event["stage"],
        "ip": (event.get("sourceIPs") or ["<unknown>"])[0],
        "method": event["verb"],
        "user": user.get("username") or "<none>",
        "groups": _listed(user.get("groups")) or "<none>",
        "as": acting.get("username") or "<self>",
        "asgroups": _listed(acting.get("groups")) or "<lookup>",
        "user-agent": event.get("userAgent", ""),
        "namespace": (event.get("objectRef") or {}).get("namespace") or "<none>",
        "uri": event["requestURI"],
        "response": str(status["code"]) if status else "<deferred>",
    }
    return f"{event['requestReceivedTimestamp']} AUDIT: " + " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())


def _listed(words: list[str] | None) -> str:
    return ",".join(_quoted(word) for word in words or ())


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()
