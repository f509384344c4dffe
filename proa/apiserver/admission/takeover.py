"""How a request's object becomes what a webhook or a policy made of it: pruned to its schema, defaulted, still itself (name space and UID),
in the version that the request is about.
"""

import orjson

from proa.api.errors import BadRequest, InternalError
from proa.api.meta import Object
from proa.apiserver.admission.shown import Served
from proa.apiserver.interface import Attributes

NAMESPACE_MISMATCH = "the namespace of the provided object does not match the namespace sent on the request"


class Takeover:
    def __init__(self, served: Served) -> None:
        self._served = served

    def take_over(self, attributes: Attributes, obj: Object, new: Object) -> None:
        """Change `obj`, the request's object, in place."""
        if attributes.subresource == "scale" and new.get("kind") == "Scale" and obj.get("kind") != "Scale":
            obj.setdefault("spec", {})["replicas"] = (new.get("spec") or {}).get("replicas", 0)
            return
        identity = attributes.resource.id
        own = obj.get("kind") == identity.kind and obj.get("apiVersion") == identity.api_version
        if own and new.get("apiVersion") != identity.api_version:
            new = attributes.resource.convert(new, identity.version)
        if own:
            self._settle(attributes, obj, new)
        obj.clear()
        obj.update(new)
        if own and not attributes.subresource:
            attributes.resource.strategy.default(obj)

    def _settle(self, attributes: Attributes, obj: Object, new: Object) -> None:
        identity = attributes.resource.id
        served = self._served.get((identity.group, identity.version, identity.plural))
        if served is not None and served.decoder is not None:
            findings = served.decoder(new)
            if findings.causes:
                raise InternalError.of(findings.causes[0].message)
        metadata, before = new.get("metadata"), obj["metadata"]
        if not isinstance(metadata, dict) or (new.get("apiVersion"), new.get("kind")) != (identity.api_version, identity.kind):
            raise InternalError.of("the patched object has another type")
        if metadata.get("namespace") != before.get("namespace"):
            raise BadRequest(NAMESPACE_MISMATCH)
        if "uid" in before:
            metadata["uid"] = before["uid"]


def canonical_bytes(obj: Object | None) -> bytes:
    """To compare by."""
    return orjson.dumps(obj, option=orjson.OPT_SORT_KEYS)
