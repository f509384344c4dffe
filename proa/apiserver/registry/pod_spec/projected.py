"""Projected volumes: files of several sources below one path, of which no two have the same name."""

from collections.abc import Callable, Mapping

from proa.api.errors import Cause, forbidden, invalid, not_supported, required, too_long
from proa.api.labels import validate_label_selector
from proa.api.meta import Object
from proa.api.names import qualified_name
from proa.apiserver.registry.checks import check_name
from proa.apiserver.registry.pod_spec.file_sources import check_mode, validate_downward_file, validate_item
from proa.apiserver.registry.pod_spec.paths import validate_file_path, validate_required_file_path
from proa.apiserver.registry.signer_name import bundle_name_problems, check_signer_name

_KEY_TYPES = ("RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519")
_CERTIFICATE_PATHS = ("credentialBundlePath", "keyPath", "certificateChainPath")
_HOUR, _DAY = 3600, 86400
MAX_ANNOTATIONS = 256 * 1024


class _Paths:
    """The files of one volume. A second one of the same path is refused."""

    def __init__(self, volume: str) -> None:
        self.volume = volume
        self._taken: set[str] = set()

    def take(self, path: str, owner: str | None = None) -> list[Cause]:
        """`owner` is the object that the cause names, by default the path itself."""
        if path in self._taken:
            return [invalid(self.volume, path if owner is None else owner, "conflicting duplicate paths")]
        self._taken.add(path)
        return []


def validate_projected(source: Object, path: str) -> list[Cause]:
    causes = check_mode(source.get("defaultMode"), f"{path}.defaultMode")
    paths = _Paths(path)
    for index, projection in enumerate(source.get("sources") or ()):
        own = f"{path}.sources[{index}]"
        given = [kind for kind in _PROJECTIONS if projection.get(kind) is not None]
        for kind in given:
            causes += _PROJECTIONS[kind](projection[kind], f"{own}.{kind}", paths)
        if len(given) > 1:
            causes.append(forbidden(own, "may not specify more than 1 volume type per source"))
    return causes


def _object(source: Object, path: str, paths: _Paths) -> list[Cause]:
    name = source.get("name") or ""
    causes = [] if name else [required(f"{path}.name")]
    for index, item in enumerate(source.get("items") or ()):
        causes += validate_item(item, f"{path}.items[{index}]")
        if item.get("path"):
            causes += paths.take(item["path"], name)
    return causes


def _downward(source: Object, path: str, paths: _Paths) -> list[Cause]:
    causes: list[Cause] = []
    for item in source.get("items") or ():
        causes += validate_downward_file(item, path)
        if item.get("path"):
            causes += paths.take(item["path"])
    return causes


def _token(source: Object, path: str, paths: _Paths) -> list[Cause]:
    causes: list[Cause] = []
    seconds = source.get("expirationSeconds", _HOUR)
    if seconds < 600:
        causes.append(invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
    if seconds > 1 << 32:
        causes.append(invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"))
    return causes + validate_required_file_path(f"{paths.volume}.path", source.get("path"))


def _trust_bundle(source: Object, path: str, paths: _Paths) -> list[Cause]:
    name, signer, selector = source.get("name"), source.get("signerName"), source.get("labelSelector")
    causes: list[Cause] = []
    if name is not None and signer is not None:
        causes.append(invalid(path, source, "only one of name and signerName may be used"))
    elif name is not None:
        causes += [] if name else [required(f"{path}.name", "must be a valid object name")]
        problems = bundle_name_problems(name, name.rpartition(":")[0].replace(":", "/"))
        causes += [invalid(f"{path}.name", name, f"not a valid clustertrustbundlename: {problem}") for problem in problems]
        if selector is not None:
            causes.append(invalid(f"{path}.labelSelector", selector, "labelSelector must be unset if name is specified"))
    elif signer is not None:
        causes += [] if signer else [required(f"{path}.signerName", "must be a valid signer name")]
        causes += check_signer_name(f"{path}.signerName", signer)
        causes += validate_label_selector(selector, f"{path}.labelSelector")
    else:
        causes.append(required(path, "either name or signerName must be specified"))
    target = source.get("path") or ""
    causes += [] if target else [required(f"{path}.path")]
    return causes + validate_file_path(f"{path}.path", target) + paths.take(target)


def _pod_certificate(source: Object, path: str, paths: _Paths) -> list[Cause]:
    signer, kind, seconds = source.get("signerName") or "", source.get("keyType") or "", source.get("maxExpirationSeconds")
    causes = check_signer_name(f"{path}.signerName", signer)
    causes += _user_annotations(source.get("userAnnotations") or {}, f"{path}.userAnnotations")
    if kind not in _KEY_TYPES:
        causes.append(not_supported(f"{path}.keyType", kind, _KEY_TYPES, in_order=False))
    if seconds is not None:
        longest = _DAY if signer.startswith("kubernetes.io/") else 91 * _DAY
        bound = f">= {_HOUR}" if seconds < _HOUR else f"<= {longest}" if seconds > longest else ""
        if bound:
            causes.append(invalid(f"{path}.maxExpirationSeconds", seconds, f"if provided, maxExpirationSeconds must be {bound}"))
    given = [field for field in _CERTIFICATE_PATHS if source.get(field)]
    for field in given:
        causes += validate_file_path(f"{path}.{field}", source[field]) + paths.take(source[field])
    if not given:
        causes.append(required(path, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"))
    return causes


def _user_annotations(annotations: Mapping[str, str], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for key in map(str.lower, annotations):
        wrong = check_name(path, key, qualified_name)
        if not wrong and key.count("/") != 1:
            wrong = [invalid(path, key, 'must be a domain-prefixed key (such as "acme.io/foo")')]
        causes += wrong
    size = sum(len(text.encode()) for pair in annotations.items() for text in pair)
    return causes + ([too_long(path, MAX_ANNOTATIONS)] if size > MAX_ANNOTATIONS else [])


_PROJECTIONS: Mapping[str, Callable[[Object, str, _Paths], list[Cause]]] = {
    "secret": _object,
    "configMap": _object,
    "downwardAPI": _downward,
    "serviceAccountToken": _token,
    "clusterTrustBundle": _trust_bundle,
    "podCertificate": _pod_certificate,
}
