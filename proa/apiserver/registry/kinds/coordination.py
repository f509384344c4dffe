"""Leases, and who stands for one."""

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import config_map_key, qualified_name
from proa.api.semantic_version import UNKNOWN, is_semantic_version, precedence
from proa.apiserver.registry.checks import not_negative
from proa.apiserver.registry.kinds.plain import StatuslessStrategy
from proa.apiserver.registry.object_meta import NameCheck, immutable

OLDEST = "OldestEmulationVersion"


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
        causes += _check_version("spec.emulationVersion", emulated)
        causes += _check_version("spec.binaryVersion", binary) if binary else [required("spec.binaryVersion")]
        if binary and emulated and precedence(binary) < precedence(emulated):
            causes.append(invalid("spec.binaryVersion", binary, "must be greater than or equal to `emulationVersion`"))
        if not strategy:
            return [*causes, required("spec.strategy")]
        if strategy == OLDEST and precedence(emulated) == UNKNOWN:
            causes.append(required("spec.emulationVersion", "must be specified when `strategy` is 'OldestEmulationVersion'"))
        return causes + _validate_strategy(strategy, "spec.strategy")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self.check(obj) + immutable("spec.leaseName", obj["spec"].get("leaseName"), old["spec"].get("leaseName"))


def _check_version(path: str, version: str) -> list[Cause]:
    return [] if not version or is_semantic_version(version) else [invalid(path, version, "must be a valid semantic version")]


def _validate_strategy(strategy: str, path: str) -> list[Cause]:
    """A name of Kubernetes' own, or one with a domain. The path repeats itself, as upstream's does."""
    if "/" not in strategy:
        return [] if strategy == OLDEST else [not_supported(f"{path}.strategy", strategy, (OLDEST,))]
    return [invalid(f"{path}.strategy", strategy, problem) for problem in qualified_name(strategy)]
