"""Image references: their canonical form (`busybox` is `docker.io/library/busybox:latest`) and the pull policy that follows from them."""

import re

from proa.lib.dataclass import dataclass

_DOMAIN = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"(?:(?P<domain>{_DOMAIN})/)?(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")


class InvalidImageName(ValueError):
    """Not a reference."""


@dataclass(frozen=True, slots=True)
class ImageName:
    """`repository` has its domain; a name without tag and digest has the tag `latest`."""

    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return self.repository + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse(image: str) -> ImageName:
    """Raises InvalidImageName."""
    rest, _, digest = image.partition("@")
    if "@" in image and not _DIGEST.fullmatch(digest):
        raise InvalidImageName("invalid reference format")
    tag = ""
    slash, colon = rest.rfind("/"), rest.rfind(":")
    if colon > slash:
        rest, tag = rest[:colon], rest[colon + 1 :]
        if not _TAG.fullmatch(tag):
            raise InvalidImageName("invalid reference format")
    if any(char.isupper() for char in rest.rpartition("/")[2]):
        raise InvalidImageName("invalid reference format: repository name must be lowercase")
    if len(rest) > 255 or not _NAME.fullmatch(rest):
        raise InvalidImageName("invalid reference format")
    return ImageName(_repository(rest), tag or ("" if digest else "latest"), digest)


def _repository(name: str) -> str:
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        first, rest = "docker.io", name
    if first == "index.docker.io":
        first = "docker.io"
    if first == "docker.io" and "/" not in rest:
        rest = f"library/{rest}"
    return f"{first}/{rest}"


def pull_policy(image: str, policy: str | None) -> str:
    """What the API server defaults: Always for `latest`, else IfNotPresent."""
    if policy:
        return policy
    try:
        return "Always" if parse(image).tag == "latest" else "IfNotPresent"
    except InvalidImageName:
        return "IfNotPresent"
