"""Archives are OCI layouts whose digests are true; the same content gives the same bytes."""

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from proa.cluster.errors import ClusterError
from proa.cluster.oci_image import ImageContent, RunDefaults, archive, busybox_content

CONTENT = ImageContent(
    files={"srv/www/index.html": (b"hello", 0o644), "bin/run": (b"#!/bin/sh\n", 0o755)},
    links={"bin/sh": "busybox"},
    directories={"tmp": 0o1777},
)


def members(data: bytes) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for entry in tar:
            reader = tar.extractfile(entry) if entry.isfile() else None
            found[entry.name] = (entry, reader.read() if reader else b"")
    return found


class Layout:
    """An archive read as a container engine reads it: from the index to the layers, each blob checked against its descriptor."""

    def __init__(self, data: bytes) -> None:
        self.files = members(data)
        self.index = json.loads(self.files["index.json"][1])
        self.manifest = json.loads(self.blob(self.index["manifests"][0]))
        self.config = json.loads(self.blob(self.manifest["config"]))
        self.layer = self.blob(self.manifest["layers"][0])

    def blob(self, descriptor: dict[str, Any]) -> bytes:
        algorithm, _, digest = descriptor["digest"].partition(":")
        data = self.files[f"blobs/{algorithm}/{digest}"][1]
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (digest, descriptor["size"])
        return data


def test_an_archive_leads_from_its_index_to_its_files() -> None:
    layout = Layout(archive("example.com/shop:v1", CONTENT, RunDefaults(("/bin/run",), ("-v",), {"COLOR": "red"}, "1000")))
    assert json.loads(layout.files["oci-layout"][1]) == {"imageLayoutVersion": "1.0.0"}
    assert layout.index["manifests"][0]["annotations"] == {
        "io.containerd.image.name": "example.com/shop:v1",
        "org.opencontainers.image.ref.name": "v1",
    }
    assert layout.config["config"] == {
        "User": "1000",
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "COLOR=red"],
        "Entrypoint": ["/bin/run"],
        "Cmd": ["-v"],
    }
    assert layout.config["rootfs"] == {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layout.layer).hexdigest()}"]}
    assert {name: (entry.mode, entry.type, entry.linkname or data) for name, (entry, data) in members(layout.layer).items()} == {
        "bin": (0o755, tarfile.DIRTYPE, b""),
        "srv": (0o755, tarfile.DIRTYPE, b""),
        "srv/www": (0o755, tarfile.DIRTYPE, b""),
        "tmp": (0o1777, tarfile.DIRTYPE, b""),
        "bin/run": (0o755, tarfile.REGTYPE, b"#!/bin/sh\n"),
        "srv/www/index.html": (0o644, tarfile.REGTYPE, b"hello"),
        "bin/sh": (0o777, tarfile.SYMTYPE, "busybox"),
    }


def test_what_the_image_does_not_say_is_left_out() -> None:
    assert list(Layout(archive("a:b", ImageContent(), RunDefaults())).config["config"]) == ["Env"]


def test_the_same_content_gives_the_same_bytes() -> None:
    assert archive("a:b", CONTENT, RunDefaults()) == archive("a:b", CONTENT, RunDefaults())


@pytest.mark.skipif(not any(os.path.exists(path) for path in ("/bin/busybox", "/usr/bin/busybox")), reason="needs busybox-static")
def test_busybox_has_a_link_for_each_applet() -> None:
    content = busybox_content()
    assert content.files["bin/busybox"][1] == 0o755
    assert {content.links[f"bin/{name}"] for name in ("sh", "wget", "nslookup")} == {"busybox"}


def test_without_busybox_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: False)
    with pytest.raises(ClusterError, match="apt-get install busybox-static"):
        busybox_content()
