"""Takes one container from its spec to a running process: image, environment, mounts, create, start, postStart.

Each step's failure has its own reason, which becomes the container's waiting reason and an event, as upstream words them.
"""

import asyncio
import secrets
from collections.abc import Mapping
from pathlib import Path

from proa.api import meta
from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.kubelet import pod_spec
from proa.kubelet.container_config import ContainerInputs, VolumeMount, build_container_config
from proa.kubelet.cri.errors import RuntimeFailure
from proa.kubelet.cri.runtime import Config, Image, Sandbox
from proa.kubelet.downward import InvalidField
from proa.kubelet.environment import ConfigError, build_environment
from proa.kubelet.expansion import expand, unknown_names
from proa.kubelet.hosts_file import build_hosts
from proa.kubelet.image_manager import ImageError
from proa.kubelet.lifecycle import HookFailure, run_hook
from proa.kubelet.log_links import link_log
from proa.kubelet.node_context import NodeContext
from proa.kubelet.volumes.payload import object_text
from proa.kubelet.volumes.sub_path import bind_sub_path

_CONFIG_RETRY_SECONDS = 5.0
_IMAGE_RETRY_SECONDS = 10.0


class StartFailure(Exception):
    """The container does not run: its waiting reason, and after how many seconds to try again."""

    def __init__(self, reason: str, message: str, retry_after: float = _CONFIG_RETRY_SECONDS) -> None:
        super().__init__(message)
        self.reason, self.message, self.retry_after = reason, message, retry_after


