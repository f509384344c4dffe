"""`make up`: a cluster, the shop on it, and what it answers. Run again, it finds everything in place."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

import orjson
import yaml
from image import build

from proa.api.kinds import DEPLOYMENTS, NODES, SERVICES
from proa.api.meta import Object, name
from proa.api.resource import ResourceId
from proa.cli.list_clusters import print_columns
from proa.cli.progress import Progress
from proa.client.interface import APPLY_PATCH, Client
from proa.client.kubeconfig import resolve
from proa.client.rest import RestClient

HERE = Path(__file__).parent
PROA = [*(["sudo", "-E"] if os.geteuid() else []), str(Path(sys.executable).with_name("proa"))]
IMAGE = "example.com/shop:v1"
NAMESPACE = "test-ns-1"


def main() -> None:
    subprocess.run([*PROA, "up"], check=True)
    kubeconfig = yaml.safe_load(subprocess.run([*PROA, "kubeconfig"], check=True, capture_output=True).stdout)
    with Progress() as progress:
        if IMAGE not in subprocess.run([*PROA, "image", "list"], check=True, capture_output=True, text=True).stdout:
            with progress.step("Building and loading the shop's image"):
                load_image()
        asyncio.run(run_shop(RestClient.from_access(resolve(kubeconfig, "", HERE)), progress))
    print("\nTry next:")
    if not shutil.which("kubectl"):
        print("  alias kubectl=$PWD/.cache/bin/kubectl   # after: sh scripts/kubectl $PWD/.cache, as this machine has none")
    print(f"  kubectl get pods -n {NAMESPACE} -o wide --watch")
    print(f"  kubectl scale deployment/backend -n {NAMESPACE} --replicas 10")
    print(f"  kubectl exec -it -n {NAMESPACE} deployment/frontend -- sh")


def load_image() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "shop.tar")
        file.write_bytes(build())
        subprocess.run([*PROA, "image", "load", str(file)], check=True, stdout=subprocess.DEVNULL)


async def run_shop(client: Client, progress: Progress) -> None:
    try:
        with progress.step("Applying examples/shop"):
            for manifest in ("backend.yaml", "frontend.yaml", "named-port.yaml"):
                for obj in yaml.safe_load_all((HERE / manifest).read_text()):
                    await apply(client, obj)
        with progress.step("Waiting until every pod is ready"):
            await until(lambda: all_available(client))
        with progress.step("Waiting until it answers"):
            await until(lambda: answers(client))
        for path in ("/api/v1/nodes", f"/api/v1/namespaces/{NAMESPACE}/pods", f"/api/v1/namespaces/{NAMESPACE}/services"):
            print()
            await print_table(client, path)
        print()
        for kind, url in (await addresses(client)).items():
            print(f"{kind:13} {url:28} {await asyncio.to_thread(fetch, url)}")
    finally:
        await client.close()


async def apply(client: Client, obj: Object) -> None:
    group, _, version = obj["apiVersion"].rpartition("/")
    resource = ResourceId(group, version, f"{obj['kind'].lower()}s", obj["kind"], "namespace" in obj["metadata"])
    namespace = obj["metadata"].get("namespace", "")
    await client.patch(resource, name(obj), obj, namespace, patch_type=APPLY_PATCH, field_manager="shop", force=True)


async def all_available(client: Client) -> bool:
    deployments = (await client.list(DEPLOYMENTS, NAMESPACE)).items
    return all(d.get("status", {}).get("availableReplicas", 0) >= d["spec"]["replicas"] for d in deployments)


async def addresses(client: Client) -> dict[str, str]:
    """Where the frontend is reached from this machine."""
    service = await client.get(SERVICES, "frontend", NAMESPACE)
    balanced = await client.get(SERVICES, "frontendlb", NAMESPACE)
    node = (await client.list(NODES)).items[0]
    address = next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP")
    port = service["spec"]["ports"][0]["nodePort"]
    ingress: list[dict[str, Any]] = balanced.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    found = {"NodePort": f"http://{address}:{port}/", "localhost": f"http://127.0.0.1:{port}/"}
    return found | ({"LoadBalancer": f"http://{ingress[0]['ip']}/"} if ingress else {})


async def answers(client: Client) -> bool:
    found = await addresses(client)
    if "LoadBalancer" not in found:
        return False
    try:
        texts = [await asyncio.to_thread(fetch, url) for url in found.values()]
    except OSError:
        return False
    return all("-> backend" in text for text in texts)


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode().strip())


async def until(condition: Any, patience: float = 120.0) -> None:
    async with asyncio.timeout(patience):
        while not await condition():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.05)


async def print_table(client: Client, path: str) -> None:
    """As `kubectl get -o wide` shows it: the server makes the table."""
    _, _, body = await client.request("GET", path, headers={"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"})
    table = orjson.loads(body)
    header = tuple(column["name"].upper() for column in table["columnDefinitions"])
    print_columns([header, *(tuple(str(cell) for cell in row["cells"]) for row in table["rows"])])


if __name__ == "__main__":
    main()
