"""Which secrets a pod may use if its service account says that it is all that it lists. Part of ServiceAccount. Pure."""

from collections.abc import Iterator

from proa.api import meta
from proa.api.meta import Object


def secrets_problem(account: Object, pod: Object) -> str:
    """Why the pod may not be, "" if it may."""
    spec, listed = pod["spec"], _names(account.get("secrets"))
    used = [*_of_volumes(spec), *_of_containers(spec, "initContainers", "init container"), *_of_containers(spec, "containers", "container")]
    if why := _unlisted(used, listed, account):
        return why
    pulled = _names(account.get("imagePullSecrets"))
    for index, each in enumerate(spec.get("imagePullSecrets") or ()):
        if each.get("name", "") not in pulled:
            what = f'imagePullSecrets[{index}].name="{each.get("name", "")}"'
            return f"{what} is not allowed because service account {meta.name(account)} does not reference that imagePullSecret"
    return ""


def debugging_problem(account: Object, pod: Object) -> str:
    """The same of ephemeral containers."""
    used = _of_containers(pod["spec"], "ephemeralContainers", "ephemeral container")
    return _unlisted(list(used), _names(account.get("secrets")), account)


def _names(references: list[Object] | None) -> set[str]:
    return {each.get("name", "") for each in references or ()}


def _unlisted(used: list[tuple[str, str]], listed: set[str], account: Object) -> str:
    for how, secret in used:
        if secret not in listed:
            what = f'{how} secret.secretName="{secret}"'
            return f"{what} is not allowed because service account {meta.name(account)} does not reference that secret"
    return ""


def _of_volumes(spec: Object) -> Iterator[tuple[str, str]]:
    for volume in spec.get("volumes") or ():
        if volume.get("secret") is not None:
            yield "volume with", volume["secret"].get("secretName", "")


def _of_containers(spec: Object, field: str, word: str) -> Iterator[tuple[str, str]]:
    for container in spec.get(field) or ():
        name = container.get("name", "")
        for variable in container.get("env") or ():
            if reference := (variable.get("valueFrom") or {}).get("secretKeyRef"):
                yield f"{word} {name} with envVar {variable.get('name', '')} referencing", reference.get("name", "")
        for source in container.get("envFrom") or ():
            if source.get("secretRef"):
                yield f"{word} {name} with envFrom referencing", source["secretRef"].get("name", "")
