"""The /etc/hosts that the node agent manages for a pod, and the name that the pod calls itself."""

from collections.abc import Sequence

from proa.api import meta
from proa.api.meta import Object
from proa.kubelet import pod_spec

HOSTNAME_LIMIT = 63
_HEADER = "# Kubernetes-managed hosts file"


def hostname(pod: Object, node_name: str) -> str:
    """The pod's host name: the node's on the host's network, else the spec's, else the pod's own name cut to 63 characters."""
    if override := pod["spec"].get("hostnameOverride"):
        return str(override)
    if pod_spec.is_host_network(pod):
        return node_name
    return str(pod["spec"].get("hostname") or meta.name(pod)[:HOSTNAME_LIMIT].rstrip("-."))


def domain(pod: Object, cluster_domain: str) -> str:
    """`subdomain.namespace.svc.DOMAIN`, or "" without a subdomain."""
    subdomain = pod["spec"].get("subdomain")
    return f"{subdomain}.{meta.namespace(pod)}.svc.{cluster_domain}" if subdomain else ""


def sandbox_hostname(pod: Object, node_name: str, cluster_domain: str) -> str:
    """With setHostnameAsFQDN the kernel's host name is the whole name."""
    own, rest = hostname(pod, node_name), domain(pod, cluster_domain)
    return f"{own}.{rest}" if rest and pod["spec"].get("setHostnameAsFQDN") else own


def build_hosts(pod: Object, pod_ips: Sequence[str], node_name: str, cluster_domain: str, host_file: str) -> str:
    """The file's text; `host_file` is the node's own, which pods on its network see."""
    aliases = _aliases(pod)
    if pod_spec.is_host_network(pod):
        return f"{_HEADER} (host network).\n{host_file}{aliases}"
    lines = [
        f"{_HEADER}.", "127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback", "fe00::0\tip6-localnet",
        "fe00::0\tip6-mcastprefix", "fe00::1\tip6-allnodes", "fe00::2\tip6-allrouters",
    ]  # fmt: skip
    own, rest = hostname(pod, node_name), domain(pod, cluster_domain)
    names = f"{own}.{rest}\t{own}" if rest else own
    lines += [f"{ip}\t{names}" for ip in pod_ips]
    return "\n".join(lines) + "\n" + aliases


def _aliases(pod: Object) -> str:
    entries = pod["spec"].get("hostAliases") or []
    if not entries:
        return ""
    lines = ["", "# Entries added by HostAliases."]
    lines += ["\t".join([each["ip"], *(each.get("hostnames") or [])]) for each in entries]
    return "\n".join(lines) + "\n"
