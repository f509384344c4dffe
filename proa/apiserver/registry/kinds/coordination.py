"""Leases, and who stands for one."""

import re

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import config_map_key, qualified_name
from proa.apiserver.registry.checks import not_negative
from proa.apiserver.registry.kinds.plain import StatuslessStrategy
from proa.apiserver.registry.object_meta import NameCheck, immutable

OLDEST = "OldestEmulationVersion"
_version = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?").fullmatch


class LeaseStrategy(StatuslessStrategy):
    allow_create_on_update = True

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes: list[Cause] = []
        if "leaseDurationSeconds" in spec and spec["leaseDurationSeconds"] <= 0:
            causes.append(invalid("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0"))
        causes += not_negative("spec.leaseTransitions", spec.get("leaseTransitions"))
        if "strategy" in spec:
            causes += _validate_strategy(spec["strategy"], "spec.strategy")
        if spec.get("preferredHolder") and not spec.get("strategy"):
            causes.append(forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined"))
        return causes


class LeaseCandidateStrategy(StatuslessStrategy):
    @property
    def name_check(self) -> NameCheck:
        return config_map_key

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        emulated, binary, strategy = spec.get("emulationVersion") or "", spec.get("binaryVersion") or "", spec.get("strategy") or ""
        causes = [] if spec.get("leaseName") else [required("spec.leaseName")]
        if emulated and not _version(emulated):
            causes.append(invalid("spec.emulationVersion", emulated, "must be a valid semantic version"))
        if not binary:
            causes.append(required("spec.binaryVersion"))
        elif not _version(binary):
            causes.append(invalid("spec.binaryVersion", binary, "must be a valid semantic version"))
        elif emulated and _version(emulated) and _numbers(binary) < _numbers(emulated):
            causes.append(invalid("spec.binaryVersion", binary, "must be greater than or equal to `emulationVersion`"))
        if not strategy:
            return [*causes, required("spec.strategy")]
        if strategy == OLDEST and not emulated:
            causes.append(required("spec.emulationVersion", "must be specified when `strategy` is 'OldestEmulationVersion'"))
        return causes + _validate_strategy(strategy, "spec.strategy")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self.check(obj) + immutable("spec.leaseName", obj["spec"].get("leaseName"), old["spec"].get("leaseName"))


def _numbers(version: str) -> tuple[int, ...]:
    match = _version(version)
    return tuple(int(match[part]) for part in (1, 2, 3)) if match else ()


def _validate_strategy(strategy: str, path: str) -> list[Cause]:
    """A name of Kubernetes' own, or one with a domain. The path repeats itself, as upstream's does."""
    if "/" not in strategy:
        return [] if strategy == OLDEST else [not_supported(f"{path}.strategy", strategy, (OLDEST,))]
    return [invalid(f"{path}.strategy", strategy, problem) for problem in qualified_name(strategy)]
