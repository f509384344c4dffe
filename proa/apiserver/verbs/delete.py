"""DELETE of one object, options in body or query; answers with the object where it stays or its kind says so, else a Status."""

from typing import Any

import orjson

from proa.api.errors import BadRequest
from proa.api.meta import Object
from proa.apiserver.call import Call
from proa.apiserver.decode import parse_body, said_by_decoder
from proa.apiserver.options import DeleteOptions, delete_options, delete_options_from_query
from proa.apiserver.verbs.own_kind import DELETE_OPTIONS, checked
from proa.apiserver.verbs.removal import Removed, remove
from proa.lib.http.message import Response

RETURNS_OBJECT = frozenset(
    {
        ("", "pods"),
        ("", "services"),
        ("", "namespaces"),
        ("", "serviceaccounts"),
        ("", "persistentvolumes"),
        ("", "persistentvolumeclaims"),
        ("", "podtemplates"),
        ("", "resourcequotas"),
        ("storage.k8s.io", "storageclasses"),
        ("storage.k8s.io", "csidrivers"),
        ("storage.k8s.io", "csinodes"),
        ("storage.k8s.io", "volumeattachments"),
    }
)
"""Kinds whose deletion answers with the object even when it is gone."""


async def delete(call: Call) -> Response:
    call.encoding()
    options = read_options(call)
    removed = await remove(call, call.key, call.info.name, options)
    status = 202 if not removed.gone and options.orphan_dependents is False else 200
    identity = call.served.resource.id
    if removed.gone and (identity.group, identity.plural) not in RETURNS_OBJECT:
        return call.object_response(success_status(call, removed), status, tabular=False)
    return call.written(removed.last, status)


def read_options(call: Call) -> DeleteOptions:
    if not call.request.body.strip():
        return delete_options_from_query(call.request) if call.request.query else DeleteOptions()
    try:
        parsed = parse_body(call.request.body, call.request.headers.get("content-type", ""))
    except BadRequest as error:
        raise BadRequest(said_by_decoder(error, call.request.headers.get("content-type", ""))) from None
    value = parsed.value
    if not isinstance(value, dict) or value.get("kind", "DeleteOptions") != "DeleteOptions":
        raise BadRequest(_foreign(value))
    given = str(value.get("apiVersion") or "v1")
    return delete_options(checked(call, value, DELETE_OPTIONS, given, "Ignore"))


_SCHEME = "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"
_OF_META = (
    "APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "CreateOptions", "GetOptions", "ListOptions", "PatchOptions", "Status",
    "UpdateOptions", "WatchEvent",
)  # fmt: skip


def _foreign(value: Any) -> str:
    """Upstream's decoder knows only the kinds that requests and answers of every group may have."""
    kind, version = (value.get("kind"), value.get("apiVersion") or "meta.k8s.io/v1") if isinstance(value, dict) else ("", "")
    if not kind or kind in _OF_META:
        return "decoded object cannot be converted to DeleteOptions"
    return f'no kind "{kind}" is registered for version "{version}" in scheme "{_SCHEME}"'


def success_status(call: Call, removed: Removed) -> Object:
    identity = call.served.resource.id
    last = removed.last if isinstance(removed.last, dict) else orjson.loads(removed.last.value)
    details = {"name": call.info.name, "group": identity.group, "kind": identity.plural, "uid": last["metadata"].get("uid", "")}
    kept = {key: value for key, value in details.items() if value}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": kept}
