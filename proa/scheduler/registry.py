"""Which plugins there are, in the order in which they are asked, and what the scores weigh: one readable table."""

from collections.abc import Callable, Sequence

from proa.api.kinds import NAMESPACES, POD_DISRUPTION_BUDGETS
from proa.api.labels import Selector
from proa.api.meta import Object, labels
from proa.client.informer import InformerFactory
from proa.client.interface import Client
from proa.scheduler.cache import Cache
from proa.scheduler.framework.framework import Framework
from proa.scheduler.framework.interface import Plugin
from proa.scheduler.nominator import Nominator
from proa.scheduler.plugins.default_binder import DefaultBinder
from proa.scheduler.plugins.default_preemption.plugin import DefaultPreemption
from proa.scheduler.plugins.image_locality import ImageLocality
from proa.scheduler.plugins.inter_pod_affinity.plugin import InterPodAffinity
from proa.scheduler.plugins.node_affinity import NodeAffinity
from proa.scheduler.plugins.node_name import NodeName
from proa.scheduler.plugins.node_ports import NodePorts
from proa.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from proa.scheduler.plugins.node_resources_fit import NodeResourcesFit
from proa.scheduler.plugins.node_unschedulable import NodeUnschedulable
from proa.scheduler.plugins.pod_topology_spread.owner_selectors import OwnerSelectors
from proa.scheduler.plugins.pod_topology_spread.plugin import PodTopologySpread
from proa.scheduler.plugins.scheduling_gates import SchedulingGates
from proa.scheduler.plugins.taint_toleration import TaintToleration
from proa.scheduler.plugins.unsupported_constraints import UnsupportedConstraints
from proa.scheduler.pod_info import PodInfo


def plugins(
    client: Client,
    cache: Cache,
    preemption: DefaultPreemption,
    owner_selector: Callable[[PodInfo], Selector | None],
    namespace_labels: Callable[[str], dict[str, str]],
) -> Sequence[tuple[Plugin, int]]:
    """Each with the weight of its score; what filters only has none."""
    return (
        (SchedulingGates(), 0),
        (UnsupportedConstraints(), 0),
        (NodeUnschedulable(), 0),
        (NodeName(), 0),
        (TaintToleration(), 3),
        (NodeAffinity(), 2),
        (NodePorts(), 0),
        (NodeResourcesFit(), 1),
        (PodTopologySpread(cache, owner_selector), 2),
        (InterPodAffinity(cache, namespace_labels), 2),
        (preemption, 0),
        (NodeResourcesBalancedAllocation(), 1),
        (ImageLocality(cache), 1),
        (DefaultBinder(client), 0),
    )


def build_framework(
    client: Client, informers: InformerFactory, cache: Cache, nominator: Nominator, choose: Callable[[int], int]
) -> Framework:
    namespaces, budgets = informers.informer(NAMESPACES).lister, informers.informer(POD_DISRUPTION_BUDGETS).lister

    def namespace_labels(name: str) -> dict[str, str]:
        return labels(namespaces.get(name) or {})

    def list_budgets() -> Sequence[Object]:
        return budgets.list()

    preemption = DefaultPreemption(cache, list_budgets, choose)
    framework = Framework(plugins(client, cache, preemption, OwnerSelectors(informers), namespace_labels), nominator)
    preemption.framework = framework
    return framework
