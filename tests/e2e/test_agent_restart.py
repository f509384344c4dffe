"""A node agent dies and comes back: names resolve all the time, and no container notices."""

import json
import os
import signal
from pathlib import Path
from typing import Any

from tests.e2e.namespace import Namespace, container, pod
from tests.e2e.real_cluster import wait_for

PER_SECOND, AT_LEAST = 100, 300
ASKER = f"""
import json, os, socket, struct, threading, time
server = next(line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver"))
name = b"".join(bytes([len(part)]) + part for part in b"kubernetes.default.svc.cluster.local".split(b".")) + b"\\0"
asked, failed = {{}}, []
end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end.connect((server, 53))

def listen():
    while True:
        answer = end.recv(512)
        number, flags, _, answers = struct.unpack(">HHHH", answer[:8])
        if flags & 15 or answers != 1:
            failed.append(f"answer {{flags:#x}} with {{answers}} records")
        asked.pop(number, None)

threading.Thread(target=listen, daemon=True).start()
print("asking", flush=True)
count, began = 0, time.monotonic()
while count < {AT_LEAST} or not os.path.exists("/tmp/enough"):
    number = count % 65536
    asked[number] = True
    try:
        end.send(struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + name + struct.pack(">HH", 1, 1))
    except OSError as error:
        failed.append(repr(error))
    count += 1
    time.sleep(max(0, began + count / {PER_SECOND} - time.monotonic()))
time.sleep(1)
print(json.dumps({{"asked": count, "failed": failed, "unanswered": len(asked)}}))
"""


def _agent(cluster: str, node: str) -> int:
    found: dict[str, Any] = json.loads(Path(f"/run/proa/{cluster}/state.json").read_text())
    return int(found[f"{node}/agent"]["pid"])


def _containers(space: Namespace, node: str) -> dict[str, tuple[str, int]]:
    pods = space.get("pods", f"--field-selector=spec.nodeName={node}")["items"]
    statuses = (status for each in pods for status in each["status"].get("containerStatuses") or [])
    return {status["containerID"]: (status["name"], status["restartCount"]) for status in statuses}


def test_a_killed_node_agent_is_no_outage_of_names_nor_of_containers(space: Namespace, python: str) -> None:
    node = space.get("nodes")["items"][0]["metadata"]["name"]
    asker = {"name": "main", "image": python, "command": ["/bin/python3.11", "-c", ASKER]}
    probed = container(livenessProbe={"exec": {"command": ["true"]}, "periodSeconds": 1})
    space.apply(pod("asker", asker, nodeName=node, restartPolicy="Never"), pod("bystander", probed, nodeName=node))
    space.ready("asker", "bystander")
    wait_for(lambda: "asking" in space.out("logs", "asker"), "nobody asks")
    before, killed = _containers(space, node), _agent(space.cluster.name, node)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: _agent(space.cluster.name, node) != killed, "the agent is not started again", interval=0.02)
    space.apply(pod("later", nodeName=node))
    space.ready("later")
    assert space.shell("bystander", "echo still here") == "still here\n"
    space.shell("asker", "touch /tmp/enough")
    space.out("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/asker", "--timeout=30s")
    counted = json.loads(space.out("logs", "asker").splitlines()[-1])
    assert (counted["failed"], counted["unanswered"]) == ([], 0)
    assert counted["asked"] >= AT_LEAST
    after = _containers(space, node)
    assert {name: after.get(name) for name in before} == before
    space.out("wait", "--for=condition=Ready", f"node/{node}", "--timeout=30s")
