"""Carries out one probe: exec, httpGet, tcpSocket or grpc, with its time limit, and says the result in upstream's words."""

import asyncio
import errno
import os

from proa.api.meta import Object
from proa.kubelet.cri.errors import RuntimeFailure, RuntimeTimeout, describe
from proa.kubelet.cri.grpc_health import check_health
from proa.kubelet.cri.runtime import RuntimeService
from proa.kubelet.http_request import http_get
from proa.kubelet.ports import UnknownPort, resolve_port
from proa.kubelet.probes.outcome import Outcome

USER_AGENT = "kube-probe/1.37"
_OUTPUT_LIMIT = 10 * 1024


async def run_probe(probe: Object, container: Object, container_id: str, pod_ip: str, runtime: RuntimeService) -> Outcome:
    timeout = int(probe.get("timeoutSeconds") or 1)
    try:
        if action := probe.get("exec"):
            return await _exec(action, container_id, timeout, runtime)
        if action := probe.get("httpGet"):
            return await _http(action, container, pod_ip, timeout)
        if action := probe.get("tcpSocket"):
            return await _tcp(action, container, pod_ip, timeout)
        return await _grpc(probe["grpc"], pod_ip, timeout)
    except UnknownPort as error:
        return Outcome(False, str(error), unknown=True)


async def _exec(action: Object, container_id: str, timeout: int, runtime: RuntimeService) -> Outcome:
    command = action.get("command") or []
    try:
        result = await runtime.exec_sync(container_id, command, timeout)
    except RuntimeTimeout:
        quoted = " ".join(command)
        return Outcome(False, f'command timed out: "{quoted}" timed out after {timeout}s')
    except RuntimeFailure as failure:
        return Outcome(False, describe(failure), unknown=True)
    output = (result.stdout + result.stderr)[:_OUTPUT_LIMIT].decode("utf-8", "replace")
    return Outcome(result.exit_code == 0, output)


async def _http(action: Object, container: Object, pod_ip: str, timeout: int) -> Outcome:
    host, port = action.get("host") or pod_ip, resolve_port(action["port"], container)
    path = action.get("path") or "/"
    url = f"{(action.get('scheme') or 'HTTP').lower()}://{_address(host, port)}{path if path.startswith('/') else '/' + path}"
    headers, host_header = probe_headers(action)
    try:
        answer = await asyncio.wait_for(http_get(url, headers, host_header), timeout)
    except TimeoutError:
        return Outcome(False, f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)')
    except (OSError, ValueError, asyncio.IncompleteReadError) as error:
        message = str(error)
        return Outcome(False, message if message.startswith("Get ") else f'Get "{url}": {dial_error(error, _address(host, port))}')
    if answer.other_host:
        return Outcome(True, f"Probe terminated redirects, Response body: {answer.body[:64].decode('utf-8', 'replace')}", warning=True)
    if 200 <= answer.status < 400:
        return Outcome(True)
    return Outcome(False, f"HTTP probe failed with statuscode: {answer.status}")


def probe_headers(action: Object) -> tuple[dict[str, str], str]:
    """(headers, Host): the probe's own win over ours."""
    given = {each["name"]: each.get("value") or "" for each in action.get("httpHeaders") or []}
    lower = {name.lower(): value for name, value in given.items()}
    headers = {name: value for name, value in given.items() if name.lower() != "host" and value != ""}
    if "user-agent" not in lower:
        headers["User-Agent"] = USER_AGENT
    if "accept" not in lower:
        headers["Accept"] = "*/*"
    return headers, lower.get("host", "")


async def _tcp(action: Object, container: Object, pod_ip: str, timeout: int) -> Outcome:
    host, port = action.get("host") or pod_ip, resolve_port(action["port"], container)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), timeout)
    except TimeoutError:
        return Outcome(False, f"dial tcp {_address(host, port)}: i/o timeout")
    except OSError as error:
        return Outcome(False, dial_error(error, _address(host, port)))
    writer.close()
    return Outcome(True)


async def _grpc(action: Object, pod_ip: str, timeout: int) -> Outcome:
    try:
        status = await check_health(pod_ip, int(action["port"]), action.get("service") or "", timeout)
    except RuntimeTimeout:
        return Outcome(
            False, f'timeout: failed to connect service "{pod_ip}:{action["port"]}" within {timeout}s: context deadline exceeded'
        )
    except RuntimeFailure as failure:
        if failure.code == "UNIMPLEMENTED":
            return Outcome(False, "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)")
        return Outcome(False, f"error: health rpc failed: {describe(failure)}")
    return Outcome(status == "SERVING", "" if status == "SERVING" else f'service unhealthy (responded with "{status}")')


def dial_error(error: Exception, address: str) -> str:
    number = getattr(error, "errno", None)
    if number == errno.ECONNREFUSED or isinstance(error, ConnectionRefusedError):
        return f"dial tcp {address}: connect: connection refused"
    if number == errno.ECONNRESET or isinstance(error, ConnectionResetError):
        return f"read tcp {address}: read: connection reset by peer"
    if isinstance(number, int) and number > 0:
        return f"dial tcp {address}: connect: {os.strerror(number).lower()}"
    return str(error) or "EOF"


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
