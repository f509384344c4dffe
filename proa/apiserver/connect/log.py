"""pods/log: the kubelet's answer, passed on as it comes."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from urllib.parse import quote, urlencode

from proa.api import meta
from proa.api.errors import ApiError, BadRequest, Cause, InternalError, Invalid, invalid, not_supported
from proa.api.meta import Object
from proa.api.validation_scalars import complaint, is_time
from proa.apiserver.call import Call
from proa.apiserver.connect.kubelet import Kubelets, dial_error, unknown_error
from proa.apiserver.connect.pod import choose_container, find_pod
from proa.apiserver.request_info import is_true
from proa.lib.http.client import Endpoint, HttpClient, HttpStream
from proa.lib.http.message import AnyResponse, Response, StreamResponse, Writer
from proa.lib.websocket.handshake import is_upgrade

ERROR_LIMIT = 5000
NO_PATH = "[]"
"""How upstream's paths show the root of what they are paths in."""
_TEXT = {"content-type": "text/plain"}
_PASSED_ON = ("sinceSeconds", "sinceTime", "tailLines", "limitBytes", "stream")
_FLAGS = ("follow", "previous", "timestamps")
_STREAMS = ("All", "Stdout", "Stderr")
_GENERIC = {
    401: ("Unauthorized", "the server has asked for the client to provide credentials"),
    403: ("Forbidden", "the server does not allow access to the requested resource"),
    404: ("NotFound", "the server could not find the requested resource"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
}


class PodLog:
    def __init__(self, kubelets: Kubelets) -> None:
        self._kubelets = kubelets

    async def serve(self, call: Call) -> AnyResponse:
        query = call.request.query
        if causes := list(log_option_errors(query)):
            raise Invalid.of("", "PodLogOptions", call.info.name, causes)
        pod = find_pod(call)
        container = choose_container(pod, call.request.parameter("container"))
        node = pod["spec"].get("nodeName")
        if not node:
            return Response(200, dict(_TEXT))
        endpoint = self._kubelets.endpoint(node, verify=not is_true(query, "insecureSkipTLSVerifyBackend"))
        if not is_upgrade(call.request.headers, "websocket"):
            return await _pass_on(endpoint, log_path(pod, container, query), call.info.name)
        from proa.apiserver.connect import log_socket

        protocol = log_socket.choose_protocol(call.request)
        answer, held = await _open(endpoint, log_path(pod, container, query), call.info.name)
        return log_socket.upgrade(call.request, protocol, answer.chunks, held)


def log_option_errors(query: Mapping[str, Sequence[str]]) -> list[Cause]:
    causes = []
    for name, least in (("tailLines", 0), ("sinceSeconds", 1), ("limitBytes", 1)):
        if text := query.get(name, [""])[0]:
            if not text.removeprefix("-").isdigit():
                raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax')
            if int(text) < least:
                detail = "must be greater than or equal to 0" if least == 0 else "must be greater than 0"
                causes.append(invalid(name, int(text), detail))
    if (moment := query.get("sinceTime", [""])[0]) and not is_time(moment):
        raise BadRequest(complaint("string", "date-time", moment) or "")
    if query.get("sinceSeconds", [""])[0] and query.get("sinceTime", [""])[0]:
        causes.append(Cause(NO_PATH, "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified", "FieldValueForbidden"))
    stream = query.get("stream", [""])[0]
    if stream and stream not in _STREAMS:
        causes.append(not_supported("stream", stream, _STREAMS))
    elif stream not in ("", "All") and query.get("tailLines", [""])[0]:
        text = "`tailLines` and specific `stream` are mutually exclusive for now"
        causes.append(Cause(NO_PATH, f"Forbidden: {text}", "FieldValueForbidden"))
    return causes


def log_path(pod: Object, container: str, query: Mapping[str, Sequence[str]]) -> str:
    asked = {name: "true" for name in _FLAGS if is_true(dict(query), name)}  # type: ignore[arg-type]
    asked |= {name: query[name][0] for name in _PASSED_ON if query.get(name, [""])[0]}
    path = f"/containerLogs/{quote(meta.namespace(pod))}/{quote(meta.name(pod))}/{quote(container)}"
    return f"{path}?{urlencode(asked)}" if asked else path


async def _pass_on(endpoint: Endpoint, path: str, pod: str) -> AnyResponse:
    answer, held = await _open(endpoint, path, pod)
    return StreamResponse(lambda writer: _copy(answer, held, writer), headers=dict(_TEXT), patient=True)


async def _open(endpoint: Endpoint, path: str, pod: str) -> tuple[HttpStream, AsyncExitStack]:
    """The kubelet's answer, and what keeps it open. Raises ApiError."""
    async with AsyncExitStack() as stack:
        client = HttpClient(endpoint)
        stack.push_async_callback(client.close)
        try:
            answer = await stack.enter_async_context(client.stream("GET", path))
            if answer.status != 200:
                raise kubelet_error(answer.status, (await answer.read())[:ERROR_LIMIT].decode("utf-8", "replace"), pod)
        except OSError as error:
            raise unknown_error(f'Get "https://{endpoint.authority}{path}": {dial_error(endpoint, error)}') from None
        held = stack.pop_all()
    return answer, held


async def _copy(answer: HttpStream, held: AsyncExitStack, writer: Writer) -> None:
    async with held:
        async for chunk in answer.chunks():
            await writer.write(chunk)


def kubelet_error(code: int, text: str, pod: str) -> ApiError:
    """What the kubelet refused, as a Status."""
    if code == 400:
        return BadRequest(text)
    if code == 500:
        return InternalError.of(text)
    reason, message = _GENERIC.get(code, ("", f"the server responded with the status code {code} but did not return more information"))
    details = {"name": pod, "kind": "pods", "causes": [{"reason": "UnexpectedServerResponse", "message": text}]}
    return ApiError(f"{message} ( pods {pod})", details, code=code, reason=reason)
