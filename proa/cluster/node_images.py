"""Images on the nodes: loaded from archives into every node at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from proa.cluster import containerd
from proa.cluster.access import running
from proa.cluster.errors import ClusterError
from proa.cluster.oci_image import RunDefaults, archive, busybox_content
from proa.cluster.paths import ClusterPaths
from proa.cluster.settings import ClusterSettings


def pause_archive(paths: ClusterPaths) -> Path:
    """The image that holds a pod's namespaces: busybox, asleep. Made once per cluster."""
    path = paths.images / "pause.tar"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(archive(containerd.PAUSE_IMAGE, busybox_content(), RunDefaults(entrypoint=("/bin/busybox", "sleep", "inf"))))
    return path


def import_archive(paths: ClusterPaths, nodes: Sequence[str], path: Path, unless_present: str = "") -> list[str]:
    """Import into those nodes in parallel; returns the names of the images that the archive holds."""

    def load(node: str) -> list[str]:
        target = paths.node(node)
        if unless_present and unless_present in containerd.list_images(target):
            return []
        return containerd.import_image(target, path)

    with ThreadPoolExecutor(max_workers=4) as pool:
        return sorted({name for names in pool.map(load, nodes) for name in names})


def load_images(cluster: str, files: Sequence[Path]) -> list[str]:
    """`proa image load`."""
    paths, settings = running(cluster)
    nodes = _powered(settings)
    if not nodes:
        raise ClusterError(f"cluster {cluster!r} has no running node; add or start one: proa node add, proa node start NAME")
    return [name for file in files for name in import_archive(paths, nodes, file.resolve())]


def images_by_node(cluster: str) -> dict[str, list[str]]:
    """`proa image list`."""
    paths, settings = running(cluster)
    return {name: containerd.list_images(paths.node(name)) for name in _powered(settings)}


def _powered(settings: ClusterSettings) -> list[str]:
    return [node.name for node in settings.nodes if node.powered]
