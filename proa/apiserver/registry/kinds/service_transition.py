"""What an update may change of what a Service has been given: addresses and families stay as long as it has any, a second one comes and
goes with ipFamilyPolicy. ExternalName is the way in and out.
"""

from proa.api.errors import Cause, forbidden, invalid
from proa.api.meta import Object
from proa.apiserver.registry.kinds.service_allocation import cluster_ips_of, needs_health_port
from proa.apiserver.registry.object_meta import FIELD_IMMUTABLE, immutable

_ONCE_SET = "may not change once set"
_RELEASING = "`ipFamilyPolicy` must be set to 'SingleStack' when releasing the secondary {}"


def validate_transition(new: Object, old: Object) -> list[Cause]:
    if "ExternalName" in (new.get("type"), old.get("type")) or not old.get("clusterIP"):
        return []
    causes = _validate_addresses(new, old) + _validate_families(new, old)
    if new.get("type") == old.get("type") == "LoadBalancer":
        causes += immutable("spec.loadBalancerClass", new.get("loadBalancerClass"), old.get("loadBalancerClass"))
    if needs_health_port(new) and needs_health_port(old) and old.get("healthCheckNodePort"):
        changed = immutable("spec.healthCheckNodePort", new.get("healthCheckNodePort"), old["healthCheckNodePort"])
        causes += [forbidden(cause.field, FIELD_IMMUTABLE) for cause in changed]
    return causes


def _validate_addresses(new: Object, old: Object) -> list[Cause]:
    fresh, former = cluster_ips_of(new), cluster_ips_of(old)
    if not fresh or (fresh == ["None"] and former == ["None"]):
        return []
    kept = former if len(fresh) == len(former) else former[:1]
    causes = [invalid(f"spec.clusterIPs[{index}]", fresh, _ONCE_SET) for index, address in enumerate(kept) if fresh[index] != address]
    if len(fresh) == 1 and len(former) > 1 and new.get("ipFamilyPolicy") != "SingleStack":
        causes.append(invalid("spec.clusterIPs[0]", fresh, _RELEASING.format("clusterIP")))
    return causes


def _validate_families(new: Object, old: Object) -> list[Cause]:
    """Headless Services have no addresses, so their families may change."""
    fresh, former = new.get("ipFamilies") or [], old.get("ipFamilies") or []
    if not fresh or not former or "None" in (new.get("clusterIP"), old.get("clusterIP")):
        return []
    kept = former if len(fresh) == len(former) else former[:1]
    causes = [invalid("spec.ipFamilies[0]", fresh, _ONCE_SET) for index, family in enumerate(kept) if fresh[index] != family]
    if len(fresh) == 1 and len(former) > 1 and new.get("ipFamilyPolicy") != "SingleStack":
        causes.append(invalid("spec.clusterIPs[0]", cluster_ips_of(new), _RELEASING.format("ipFamily")))
    return causes
