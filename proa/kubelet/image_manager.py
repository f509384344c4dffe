"""Gets a container's image according to its pull policy, with back-off between failing pulls, and says so in events."""

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping

from proa.api import meta
from proa.api.meta import Object
from proa.kubelet import image_name, pod_spec
from proa.kubelet.crash_backoff import INITIAL_SECONDS, MAXIMUM_SECONDS
from proa.kubelet.cri.errors import RuntimeFailure, describe
from proa.kubelet.cri.runtime import Config, Image, ImageService
from proa.lib.clock import Clock
from proa.runtime.event_recorder import Recorder


class ImageError(Exception):
    """The image is not there: `reason` is the container's waiting reason. `retry_after` is in seconds, 0 where the back-off has no say."""

    def __init__(self, reason: str, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.reason, self.message, self.retry_after = reason, message, retry_after


class ImageManager:
    """`limit` pulls run at once."""

    def __init__(self, images: ImageService, recorder: Recorder, clock: Clock, limit: int) -> None:
        self._images, self._recorder, self._clock = images, recorder, clock
        self._slots = asyncio.Semaphore(limit)
        self._failures: dict[str, tuple[float, float, str]] = {}
        """(back-off in seconds, time of the last failure, its message) by pod and image."""

    async def ensure(self, pod: Object, container: Object, secrets: list[Object], sandbox_config: Config) -> Image:
        """Raises ImageError."""
        wanted = container["image"]
        policy = image_name.pull_policy(wanted, container.get("imagePullPolicy"))
        try:
            name = str(image_name.parse(wanted))
        except image_name.InvalidImageName as error:
            message = f'Failed to apply default image tag "{wanted}": couldn\'t parse image name "{wanted}": {error}'
            self._event(pod, container, "Warning", "InspectFailed", message)
            raise ImageError("InvalidImageName", message) from None
        present = await self._find(pod, container, name)
        if policy == "Never" and present is None:
            message = f'Container image "{wanted}" is not present with pull policy of Never'
            self._event(pod, container, "Warning", "ErrImageNeverPull", message)
            raise ImageError("ErrImageNeverPull", message)
        if present is not None and policy != "Always":
            message = f'Container image "{wanted}" already present on machine and can be accessed by the pod'
            self._event(pod, container, "Normal", "Pulled", message)
            return present
        return await self._pull(pod, container, name, secrets, sandbox_config)

    async def _find(self, pod: Object, container: Object, name: str) -> Image | None:
        try:
            return await self._images.image_status(name)
        except RuntimeFailure as failure:
            message = f'Failed to inspect image "{container["image"]}": {describe(failure)}'
            self._event(pod, container, "Warning", "InspectFailed", message)
            raise ImageError("ImageInspectError", message) from None

    async def _pull(self, pod: Object, container: Object, name: str, secrets: list[Object], sandbox_config: Config) -> Image:
        wanted, key = container["image"], f"{meta.uid(pod)}_{name}"
        self._check_backoff(pod, container, key)
        self._event(pod, container, "Normal", "Pulling", f'Pulling image "{wanted}"')
        begun = self._clock.monotonic()
        try:
            async with self._slots:
                pulling = self._clock.monotonic()
                image = await self._pull_with_any(name, registry_credentials(secrets, name), sandbox_config)
        except RuntimeFailure as failure:
            message = f'failed to pull image "{wanted}": {describe(failure)}'
            self._event(pod, container, "Warning", "Failed", f"F{message[1:]}")
            before = self._failures.get(key)
            seconds = min(before[0] * 2, MAXIMUM_SECONDS) if before else INITIAL_SECONDS
            self._failures[key] = (seconds, self._clock.monotonic(), message)
            raise ImageError("ErrImagePull", describe(failure), seconds) from None
        self._failures.pop(key, None)
        spent, whole = self._clock.monotonic() - pulling, self._clock.monotonic() - begun
        message = f'Successfully pulled image "{wanted}" in {_go(spent)} ({_go(whole)} including waiting). Image size: {image.size} bytes.'
        self._event(pod, container, "Normal", "Pulled", message)
        return image

    def _check_backoff(self, pod: Object, container: Object, key: str) -> None:
        if key not in self._failures:
            return
        seconds, failed, why = self._failures[key]
        left = failed + seconds - self._clock.monotonic()
        if left > 0:
            message = f'Back-off pulling image "{container["image"]}"'
            self._event(pod, container, "Normal", "BackOff", message)
            raise ImageError("ImagePullBackOff", f"{message}: ErrImagePull: {why}", left)

    async def _pull_with_any(self, name: str, credentials: list[Mapping[str, str]], sandbox_config: Config) -> Image:
        """Each credential is tried in turn; without any, as nobody. Raises the last failure."""
        failure: RuntimeFailure | None = None
        choices: list[Mapping[str, str] | None] = [*credentials] if credentials else [None]
        for auth in choices:
            try:
                reference = await self._images.pull_image(name, auth, sandbox_config)
                image = await self._images.image_status(reference) or await self._images.image_status(name)
                return image or Image(reference)
            except RuntimeFailure as error:
                failure = error
        raise failure or RuntimeFailure("no credentials")

    def forget(self, uid: str) -> None:
        self._failures = {key: each for key, each in self._failures.items() if not key.startswith(f"{uid}_")}

    def _event(self, pod: Object, container: Object, kind: str, reason: str, message: str) -> None:
        self._recorder.event(pod, kind, reason, message, field_path=pod_spec.field_path(pod, container["name"]))


def registry_credentials(secrets: list[Object], name: str) -> list[Mapping[str, str]]:
    """AuthConfigs of the pull secrets whose registry matches the image's, the longest match first."""
    matching = []
    for registry, entry in (pair for secret in secrets for pair in _entries(secret)):
        prefix = registry.removeprefix("https://").removeprefix("http://").rstrip("/").removesuffix("/v1").removesuffix("/v2")
        prefix = "docker.io" if prefix in ("index.docker.io", "registry-1.docker.io") else prefix
        if name == prefix or name.startswith((f"{prefix}/", f"{prefix}:")):
            matching.append((len(prefix), _auth(entry)))
    return [auth for _, auth in sorted(matching, key=lambda pair: -pair[0])]


def _entries(secret: Object) -> Iterator[tuple[str, Object]]:
    data = secret.get("data") or {}
    try:
        if text := data.get(".dockerconfigjson"):
            yield from (json.loads(base64.b64decode(text)).get("auths") or {}).items()
        elif text := data.get(".dockercfg"):
            yield from json.loads(base64.b64decode(text)).items()
    except ValueError:
        return


def _auth(entry: Object) -> Mapping[str, str]:
    username, password = entry.get("username") or "", entry.get("password") or ""
    if entry.get("auth") and not username:
        username, _, password = base64.b64decode(entry["auth"]).decode("utf-8", "replace").partition(":")
    auth = {"username": username, "password": password, "identity_token": entry.get("identitytoken") or ""}
    return {key: value for key, value in auth.items() if value}


def _go(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms" if seconds < 1 else f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
