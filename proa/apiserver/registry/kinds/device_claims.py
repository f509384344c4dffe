"""ResourceClaims, their templates and DeviceClasses. The spec of a claim never changes; its allocation is written once.

In v1beta1 a request has its fields directly, since v1beta2 within `exactly` (`registry/conversion_devices.py`); rules speak of v1.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.labels import validate_labels
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain
from proa.api.resource_names import is_extended
from proa.apiserver.registry.checks import check_name
from proa.apiserver.registry.conversion_devices import claim_to_v1
from proa.apiserver.registry.kinds.device_checks import (
    MAX_CONFIGURATIONS,
    check_configuration,
    check_fully_qualified,
    check_list,
    check_selectors,
    check_set,
    check_toleration,
)
from proa.apiserver.registry.kinds.plain import GenerationStrategy, StatuslessStrategy
from proa.apiserver.registry.object_meta import immutable, validate_annotations
from proa.apiserver.registry.strategy import KindStrategy

MAX_REQUESTS, MAX_CONSTRAINTS, MAX_ALTERNATIVES, MAX_TOLERATIONS = 32, 32, 8, 16
_REFERENCE = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
_ONE_OF = "exactly one of `exactly` or `firstAvailable` is required"
Names = Mapping[str, frozenset[str]]
"""Of each request its subrequests."""


class ResourceClaimStrategy(KindStrategy):
    empty_status: ClassVar[Object | None] = {}

    def fill(self, obj: Object) -> None:
        fill_claim(obj.setdefault("spec", {}))

    def check(self, obj: Object) -> list[Cause]:
        return validate_claim(claim_to_v1(obj).get("spec") or {}, "spec")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        """What is stored was judged when it was new."""
        return immutable("spec", obj.get("spec"), old.get("spec"))


class ResourceClaimTemplateStrategy(StatuslessStrategy):
    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("metadata", {})
        fill_claim(spec.setdefault("spec", {}))

    def check(self, obj: Object) -> list[Cause]:
        spec = claim_to_v1(obj).get("spec") or {}
        meta = spec.get("metadata") or {}
        causes = validate_annotations(meta.get("annotations") or {}, "spec.metadata.annotations")
        causes += validate_labels(meta.get("labels") or {}, "spec.metadata.labels")
        causes += [forbidden(f"spec.metadata.{field}", "cannot be set") for field in meta if field not in ("annotations", "labels")]
        return causes + validate_claim(spec.get("spec") or {}, "spec.spec")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return immutable("spec", obj.get("spec"), old.get("spec"))


class DeviceClassStrategy(GenerationStrategy):
    def fill(self, obj: Object) -> None:
        obj.setdefault("spec", {})

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes = check_selectors(spec.get("selectors") or (), "spec.selectors")
        causes += check_list(spec.get("config") or (), MAX_CONFIGURATIONS, check_configuration, "spec.config")
        name = spec.get("extendedResourceName")
        if name is not None and not is_extended(name):
            causes.append(invalid("spec.extendedResourceName", name, "must be a valid extended resource name"))
        return causes


def fill_claim(spec: Object) -> None:
    for request in _requests(spec.setdefault("devices", {})):
        if not request.get("allocationMode"):
            request["allocationMode"] = "ExactCount"
        if request["allocationMode"] == "ExactCount" and not request.get("count"):
            request["count"] = 1
        for toleration in request.get("tolerations") or ():
            toleration.setdefault("operator", "Equal")


def _requests(devices: Object) -> Iterator[Object]:
    """The parts that ask for a class, in either form."""
    for request in devices.get("requests") or ():
        if request.get("firstAvailable"):
            yield from request["firstAvailable"]
        elif "exactly" in request:
            yield request["exactly"]
        elif "deviceClassName" in request:
            yield request


def request_names(devices: Object) -> Names:
    return {
        request.get("name") or "": frozenset(each.get("name") or "" for each in request.get("firstAvailable") or ())
        for request in devices.get("requests") or ()
    }


def validate_claim(spec: Object, path: str) -> list[Cause]:
    devices, own = spec.get("devices") or {}, f"{path}.devices"
    names = request_names(devices)
    causes = check_set(devices.get("requests") or (), MAX_REQUESTS, _check_request, lambda each: each.get("name") or "", f"{own}.requests")
    causes += check_list(
        devices.get("constraints") or (), MAX_CONSTRAINTS, lambda each, at: _check_constraint(each, names, at), f"{own}.constraints"
    )
    return causes + check_list(
        devices.get("config") or (),
        MAX_CONFIGURATIONS,
        lambda each, at: check_references(each, names, at) + check_configuration(each, at),
        f"{own}.config",
    )


def check_references(part: Object, names: Names, path: str) -> list[Cause]:
    return check_set(
        part.get("requests") or (), MAX_REQUESTS, lambda name, at: check_reference(name, names, at), lambda name: name, f"{path}.requests"
    )


def check_reference(name: str, names: Names, path: str) -> list[Cause]:
    parts = name.split("/")
    if len(parts) > 2:
        return [invalid(path, name, _REFERENCE)]
    causes = [invalid(path, part, problem) for part in parts for problem in dns1123_label(part)]
    known = parts[0] in names and (len(parts) == 1 or parts[1] in names[parts[0]])
    return causes if known else [*causes, invalid(path, name, _REFERENCE)]


def _check_request(request: Object, path: str) -> list[Cause]:
    causes = check_name(f"{path}.name", request.get("name"), dns1123_label)
    exact, alternatives = request.get("exactly"), request.get("firstAvailable") or []
    if exact is None and not alternatives:
        return [*causes, required(path, _ONE_OF)]
    if exact is not None and alternatives:
        return [*causes, invalid(path, None, f"{_ONE_OF}, but multiple fields are set")]
    if exact is not None:
        return causes + _check_exact(exact, f"{path}.exactly")
    return causes + check_set(
        alternatives, MAX_ALTERNATIVES, _check_alternative, lambda each: each.get("name") or "", f"{path}.firstAvailable"
    )


def _check_alternative(request: Object, path: str) -> list[Cause]:
    return check_name(f"{path}.name", request.get("name"), dns1123_label) + _check_exact(request, path)


def _check_exact(request: Object, path: str) -> list[Cause]:
    causes = check_name(f"{path}.deviceClassName", request.get("deviceClassName"), dns1123_subdomain)
    causes += check_selectors(request.get("selectors") or (), f"{path}.selectors")
    mode, count = request.get("allocationMode") or "", request.get("count") or 0
    if mode == "All" and count:
        causes.append(invalid(f"{path}.count", count, "must not be specified when allocationMode is 'All'"))
    elif mode == "ExactCount" and count <= 0:
        causes.append(invalid(f"{path}.count", count, "must be greater than zero"))
    elif mode not in ("All", "ExactCount"):
        causes.append(not_supported(f"{path}.allocationMode", mode, ("All", "ExactCount")))
    return causes + check_list(request.get("tolerations") or (), MAX_TOLERATIONS, check_toleration, f"{path}.tolerations")


def _check_constraint(constraint: Object, names: Names, path: str) -> list[Cause]:
    causes = check_references(constraint, names, path)
    if constraint.get("matchAttribute") is not None:
        return causes + check_fully_qualified(constraint["matchAttribute"], f"{path}.matchAttribute")
    if constraint.get("distinctAttribute") is not None:
        return causes + check_fully_qualified(constraint["distinctAttribute"], f"{path}.distinctAttribute")
    detail = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
    return [*causes, required(path, detail)]
