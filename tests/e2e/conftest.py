"""Real clusters for the tests in this folder: one shared, with the shop on it. What needs root or a program skips with the reason."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import python_image
from tests.e2e.namespace import Namespace, fresh_name
from tests.e2e.real_cluster import REPOSITORY, RealCluster

SHOP = REPOSITORY / "examples/shop"


def missing() -> str:
    """Why no cluster can run here, "" if it can."""
    if os.geteuid() != 0:
        return "needs root"
    programs = [program for program in ("containerd", "runc", "nft", "busybox") if shutil.which(program) is None]
    return f"needs {', '.join(programs)} (make test installs them)" if programs else ""


def shop_image(version: str = "v1") -> bytes:
    sys.path.insert(0, str(SHOP))
    try:
        from image import build
    finally:
        sys.path.remove(str(SHOP))
    archive: bytes = build(version)
    return archive


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    """Two nodes, with the shop's images in versions v1 and v2 loaded."""
    if reason := missing():
        pytest.skip(reason)
    made = RealCluster("e2e", tmp_path_factory.mktemp("e2e") / "home")
    try:
        made.proa("up", "e2e")
        for version in ("v1", "v2"):
            made.load_image(shop_image(version))
        yield made
    finally:
        if os.environ.get("PROA_KEEP"):
            print(f"kept: PROA_HOME={made.home} KUBECONFIG={made.kubeconfig}")
        else:
            made.proa("down", "e2e", check=False)


@pytest.fixture(scope="session")
def shop(cluster: RealCluster) -> RealCluster:
    """The shop, rolled out in test-ns-1."""
    for manifest in ("backend.yaml", "frontend.yaml", "named-port.yaml"):
        cluster.kubectl("apply", "-f", str(SHOP / manifest))
    for deployment in ("backend", "frontend", "catalogue"):
        cluster.wait_for_rollout(f"deployment/{deployment}", "test-ns-1")
    return cluster


@pytest.fixture(scope="session")
def python(cluster: RealCluster) -> str:
    """The name of an image with Python and a gRPC server, loaded."""
    if reason := python_image.missing():
        pytest.skip(reason)
    cluster.load_image(python_image.build())
    return python_image.IMAGE


@pytest.fixture
def space(cluster: RealCluster, request: pytest.FixtureRequest) -> Iterator[Namespace]:
    """A namespace for this test alone."""
    made = Namespace(cluster, fresh_name(request.node.originalname.removeprefix("test_")))
    cluster.kubectl("create", "namespace", made.name)
    yield made
    cluster.kubectl("delete", "namespace", made.name, "--wait=false")


@pytest.fixture
def new_cluster(tmp_path: Path) -> Iterator[RealCluster]:
    """The name and home of a cluster that the test brings up itself; it is gone afterwards."""
    if reason := missing():
        pytest.skip(reason)
    made = RealCluster("trace", tmp_path / "home")
    yield made
    made.proa("down", "trace", check=False)
