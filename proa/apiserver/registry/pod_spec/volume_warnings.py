"""Warnings about volumes: sources that are gone, sizes that are no whole number of bytes, and files that hide each other."""

from collections.abc import Iterator, Mapping, Sequence

from proa.api.meta import Object
from proa.api.quantity import NANO, canonical_text, parse

REMOVED: Mapping[str, str] = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
"""By the field's name in v1; upstream's messages call `storageos` by its internal name."""

SHOWN_AS: Mapping[str, str] = {"storageos": "storageOS"}
REMOVED_IN_PERSISTENT_VOLUMES: Mapping[str, str] = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}


def fraction_warnings(amounts: Mapping[str, object], path: str, names: tuple[str, ...]) -> list[str]:
    """Bytes come whole."""
    found = []
    for name in names:
        amount = amounts.get(name)
        if isinstance(amount, (str, int, float)) and parse(amount).nano % NANO:
            found.append(f'{path}[{name}]: fractional byte value "{canonical_text(amount)}" is invalid, must be an integer')
    return found


def claim_warnings(spec: Object, path: str) -> list[str]:
    resources = spec.get("resources") or {}
    found: list[str] = []
    for field in ("requests", "limits"):
        found += fraction_warnings(resources.get(field) or {}, f"{path}.resources.{field}", ("storage",))
    return found


def volume_warnings(volumes: Sequence[Object], path: str) -> list[str]:
    found: list[str] = []
    for index, volume in enumerate(volumes):
        found += [f"{path}[{index}].{SHOWN_AS.get(kind, kind)}: {REMOVED[kind]}" for kind in volume if kind in REMOVED]
        template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
        if template:
            found += claim_warnings(template.get("spec") or {}, f"{path}[{index}].ephemeral.volumeClaimTemplate.spec")
    for volume in volumes:
        found += _overlap_warnings(volume)
    return found


Placed = tuple[str, str]
"""A path in a volume, and which source puts it there."""


def _overlap_warnings(volume: Object) -> list[str]:
    found: list[str] = []
    for kind, shown, name in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName"), ("downwardAPI", "DownwardAPI", "")):
        items = (volume.get(kind) or {}).get("items")
        if items:
            described = f'{shown} "{volume[kind].get(name) or ""}"' if name else shown
            found += _overlaps(volume, described, [(item.get("path") or "", "") for item in items])
    if "projected" in volume:
        sources = volume["projected"].get("sources") or ()
        found += [f'volume "{volume.get("name", "")}" (Projected) has no sources provided' for source in sources if not source]
        found += _overlaps(volume, "Projected", [placed for source in sources for placed in _placed(source)])
    return found


def _placed(source: Object) -> Iterator[Placed]:
    for kind, shown in (("configMap", "ConfigMap"), ("secret", "Secret"), ("downwardAPI", "DownwardAPI")):
        for item in (source.get(kind) or {}).get("items") or ():
            name = source[kind].get("name") or ""
            yield item.get("path") or "", shown if kind == "downwardAPI" else f'{shown} "{name}"'
    if (token := source.get("serviceAccountToken")) is not None:
        yield token.get("path") or "", "ServiceAccountToken"
    if (bundle := source.get("clusterTrustBundle")) is not None:
        yield bundle.get("path") or "", f'ClusterTrustBundle "{bundle.get("name") or bundle.get("signerName") or ""}"'
    certificate = source.get("podCertificate") or {}
    for field, shown in (("certificateChainPath", "chain"), ("keyPath", "key"), ("credentialBundlePath", "credential bundle")):
        if certificate.get(field):
            yield certificate[field], f"PodCertificate {shown}"


def _overlaps(volume: Object, described: str, placed: Sequence[Placed]) -> list[str]:
    """Each pair of paths of which one is the other, or lies in it."""
    found = []
    before: list[Placed] = []
    for raw, source in placed:
        path = raw.rstrip("/")
        for other, its_source in before:
            if path and other and (f"{path}/".startswith(f"{other}/") or f"{other}/".startswith(f"{path}/")):
                pair = f"{_shown(path, source)} with {_shown(other, its_source)}"
                found.append(f'volume "{volume.get("name", "")}" ({described}): overlapping paths: {pair}')
        before.append((path, source))
    return found


def _shown(path: str, source: str) -> str:
    return f'"{path}" ({source})' if source else f'"{path}"'
