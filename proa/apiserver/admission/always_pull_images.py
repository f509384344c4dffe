"""Every image is pulled each time a container starts, so that nobody uses an image by name that only others may pull."""

from collections.abc import Iterator

from proa.api.errors import joined, not_supported
from proa.api.meta import Object
from proa.api.pod_template import CONTAINER_LISTS
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.interface import Attributes, PassiveAdmission

POLICY = "Always"


class AlwaysPullImages(PassiveAdmission):
    name = "AlwaysPullImages"
    resources = frozenset({("", "pods")})

    async def admit(self, attributes: Attributes) -> None:
        if _is_ignored(attributes):
            return
        for _, holder, field in _pulled(attributes.object or {}):
            holder[field] = POLICY

    async def validate(self, attributes: Attributes) -> None:
        if _is_ignored(attributes):
            return
        problems = [
            not_supported(path, holder.get(field, ""), (POLICY,)).detail
            for path, holder, field in _pulled(attributes.object or {})
            if holder.get(field) != POLICY
        ]
        if problems:
            raise refuse(attributes, joined(problems))


def _is_ignored(attributes: Attributes) -> bool:
    """An update that brings no new image may keep what an older pod has."""
    if attributes.subresource or attributes.operation not in ("CREATE", "UPDATE"):
        return True
    return attributes.operation == "UPDATE" and _images(attributes.object or {}) <= _images(attributes.old_object or {})


def _images(pod: Object) -> set[str]:
    spec = pod.get("spec") or {}
    return {each.get("image", "") for field in CONTAINER_LISTS for each in spec.get(field) or ()}


def _pulled(pod: Object) -> Iterator[tuple[str, Object, str]]:
    """(path, holder, field) of each pull policy."""
    spec = pod.get("spec") or {}
    for name in CONTAINER_LISTS:
        for index, container in enumerate(spec.get(name) or ()):
            yield f"spec.{name}[{index}].imagePullPolicy", container, "imagePullPolicy"
    for index, volume in enumerate(spec.get("volumes") or ()):
        if volume.get("image") is not None:
            yield f"spec.volumes[{index}].image.pullPolicy", volume["image"], "pullPolicy"
