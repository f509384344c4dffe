"""postStart and preStop hooks: exec, httpGet, sleep, and tcpSocket as the no-op that upstream has made of it."""

from proa.api.meta import Object
from proa.kubelet.cri.errors import RuntimeFailure, describe
from proa.kubelet.cri.runtime import RuntimeService
from proa.kubelet.http_request import http_get
from proa.kubelet.ports import UnknownPort, resolve_port
from proa.kubelet.probes.check import probe_headers
from proa.lib.clock import Clock


class HookFailure(Exception):
    """The hook did not succeed."""


async def run_hook(hook: Object, container: Object, container_id: str, pod_ip: str, runtime: RuntimeService, clock: Clock) -> None:
    """Returns when the hook has succeeded; raises HookFailure. The caller sets a time limit."""
    if action := hook.get("exec"):
        await _exec(action, container_id, runtime)
    elif action := hook.get("httpGet"):
        await _http(action, container, pod_ip)
    elif action := hook.get("sleep"):
        await clock.sleep(float(action["seconds"]))


async def _exec(action: Object, container_id: str, runtime: RuntimeService) -> None:
    command = action.get("command") or []
    try:
        result = await runtime.exec_sync(container_id, command)
    except RuntimeFailure as failure:
        raise HookFailure(describe(failure)) from None
    if result.exit_code != 0:
        output = (result.stdout + result.stderr).decode("utf-8", "replace").strip()
        raise HookFailure(f"command '{' '.join(command)}' exited with {result.exit_code}: {output}")


async def _http(action: Object, container: Object, pod_ip: str) -> None:
    headers, host = probe_headers(action)
    headers["User-Agent"] = headers["User-Agent"].replace("kube-probe", "kube-lifecycle")
    address = action.get("host") or pod_ip
    bracketed = f"[{address}]" if ":" in address else address
    path = action.get("path") or "/"
    try:
        port = resolve_port(action["port"], container)
        url = f"{(action.get('scheme') or 'HTTP').lower()}://{bracketed}:{port}{path if path.startswith('/') else '/' + path}"
        answer = await http_get(url, headers, host)
    except (OSError, ValueError, UnknownPort) as error:
        raise HookFailure(str(error)) from None
    if answer.status >= 400:
        raise HookFailure(f"HTTP hook failed with statuscode: {answer.status}")
