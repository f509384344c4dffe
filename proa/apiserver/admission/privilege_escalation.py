"""Nobody grants what they do not have: writing a role needs all that the role allows, or the verb `escalate`; writing a binding needs all
that its role allows, or the verb `bind`. Source: RBAC's "Privilege escalation prevention and bootstrapping".
"""

from collections.abc import Sequence

from proa.api.errors import NotFound
from proa.api.meta import Object
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.authz.role_index import GROUP
from proa.apiserver.authz.rule_coverage import compact, describe, missing_rules
from proa.apiserver.interface import MASTERS_GROUP, Attributes, Authorizer, ObjectReader, PassiveAdmission, RequestInfo, User

ROLE_PLURALS = {"Role": "roles", "ClusterRole": "clusterroles"}


class PrivilegeEscalation(PassiveAdmission):
    """Upstream checks this in the storage of the four resources, right after admission: so it is the last of the validators."""

    name = "RBACPrivilegeEscalation"

    def __init__(self, reader: ObjectReader, authorizer: Authorizer) -> None:
        self._reader = reader
        self._authorizer = authorizer

    async def validate(self, attributes: Attributes) -> None:
        group, plural = attributes.group_resource
        if group != GROUP or attributes.operation not in ("CREATE", "UPDATE") or attributes.object is None:
            return
        if MASTERS_GROUP in attributes.user.groups:
            return
        if plural in ROLE_PLURALS.values():
            await self._role(attributes, attributes.object, plural)
        else:
            await self._binding(attributes, attributes.object)

    async def _role(self, attributes: Attributes, role: Object, plural: str) -> None:
        old = attributes.old_object
        aggregates = bool(role.get("aggregationRule"))
        unchanged = old is not None and (old.get("rules") or []) == (role.get("rules") or [])
        if unchanged and (not aggregates or (old or {}).get("aggregationRule") == role.get("aggregationRule")):
            return
        if await self._may(attributes, "escalate", plural, attributes.name):
            return
        if aggregates and not self._covers_everything(attributes.user):
            raise refuse(attributes, "must have cluster-admin privileges to use an aggregationRule")
        self._confirm(attributes, role.get("rules") or [])

    async def _binding(self, attributes: Attributes, binding: Object) -> None:
        old = attributes.old_object
        if old is not None and all(old.get(key) == binding.get(key) for key in ("subjects", "roleRef")):
            return
        reference = binding["roleRef"]
        plural = ROLE_PLURALS[reference["kind"]]
        if await self._may(attributes, "bind", plural, reference["name"]):
            return
        role = self._reader.get(GROUP, plural, reference["name"], attributes.namespace if plural == "roles" else "")
        if role is None:
            raise NotFound.of(GROUP, plural, reference["name"])
        self._confirm(attributes, role.get("rules") or [])

    async def _may(self, attributes: Attributes, verb: str, plural: str, name: str) -> bool:
        info = RequestInfo(verb, "", True, GROUP, "v1", plural, "", attributes.namespace, name)
        return bool((await self._authorizer.authorize(attributes.user, info)).allowed)

    def _covers_everything(self, user: User) -> bool:
        everything = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, {"verbs": ["*"], "nonResourceURLs": ["*"]}]
        return not missing_rules(self._owned(user, ""), everything)

    def _owned(self, user: User, namespace: str) -> list[Object]:
        resource_rules, path_rules, _ = self._authorizer.rules_for(user, namespace)
        return resource_rules + path_rules

    def _confirm(self, attributes: Attributes, rules: Sequence[Object]) -> None:
        user = attributes.user
        missing = missing_rules(self._owned(user, attributes.namespace), rules)
        if not missing:
            return
        listed = "\n".join(sorted(describe(rule) for rule in compact(missing)))
        groups = " ".join(f'"{group}"' for group in user.groups)
        why = f'user "{user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:\n{listed}'
        raise refuse(attributes, why)
