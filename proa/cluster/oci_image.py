"""Container images without a registry: an OCI layout archive made from files of this machine, byte for byte the same each time.

`containerd` imports such an archive as it would one from `docker save`. Source: the OCI image specification, image-layout.md and config.md.
"""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from proa.cluster.errors import ClusterError
from proa.lib.dataclass import dataclass

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64"}
MEDIA = "application/vnd.oci.image"


@dataclass(slots=True)
class ImageContent:
    """What goes into an image: `files` maps a path in the image to (content, mode), `links` to a link's target."""

    files: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    directories: dict[str, int] = field(default_factory=dict)

    def add_file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        self.files[path.lstrip("/")] = (content, mode)


def busybox_content() -> ImageContent:
    """Debian's static busybox with a link for each of its applets."""
    binary = Path("/bin/busybox") if Path("/bin/busybox").exists() else Path("/usr/bin/busybox")
    if not binary.exists():
        raise ClusterError("no busybox on this machine; install Debian's package: apt-get install busybox-static")
    import subprocess

    applets = subprocess.run([str(binary), "--list"], check=True, capture_output=True, text=True).stdout.split()
    content = ImageContent(directories={"tmp": 0o1777, "etc": 0o755, "proc": 0o755, "sys": 0o755, "dev": 0o755, "root": 0o700})
    content.add_file("bin/busybox", binary.read_bytes(), 0o755)
    content.links = {f"bin/{applet}": "busybox" for applet in applets if applet != "busybox"}
    content.links["sbin"] = "bin"
    content.links["usr/bin"] = "../bin"
    content.add_file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    content.add_file("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    return content


@dataclass(frozen=True, slots=True)
class RunDefaults:
    """What a container of the image runs when its pod says nothing else."""

    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""


def archive(name: str, content: ImageContent, run: RunDefaults) -> bytes:
    """The bytes of an OCI layout tar. `name` is a full reference, for example "example.com/shop:v1"."""
    layer = _tar(content)
    config = _config(layer, run)
    blobs = {_digest(blob): blob for blob in (layer, config)}
    manifest = _json({
        "schemaVersion": 2,
        "mediaType": f"{MEDIA}.manifest.v1+json",
        "config": _descriptor(config, f"{MEDIA}.config.v1+json"),
        "layers": [_descriptor(layer, f"{MEDIA}.layer.v1.tar")],
    })  # fmt: skip
    blobs[_digest(manifest)] = manifest
    annotations = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rpartition(":")[2]}
    index = _json({"schemaVersion": 2, "manifests": [_descriptor(manifest, f"{MEDIA}.manifest.v1+json") | {"annotations": annotations}]})
    files = {"oci-layout": _json({"imageLayoutVersion": "1.0.0"}), "index.json": index}
    files |= {f"blobs/sha256/{digest}": blob for digest, blob in blobs.items()}
    return _tar(ImageContent({path: (data, 0o644) for path, data in files.items()}))


def _config(layer: bytes, run: RunDefaults) -> bytes:
    variables = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **run.environment}
    defaults = {
        "User": run.user,
        "Env": [f"{key}={value}" for key, value in variables.items()],
        "Entrypoint": list(run.entrypoint),
        "Cmd": list(run.command),
    }
    machine = platform.machine()
    return _json({
        "architecture": ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "config": {key: value for key, value in defaults.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_digest(layer)}"]},
    })  # fmt: skip


def _tar(content: ImageContent) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, mode in sorted(_with_parents(content).items()):
            _add(tar, path, mode, tarfile.DIRTYPE)
        for path, (data, mode) in sorted(content.files.items()):
            _add(tar, path, mode, tarfile.REGTYPE, data)
        for path, target in sorted(content.links.items()):
            _add(tar, path, 0o777, tarfile.SYMTYPE, link=target)
    return buffer.getvalue()


def _with_parents(content: ImageContent) -> dict[str, int]:
    directories: dict[str, int] = {}
    for path in (*content.files, *content.links, *content.directories):
        for parent in list(Path(path).parents)[:-1]:
            directories.setdefault(str(parent), 0o755)
    return directories | {path.strip("/"): mode for path, mode in content.directories.items()}


def _add(tar: tarfile.TarFile, path: str, mode: int, kind: bytes, data: bytes = b"", link: str = "") -> None:
    entry = tarfile.TarInfo(path)
    entry.mode, entry.type, entry.size, entry.linkname = mode, kind, len(data), link
    tar.addfile(entry, io.BytesIO(data) if data else None)


def _descriptor(blob: bytes, media_type: str) -> dict[str, object]:
    return {"mediaType": media_type, "digest": f"sha256:{_digest(blob)}", "size": len(blob)}


def _digest(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
