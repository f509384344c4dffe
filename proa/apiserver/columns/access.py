"""Rows of role bindings and of admission's configuration."""

from proa.api.meta import Object
from proa.api.resource import Column
from proa.apiserver.columns.cells import AGE, NAME, UNSET, Cell, at, column, count, field, joined, selector_text


def _role(obj: Object, now: float) -> str:
    return f"{at(obj, 'roleRef', 'kind') or ''}/{at(obj, 'roleRef', 'name') or ''}"


def _subjects(kind: str) -> Cell:
    def cell(obj: Object, now: float) -> str:
        chosen = [each for each in obj.get("subjects") or () if each.get("kind") == kind]
        if kind == "ServiceAccount":
            return joined((f"{each.get('namespace', '')}/{each.get('name', '')}" for each in chosen), ", ")
        return joined((each.get("name", "") for each in chosen), ", ")

    return cell


ROLE_BINDINGS: tuple[Column, ...] = (
    NAME,
    column("Role", _role, "The role that is granted."),
    AGE,
    column("Users", _subjects("User"), "The users who get it.", wide=True),
    column("Groups", _subjects("Group"), "The groups that get it.", wide=True),
    column("ServiceAccounts", _subjects("ServiceAccount"), "The service accounts that get it.", wide=True),
)

WEBHOOK_CONFIGURATIONS: tuple[Column, ...] = (
    NAME,
    column("Webhooks", count("webhooks"), "How many webhooks it has.", type="integer"),
    AGE,
)


def _param_kind(obj: Object, now: float) -> str:
    kind = at(obj, "spec", "paramKind")
    return f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET


def _param_ref(obj: Object, now: float) -> str:
    reference = at(obj, "spec", "paramRef") or {}
    if reference.get("name"):
        return f"{reference.get('namespace') or '*'}/{reference['name']}"
    return selector_text(reference["selector"]) if "selector" in reference else UNSET


_PARAM_KIND = column("ParamKind", _param_kind, "The kind of its parameters.")
VALIDATING_ADMISSION_POLICIES: tuple[Column, ...] = (
    NAME,
    column("Validations", count("spec", "validations"), "How many rules it has.", type="integer"),
    _PARAM_KIND,
    AGE,
)
MUTATING_ADMISSION_POLICIES: tuple[Column, ...] = (
    NAME,
    column("Mutations", count("spec", "mutations"), "How many mutations it makes.", type="integer"),
    _PARAM_KIND,
    AGE,
)
ADMISSION_POLICY_BINDINGS: tuple[Column, ...] = (
    NAME,
    column("PolicyName", field("spec", "policyName"), "The policy that is bound."),
    column("ParamRef", _param_ref, "The object that holds its parameters."),
    AGE,
)