class ContainerStarter:
    """One start at a time within a pod; pods side by side."""

    def __init__(self, context: NodeContext) -> None:
        self._context = context

    async def start(
        self,
        pod: Object,
        container: Object,
        attempt: int,
        sandbox: Sandbox,
        sandbox_config: Config,
        volumes: Mapping[str, Path],
        target_id: str,
    ) -> str:
        """The id of the running container; raises StartFailure."""
        image = await self._image(pod, container, sandbox_config)
        config = await self._config(pod, container, attempt, sandbox, image, volumes, target_id)
        container_id = await self._create(pod, container, sandbox, config, sandbox_config)
        await self._start(pod, container, container_id)
        log = f"{sandbox_config['log_directory']}/{config['log_path']}"
        link_log(self._context.configuration.container_log_directory, pod, container["name"], container_id, log)
        await self._post_start(pod, container, container_id, sandbox)
        return container_id

    async def _image(self, pod: Object, container: Object, sandbox_config: Config) -> Image:
        try:
            return await self._context.images.ensure(pod, container, await self._pull_secrets(pod), sandbox_config)
        except ImageError as error:
            self._event(pod, container, "Warning", "Failed", f"Error: {error.reason}")
            raise StartFailure(error.reason, error.message, _retry_after(error)) from None

    async def _pull_secrets(self, pod: Object) -> list[Object]:
        names = [each.get("name", "") for each in pod["spec"].get("imagePullSecrets") or []]
        found = []
        for name in names:
            try:
                secret = await self._context.objects.read("secret", meta.namespace(pod), name)
            except (ApiError, OSError):
                secret = None
            if secret is None:
                message = f"Unable to retrieve some image pull secrets ({name}); attempting to pull the image may not succeed."
                self._context.recorder.event(pod, "Warning", "FailedToRetrieveImagePullSecret", message)
            else:
                found.append(secret)
        return found

    async def _config(
        self, pod: Object, container: Object, attempt: int, sandbox: Sandbox, image: Image, volumes: Mapping[str, Path], target_id: str
    ) -> Config:
        try:
            environment = await self._environment(pod, container, sandbox)
            mounts = await asyncio.to_thread(self._mounts, pod, container, sandbox, volumes, environment)
            inputs = ContainerInputs(
                attempt, image, environment, mounts, self._termination_file(pod, container), self._context.facts.memory, target_id
            )
            return build_container_config(pod, container, inputs, self._context.configuration)
        except (ConfigError, InvalidField, ApiError, OSError) as error:
            self._event(pod, container, "Warning", "Failed", f"Error: {error}")
            raise StartFailure("CreateContainerConfigError", str(error)) from None

    async def _environment(self, pod: Object, container: Object, sandbox: Sandbox) -> dict[str, str]:
        objects = await self._context.objects.read_all(pod)
        facts = self._context.facts
        pod_ips = facts.host_ips if pod_spec.is_host_network(pod) else sandbox.ips

        def read(kind: str, name: str) -> Mapping[str, str] | None:
            obj = objects.get((kind, meta.namespace(pod), name))
            return None if obj is None else object_text(obj)

        return build_environment(
            pod, container, read, self._context.services(meta.namespace(pod)), host_ips=facts.host_ips, pod_ips=pod_ips,
            allocatable=facts.allocatable,
        )  # fmt: skip

    def _mounts(
        self, pod: Object, container: Object, sandbox: Sandbox, volumes: Mapping[str, Path], environment: Mapping[str, str]
    ) -> list[VolumeMount]:
        mounts = [
            self._mount(pod, container, index, mount, volumes, environment)
            for index, mount in enumerate(container.get("volumeMounts") or [])
        ]
        if not any(mount.container_path == "/etc/hosts" for mount in mounts):
            mounts.append(VolumeMount("/etc/hosts", self._hosts_file(pod, sandbox)))
        return mounts

    def _mount(
        self, pod: Object, container: Object, index: int, mount: Object, volumes: Mapping[str, Path], environment: Mapping[str, str]
    ) -> VolumeMount:
        if mount["name"] not in volumes:
            raise ConfigError(f'volume "{mount["name"]}" not found')
        source, spec = volumes[mount["name"]], _volume(pod, mount["name"])
        if sub_path := _sub_path(mount, environment):
            place = self._context.volumes.sub_path_place(meta.uid(pod), mount["name"], container["name"], index)
            source = bind_sub_path(source, sub_path, place, create="emptyDir" in spec or "hostPath" in spec)
        elif "hostPath" in spec and not source.exists():
            source.mkdir(parents=True, exist_ok=True)
        generated = any(kind in spec for kind in ("configMap", "secret", "projected", "downwardAPI"))
        path = mount["mountPath"] if mount["mountPath"].startswith("/") else f"/{mount['mountPath']}"
        handler = self._context.facts.handlers.get("")
        recursive = bool(mount.get("readOnly")) and mount.get("recursiveReadOnly") in ("Enabled", "IfPossible")
        return VolumeMount(
            path, str(source), bool(mount.get("readOnly")) or generated, mount.get("mountPropagation") or "None",
            recursive and bool(handler and handler.recursive_read_only_mounts),
        )  # fmt: skip

    def _hosts_file(self, pod: Object, sandbox: Sandbox) -> str:
        configuration = self._context.configuration
        path = configuration.pod_directory(meta.uid(pod)) / "etc-hosts"
        path.parent.mkdir(parents=True, exist_ok=True)
        host_file = Path("/etc/hosts").read_text() if pod_spec.is_host_network(pod) else ""
        path.write_text(build_hosts(pod, sandbox.ips, configuration.node_name, configuration.cluster_domain, host_file))
        path.chmod(0o644)
        return str(path)

    def _termination_file(self, pod: Object, container: Object) -> str:
        directory = self._context.configuration.pod_directory(meta.uid(pod)) / "containers" / container["name"]
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / secrets.token_hex(4)
        path.touch()
        # Whoever the container runs as has to be able to write its last words.
        path.chmod(0o666)
        return str(path)

    async def _create(self, pod: Object, container: Object, sandbox: Sandbox, config: Config, sandbox_config: Config) -> str:
        log_directory = Path(sandbox_config["log_directory"]) / container["name"]
        log_directory.mkdir(parents=True, exist_ok=True, mode=0o755)
        try:
            container_id = await self._context.runtime.create_container(sandbox.id, config, sandbox_config)
        except RuntimeFailure as failure:
            self._event(pod, container, "Warning", "Failed", f"Error: {failure.message}")
            raise StartFailure("CreateContainerError", failure.message) from None
        self._event(pod, container, "Normal", "Created", "Container created")
        return container_id

    async def _start(self, pod: Object, container: Object, container_id: str) -> None:
        try:
            await self._context.runtime.start_container(container_id)
        except RuntimeFailure as failure:
            self._event(pod, container, "Warning", "Failed", f"Error: {failure.message}")
            # The attempt is there, ended, in the runtime: the crash back-off times the next one.
            raise StartFailure("RunContainerError", failure.message, 0.0) from None
        self._event(pod, container, "Normal", "Started", "Container started")

    async def _post_start(self, pod: Object, container: Object, container_id: str, sandbox: Sandbox) -> None:
        hook = (container.get("lifecycle") or {}).get("postStart")
        if not hook:
            return
        ip = self._context.facts.host_ips[0] if pod_spec.is_host_network(pod) else next(iter(sandbox.ips), "")
        try:
            await run_hook(hook, container, container_id, ip, self._context.runtime, self._context.clock)
        except HookFailure as failure:
            self._event(pod, container, "Warning", "FailedPostStartHook", "PostStartHook failed")
            self._event(pod, container, "Normal", "Killing", "FailedPostStartHook")
            await self._context.runtime.stop_container(container_id, pod_spec.grace_seconds(pod))
            raise StartFailure("PostStartHookError", f"PostStartHook failed: {failure}", 0.0) from None

    def _event(self, pod: Object, container: Object, kind: str, reason: str, message: str) -> None:
        self._context.recorder.event(pod, kind, reason, message, field_path=pod_spec.field_path(pod, container["name"]))


def _retry_after(error: ImageError) -> float:
    """After a failed pull the next look comes soon, and says that the pull is backing off."""
    return 1.0 if error.reason == "ErrImagePull" else error.retry_after or _IMAGE_RETRY_SECONDS


def _volume(pod: Object, name: str) -> Object:
    return next((each for each in pod["spec"].get("volumes") or [] if each["name"] == name), {})


def _sub_path(mount: Object, environment: Mapping[str, str]) -> str:
    if expression := mount.get("subPathExpr"):
        if unknown := unknown_names(expression, environment):
            raise ConfigError(f"missing value for {unknown[0]!r} in subPathExpr {expression!r}")
        return expand(expression, environment)
    return str(mount.get("subPath") or "")
