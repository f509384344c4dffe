"""serviceaccounts/token: what is sent is a TokenRequest, what comes back has its token; nothing is stored."""

from proa.api.errors import BadRequest, MethodNotAllowed
from proa.api.meta import metadata
from proa.apiserver.call import Call
from proa.apiserver.interface import Attributes
from proa.apiserver.options import write_options
from proa.apiserver.verbs.own_kind import TOKEN_REQUEST, decode_own
from proa.lib.http.message import Response


async def create_token(call: Call) -> Response:
    options = write_options(call.request, "CreateOptions")
    wanted = decode_own(call, TOKEN_REQUEST, "authentication.k8s.io/v1", options.field_validation)
    meta = metadata(wanted)
    if meta.get("namespace", call.namespace) != call.namespace:
        raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
    if call.server.token_request is None:
        raise MethodNotAllowed("tokens are not served")
    attributes = Attributes(
        "CREATE", call.served.resource, "token", call.namespace, call.info.name, call.user, wanted, None, options.dry_run,
        options.as_object("CreateOptions"), call.warn, call.annotate,
    )  # fmt: skip
    await call.server.admission.admit(attributes)
    await call.server.admission.validate(attributes)
    answer = await call.server.token_request(call.user, call.namespace, call.info.name, wanted, call.warn)
    return call.object_response(answer, 201, tabular=False)
