"""What a pod's containers find inside: environment, files, users and network."""

import re
import urllib.request
from typing import Any

from tests.e2e.namespace import Namespace, container, pod
from tests.e2e.real_cluster import wait_for


def _mount(name: str, path: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "mountPath": path} | fields


def _settings(space: Namespace) -> None:
    space.out("create", "configmap", "settings", "--from-literal=colour=red", "--from-literal=size=4")
    space.out("create", "secret", "generic", "key", "--from-literal=password=sesame")


def test_variables_come_from_everywhere(space: Namespace) -> None:
    _settings(space)
    space.out("create", "service", "clusterip", "db", "--tcp=5432")
    env = [
        {"name": "PLAIN", "value": "a"},
        {"name": "MADE", "value": "$(PLAIN)-$(NOT)-$$(PLAIN)"},
        {"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "colour"}}},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "key", "key": "password"}}},
        {"name": "NONE", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "x", "optional": True}}},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
        {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "requests.memory", "divisor": "1Mi"}}},
    ]
    sources = [{"configMapRef": {"name": "settings"}, "prefix": "CM_"}, {"secretRef": {"name": "key"}}]
    resources = {"requests": {"memory": "16Mi"}, "limits": {"cpu": "250m", "memory": "64Mi"}}
    main = container("env; echo argument $0 $1; sleep inf & wait", env=env, envFrom=sources, resources=resources)
    main["command"] = [*main["command"], "$(PLAIN)"]
    main["args"] = ["$(NAME)"]
    space.apply(pod("p", main))
    space.ready("p")
    lines = space.out("logs", "p").splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    assert lines[-1] == "argument a p"
    placed = space.get("pod", "p")
    wanted = {
        "PLAIN": "a", "MADE": "a-$(NOT)-$(PLAIN)", "COLOUR": "red", "PASSWORD": "sesame", "NAME": "p", "LABEL": "p",
        "IP": placed["status"]["podIP"], "NODE": placed["spec"]["nodeName"], "CPU": "250", "MEMORY": "16",
        "CM_colour": "red", "CM_size": "4", "password": "sesame",
        "DB_SERVICE_HOST": space.get("service", "db")["spec"]["clusterIP"], "DB_SERVICE_PORT": "5432", "HOSTNAME": "p",
        "KUBERNETES_SERVICE_HOST": space.get("service", "kubernetes", "--namespace=default")["spec"]["clusterIP"],
    }  # fmt: skip
    assert {name: found.get(name) for name in wanted} == wanted
    assert "NONE" not in found


def test_a_missing_reference_holds_the_container_until_it_is_there(space: Namespace) -> None:
    source = {"configMapKeyRef": {"name": "late", "key": "a"}}
    space.apply(pod("p", container(env=[{"name": "A", "valueFrom": source}])))
    assert space.wait_for_event("p", "Failed") == 'Error: configmap "late" not found'
    assert space.out("get", "pod", "p", "--no-headers").split()[2] == "CreateContainerConfigError"
    space.out("create", "configmap", "late", "--from-literal=a=b")
    space.ready("p")
    assert space.shell("p", "echo $A") == "b\n"


