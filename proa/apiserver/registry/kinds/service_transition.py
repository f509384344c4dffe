"""What an update may change of what a Service has been given: addresses and families stay as long as it has any, a second one comes and
goes with ipFamilyPolicy. ExternalName is the way in and out.
"""

from typing import Any

from proa.api.errors import Cause, forbidden, invalid
from proa.api.meta import Object
from proa.apiserver.registry.kinds.service_allocation import is_headless, needs_health_port
from proa.apiserver.registry.object_meta import FIELD_IMMUTABLE

_ONCE_SET = "may not change once set"


def validate_transition(new: Object, old: Object) -> list[Cause]:
    causes: list[Cause] = []
    if "ExternalName" not in (new.get("type"), old.get("type")):
        causes += _validate_addresses(new, old) + _validate_families(new, old)
    if new.get("type") == old.get("type") == "LoadBalancer" and new.get("loadBalancerClass") != old.get("loadBalancerClass"):
        causes.append(invalid("spec.loadBalancerClass", new.get("loadBalancerClass"), _ONCE_SET))
    if needs_health_port(new) and needs_health_port(old) and new.get("healthCheckNodePort") != old.get("healthCheckNodePort"):
        causes.append(forbidden("spec.healthCheckNodePort", FIELD_IMMUTABLE))
    return causes


def _validate_addresses(new: Object, old: Object) -> list[Cause]:
    fresh, former = new.get("clusterIPs") or [], old.get("clusterIPs") or []
    if is_headless(new) and is_headless(old):
        return []
    if len(fresh) == len(former):
        return [invalid(f"spec.clusterIPs[{index}]", fresh, _ONCE_SET) for index, each in enumerate(former) if fresh[index] != each]
    causes: list[Cause] = []
    if not fresh:
        causes.append(invalid("spec.clusterIPs[0]", None, "primary clusterIP can not be unset"))
    elif former and fresh[0] != former[0]:
        causes.append(invalid("spec.clusterIPs[0]", fresh, _ONCE_SET))
    return causes + _released(new, fresh, former, "clusterIP")


def _validate_families(new: Object, old: Object) -> list[Cause]:
    """Headless Services have no addresses, so their families may change."""
    fresh, former = new.get("ipFamilies") or [], old.get("ipFamilies") or []
    if is_headless(new) or is_headless(old):
        return []
    if len(fresh) == len(former):
        return [invalid("spec.ipFamilies[0]", fresh, _ONCE_SET) for index, each in enumerate(former) if fresh[index] != each]
    causes: list[Cause] = []
    if fresh and former and fresh[0] != former[0]:
        causes.append(invalid("spec.ipFamilies[0]", new.get("clusterIPs"), _ONCE_SET))
    return causes + _released(new, fresh, former, "ipFamily")


def _released(new: Object, fresh: list[Any], former: list[Any], what: str) -> list[Cause]:
    """The second one goes only with the policy."""
    if len(fresh) != 1 or len(former) < 2 or new.get("ipFamilyPolicy") == "SingleStack":
        return []
    detail = f"must be set to 'SingleStack' when releasing the secondary {what}"
    return [invalid("spec.ipFamilyPolicy", new.get("ipFamilyPolicy"), detail)]
