"""The control plane dies; nobody else notices."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

from tests.e2e.real_cluster import RealCluster, kubectl_binary, wait_for


def _parts(cluster: RealCluster) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = json.loads(Path("/run/proa/e2e/state.json").read_text())
    return found


def _restarts_of_pods(cluster: RealCluster) -> dict[str, int]:
    pods = cluster.get("pods", "-A")["items"]
    return {pod["metadata"]["uid"]: sum(status["restartCount"] for status in pod["status"].get("containerStatuses") or []) for pod in pods}


def test_a_killed_api_server_is_back_at_once_and_a_watch_goes_on_without_a_gap(shop: RealCluster) -> None:
    before = _restarts_of_pods(shop)
    seen: list[int] = []
    knows_where, end = threading.Event(), threading.Event()

    def watch() -> None:
        """As every informer does: list, then watch from there, and after a broken connection watch from the last event."""
        listed = shop.get("configmaps", "-n", "default")
        version = listed["metadata"]["resourceVersion"] or "0"
        knows_where.set()
        while not end.is_set():
            path = f"/api/v1/namespaces/default/configmaps?watch=1&resourceVersion={version}&timeoutSeconds=20"
            process = subprocess.Popen([kubectl_binary(), "get", "--raw", path], env=shop.environment, stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            for line in process.stdout:
                event = json.loads(line)
                version = event["object"]["metadata"]["resourceVersion"]
                if event["object"]["metadata"]["name"] == "counter":
                    seen.append(int(event["object"]["data"]["value"]))
                if end.is_set():
                    process.kill()
            process.wait()
            process.stdout.close()

    watcher = threading.Thread(target=watch)
    shop.kubectl("create", "configmap", "counter", "--from-literal=value=0")
    watcher.start()
    assert knows_where.wait(30)
    try:
        for value in range(1, 11):
            if value == 5:
                killed = _parts(shop)["apiserver"]["pid"]
                os.kill(killed, signal.SIGKILL)
                began = time.monotonic()
                wait_for(
                    lambda: shop.kubectl("get", "--raw", "/readyz", check=False).returncode == 0, "API server is not back", interval=0.01
                )
                print(f"API ready again after {time.monotonic() - began:.2f} s, kubectl's own start included")
                assert _parts(shop)["apiserver"]["pid"] != killed
            patch = json.dumps({"data": {"value": str(value)}})
            shop.kubectl("patch", "configmap", "counter", "--type=merge", "-p", patch)
        wait_for(lambda: seen and seen[-1] == 10, f"the watch saw only {seen}")
        assert [value for value in seen if value] == list(range(1, 11))
    finally:
        end.set()
        shop.kubectl("delete", "configmap", "counter")
        watcher.join()
    assert _restarts_of_pods(shop) == before


def test_killed_controllers_are_back_and_do_their_work(shop: RealCluster) -> None:
    os.kill(_parts(shop)["controllers"]["pid"], signal.SIGKILL)
    shop.kubectl("create", "deployment", "after-crash", "--image=example.com/shop:v1", "--", "sleep", "inf")
    try:
        shop.wait_for_rollout("deployment/after-crash")
    finally:
        shop.kubectl("delete", "deployment", "after-crash")
