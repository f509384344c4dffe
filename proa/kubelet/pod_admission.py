"""Admission with what the node is now: a refusal stands only once the API server's present view of the node has been asked for.

The scheduler may know a label or an extended resource of the node that the agent's last look had not yet.
"""

from proa.api import meta
from proa.api.errors import ApiError
from proa.api.kinds import NODES
from proa.api.meta import Object
from proa.kubelet import pod_spec
from proa.kubelet.admission import Rejection, admit
from proa.kubelet.node_context import NodeContext


async def refusal(pod: Object, context: NodeContext) -> Rejection | None:
    """(reason, message), or None."""
    refused = _decide(pod, context)
    if refused is not None and await _learn_node(context):
        return _decide(pod, context)
    return refused


def _decide(pod: Object, context: NodeContext) -> Rejection | None:
    facts = context.facts
    others = [each for each in context.pods() if meta.uid(each) != meta.uid(pod) and not pod_spec.is_finished(each)]
    return admit(pod, others, facts.node, facts.allocatable, context.configuration.allowed_unsafe_sysctls, apparmor=facts.apparmor)


async def _learn_node(context: NodeContext) -> bool:
    """Whether the node is another than it was known to be."""
    try:
        node = await context.client.get(NODES, context.configuration.node_name)
    except (ApiError, OSError):
        return False
    known, context.facts.node = context.facts.node, node
    return node != known
