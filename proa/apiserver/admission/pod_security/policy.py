"""Which policy a namespace's labels ask for, and what a pod has against it.

A label that can't be read counts as the strictest for enforcing and as none for telling. A namespace that enforces without saying what to
warn of is warned as strictly as it enforces.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from proa.api.errors import Cause, invalid
from proa.api.meta import Object
from proa.apiserver.admission.pod_security import baseline, restricted
from proa.apiserver.admission.pod_security.check import LATEST, Examine, Violation
from proa.lib.dataclass import dataclass

PREFIX = "pod-security.kubernetes.io/"
LEVELS = ("privileged", "baseline", "restricted")
MODES = ("enforce", "audit", "warn")
_version = re.compile(r"v1\.(0|[1-9][0-9]*)").fullmatch


@dataclass(frozen=True, slots=True)
class Level:
    """A level at the version of a minor release."""

    name: str = "privileged"
    minor: int = LATEST

    def __str__(self) -> str:
        return f"{self.name}:{'latest' if self.minor == LATEST else f'v1.{self.minor}'}"

    @property
    def strictness(self) -> int:
        return LEVELS.index(self.name)

    def is_like(self, other: "Level") -> bool:
        """No version makes a difference to a level that asks nothing."""
        return self == other or not (self.strictness or other.strictness)


PRIVILEGED = Level()


@dataclass(frozen=True, slots=True)
class Policy:
    enforce: Level = PRIVILEGED
    audit: Level = PRIVILEGED
    warn: Level = PRIVILEGED

    def is_like(self, other: "Policy") -> bool:
        return self.enforce.is_like(other.enforce) and self.audit.is_like(other.audit) and self.warn.is_like(other.warn)

    @property
    def asks_nothing(self) -> bool:
        return not (self.enforce.strictness or self.audit.strictness or self.warn.strictness)


def policy_of(labels: Mapping[str, str], defaults: Policy) -> tuple[Policy, list[Cause]]:
    causes: list[Cause] = []
    found = {mode: _level(labels, mode, getattr(defaults, mode), causes) for mode in MODES}
    wrong = {cause.field for cause in causes}
    enforced_well = f"{PREFIX}enforce" in labels and f"metadata.labels[{PREFIX}enforce]" not in wrong
    if enforced_well and f"{PREFIX}warn" not in labels and found["enforce"].strictness > found["warn"].strictness:
        version = found["warn"].minor if f"{PREFIX}warn-version" in labels else found["enforce"].minor
        found["warn"] = Level(found["enforce"].name, version)
    return Policy(**found), causes


def _level(labels: Mapping[str, str], mode: str, default: Level, causes: list[Cause]) -> Level:
    level, name = default, labels.get(f"{PREFIX}{mode}")
    if name in LEVELS:
        level = replace(level, name=name)
    elif name is not None:
        level = replace(level, name="restricted" if mode == "enforce" else "privileged")
        causes.append(invalid(f"metadata.labels[{PREFIX}{mode}]", name, f"must be one of {', '.join(LEVELS)}"))
    version = labels.get(f"{PREFIX}{mode}-version")
    if version is None:
        return level
    match = _version(version)
    if match is None and version != "latest":
        causes.append(invalid(f"metadata.labels[{PREFIX}{mode}-version]", version, 'must be "latest" or "v1.x"'))
    return replace(level, minor=min(int(match[1]), LATEST) if match else LATEST)


@lru_cache(256)
def examinations(level: Level) -> tuple[Examine, ...]:
    """What a pod has to stand, in the order in which it is told."""
    if level.name == "privileged":
        return ()
    strict = restricted.CHECKS if level.name == "restricted" else ()
    overridden = {each for check in strict if check.of(level.minor) is not None for each in check.overrides}
    chosen = [check.of(level.minor) for check in (*baseline.CHECKS, *strict) if check.id not in overridden]
    return tuple(examine for examine in chosen if examine is not None)


def violations(level: Level, metadata: Object, spec: Object) -> Sequence[Violation]:
    found = (examine(metadata, spec) for examine in examinations(level))
    return [violation for violation in found if violation is not None]


def told(found: Sequence[Violation]) -> str:
    return ", ".join(str(violation) for violation in found)