def test_config_files_are_projected_and_follow_changes(space: Namespace) -> None:
    _settings(space)
    every = {
        "sources": [
            {"configMap": {"name": "settings", "items": [{"key": "size", "path": "deep/size"}]}},
            {"secret": {"name": "key"}},
            {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
            {"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": 600}},
        ],
        "defaultMode": 0o440,
    }
    limits = {"path": "limit", "resourceFieldRef": {"containerName": "main", "resource": "limits.memory"}}
    volumes = [
        {"name": "config", "configMap": {"name": "settings"}},
        {"name": "secret", "secret": {"secretName": "key", "defaultMode": 0o400}},
        {"name": "all", "projected": every},
        {"name": "about", "downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}, limits]}},
    ]
    mounts = [
        _mount("config", "/config"), _mount("secret", "/secret"), _mount("all", "/all"), _mount("about", "/about"),
        _mount("config", "/etc/colour", subPath="colour"),
    ]  # fmt: skip
    space.apply(pod("p", container(volumeMounts=mounts, resources={"limits": {"memory": "64Mi"}}), volumes=volumes))
    space.ready("p")
    assert space.shell("p", "cd /config; cat colour size; ls").split() == ["red4colour", "size"]
    assert space.shell("p", "cat /secret/password; stat -Lc %a /secret/password") == "sesame400\n"
    assert space.shell("p", "cat /all/deep/size /all/password /all/labels; stat -Lc ' %a' /all/password") == '4sesameapp="p" 440\n'
    assert space.shell("p", "cut -d. -f1 /all/token").startswith("ey")
    assert space.shell("p", "cat /about/name; echo; cat /about/limit; echo; cat /etc/colour") == "p\n67108864\nred"
    assert "Read-only file system" in space.fails("exec", "p", "--", "touch", "/config/new")
    space.out("patch", "configmap", "settings", "-p", '{"data":{"colour":"blue","more":"yes"}}')
    space.out("label", "pod", "p", "tier=front")
    wait_for(lambda: space.shell("p", "cat /config/colour /config/more 2>&1") == "blueyes", "the change does not arrive", patience=90)
    wait_for(lambda: 'tier="front"' in space.shell("p", "cat /all/labels"), "the label does not arrive", patience=90)
    assert space.shell("p", "cat /etc/colour") == "red", "a subPath mount keeps what it was"


def test_empty_directories_live_as_long_as_the_pod(space: Namespace) -> None:
    volumes = [{"name": "disk", "emptyDir": {}}, {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "8Mi"}}]
    mounts = [_mount("disk", "/disk"), _mount("memory", "/memory"), _mount("disk", "/part", subPathExpr="of/$(NAME)")]
    named = [{"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    writer = container("echo shared > /disk/file; sleep inf & wait", volumeMounts=mounts, env=named)
    reader = container("test -e /disk/again && sleep inf; touch /disk/again; exit 1", "reader", volumeMounts=[_mount("disk", "/disk")])
    space.apply(pod("p", writer, reader, volumes=volumes))
    wait_for(lambda: space.status_of("p", "reader").get("restartCount") == 1, "no restart")
    space.ready("p")
    assert space.shell("p", "cat /disk/file", "reader") == "shared\n"
    assert space.shell("p", "grep ' /memory ' /proc/mounts").split()[2] == "tmpfs"
    assert space.shell("p", "touch /part/here; ls /disk/of/p") == "here\n"


def test_a_host_path_stays_on_its_node(space: Namespace) -> None:
    volumes = [{"name": "host", "hostPath": {"path": f"/var/tmp/{space.name}", "type": "DirectoryOrCreate"}}]
    main = container(volumeMounts=[_mount("host", "/host")])
    names = [each["metadata"]["name"] for each in space.get("nodes")["items"]]
    first, second = names[:2]
    space.apply(*(pod(name, main, volumes=volumes, nodeName=node) for name, node in (("a", first), ("b", first), ("c", second))))
    space.ready("a", "b", "c")
    space.shell("a", "echo hello > /host/file")
    assert space.shell("b", "cat /host/file") == "hello\n"
    assert space.shell("c", "ls -A /host") == ""
    wrong = [{"name": "host", "hostPath": {"path": "/no/such/folder", "type": "Directory"}}]
    space.apply(pod("d", main, volumes=wrong))
    assert "hostPath type check failed: /no/such/folder is not a directory" in space.wait_for_event("d", "FailedMount")


def test_users_groups_and_capabilities(space: Namespace) -> None:
    plain = {
        "runAsUser": 1000,
        "runAsGroup": 3000,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    volumes = [{"name": "work", "emptyDir": {}}]
    main = container(securityContext=plain, volumeMounts=[_mount("work", "/work")])
    mighty = container(name="mighty", securityContext={"privileged": True, "runAsUser": 0})
    some = container(name="some", securityContext={"runAsUser": 0, "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}})
    context = {
        "fsGroup": 2000,
        "supplementalGroups": [4000],
        "seccompProfile": {"type": "RuntimeDefault"},
        "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "99"}],
    }
    space.apply(pod("p", main, mighty, some, securityContext=context, volumes=volumes))
    space.ready("p")
    assert space.shell("p", "id -u; id -g; id -G | tr ' ' '\\n' | sort -n | tr '\\n' ' '") == "1000\n3000\n2000 3000 4000 "
    assert space.shell("p", "touch /work/file; stat -c '%u %g' /work/file").split() == ["1000", "2000"]
    assert "Read-only file system" in space.fails("exec", "p", "-c", "main", "--", "touch", "/new")

    def of_process(field: str, name: str) -> str:
        return space.shell("p", f"grep ^{field}: /proc/self/status", name).split()[1]

    assert (of_process("CapEff", "main"), of_process("NoNewPrivs", "main"), of_process("Seccomp", "main")) == ("0000000000000000", "1", "2")
    assert (int(of_process("CapEff", "some"), 16), of_process("Seccomp", "mighty")) == (1 << 12, "0")
    assert int(of_process("CapEff", "mighty"), 16) > 0x1FFFFFFFF
    assert space.shell("p", "cat /proc/sys/net/ipv4/ip_unprivileged_port_start") == "99\n"
    space.apply(pod("root", container(securityContext={"runAsNonRoot": True})))
    assert "container has runAsNonRoot and image will run as root" in space.wait_for_event("root", "Failed")


def test_limits_reach_the_kernel(space: Namespace) -> None:
    space.apply(pod("p", container(resources={"requests": {"cpu": "100m"}, "limits": {"cpu": "250m", "memory": "48Mi"}})))
    space.ready("p")
    assert space.get("pod", "p")["status"]["qosClass"] == "Burstable"
    script = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max"
    assert space.shell("p", script) == f"{48 << 20}\n"
    quota = space.shell("p", "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d' ' -f1 /sys/fs/cgroup/cpu.max")
    assert quota == "25000\n"


def test_names_and_resolvers_are_as_the_pod_wants_them(space: Namespace) -> None:
    dns = {"nameservers": ["192.0.2.53"], "searches": ["example.org"], "options": [{"name": "ndots", "value": "3"}, {"name": "edns0"}]}
    aliases = [{"ip": "192.0.2.9", "hostnames": ["nine", "nine.example.org"]}]
    space.apply(
        pod("plain"),
        pod("own", dnsPolicy="None", dnsConfig=dns, hostAliases=aliases, hostname="other", subdomain="sub"),
        pod("node", dnsPolicy="Default"),
    )
    space.ready("plain", "own", "node")
    plain = space.shell("plain", "cat /etc/resolv.conf")
    assert re.fullmatch(
        rf"search {space.name}\.svc\.cluster\.local svc\.cluster\.local cluster\.local[^\n]*\nnameserver [\d.]+\noptions ndots:5\n", plain
    ), plain
    own = space.shell("own", "cat /etc/resolv.conf").splitlines()
    assert sorted(own) == ["nameserver 192.0.2.53", "options edns0 ndots:3", "search example.org"] or sorted(own) == [
        "nameserver 192.0.2.53", "options ndots:3 edns0", "search example.org",
    ]  # fmt: skip
    hosts = [line.split() for line in space.shell("own", "cat /etc/hosts").splitlines()]
    assert ["192.0.2.9", "nine", "nine.example.org"] in hosts
    address = space.get("pod", "own")["status"]["podIP"]
    assert [address, f"other.sub.{space.name}.svc.cluster.local", "other"] in hosts
    assert space.shell("own", "hostname") == "other\n"
    assert "cluster.local" not in space.shell("node", "cat /etc/resolv.conf")


def test_host_network_and_host_ports(space: Namespace) -> None:
    node = space.get("nodes")["items"][0]["metadata"]["name"]
    address = space.cluster.address_of_node(node)
    script = "mkdir -p /tmp/www; echo {0} > /tmp/www/index.html; httpd -f -p {1} -h /tmp/www & wait"
    on_host = container(script.format("host-network", 18080), ports=[{"containerPort": 18080}])
    by_port = container(script.format("host-port", 8080), ports=[{"containerPort": 8080, "hostPort": 18081}])
    space.apply(pod("a", on_host, hostNetwork=True, nodeName=node), pod("b", by_port, nodeName=node))
    space.ready("a", "b")
    status = space.get("pod", "a")["status"]
    assert status["podIP"] == status["hostIP"] == address

    def fetch(port: int) -> str:
        try:
            with urllib.request.urlopen(f"http://{address}:{port}/", timeout=2) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    assert wait_for(lambda: fetch(18080), "host network does not answer") == "host-network\n"
    assert wait_for(lambda: fetch(18081), "host port does not answer") == "host-port\n"
    names = [each["metadata"]["name"] for each in space.get("nodes")["items"]]
    space.apply(pod("c", by_port, nodeSelector={"kubernetes.io/hostname": names[0]}))
    assert "1 node(s) didn't have free ports for the requested pod ports" in space.wait_for_event("c", "FailedScheduling")


def test_pods_share_a_process_namespace_when_they_ask(space: Namespace) -> None:
    space.apply(pod("p", container(), container(name="second"), shareProcessNamespace=True))
    space.ready("p")
    assert int(space.shell("p", "ps | grep -c 'sleep inf'")) >= 2
