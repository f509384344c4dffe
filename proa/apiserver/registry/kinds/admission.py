"""admissionregistration.k8s.io: webhook configurations and admission policies."""

from typing import Any, ClassVar

from proa.api.errors import Cause, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import qualified_name
from proa.apiserver.registry.kinds.plain import GenerationStrategy, SpecStatusStrategy


class WebhookConfigurationStrategy(GenerationStrategy):
    """Validating and mutating webhook configurations."""

    mutating: ClassVar[bool] = False

    def fill(self, obj: Object) -> None:
        for webhook in obj.get("webhooks") or ():
            webhook.setdefault("failurePolicy", "Fail")
            webhook.setdefault("matchPolicy", "Equivalent")
            webhook.setdefault("namespaceSelector", {})
            webhook.setdefault("objectSelector", {})
            webhook.setdefault("timeoutSeconds", 10)
            if self.mutating:
                webhook.setdefault("reinvocationPolicy", "Never")
            service = (webhook.get("clientConfig") or {}).get("service")
            if service is not None:
                service.setdefault("port", 443)
            for rule in webhook.get("rules") or ():
                rule.setdefault("scope", "*")

    def check(self, obj: Object) -> list[Cause]:
        causes: list[Cause] = []
        for index, webhook in enumerate(obj.get("webhooks") or ()):
            path = f"webhooks[{index}]"
            name = webhook.get("name", "")
            causes += [invalid(f"{path}.name", name, problem) for problem in qualified_name(name)] if name else [required(f"{path}.name")]
            if name and name.count(".") < 2:
                causes.append(invalid(f"{path}.name", name, "should be a domain with at least three segments separated by dots"))
            config = webhook.get("clientConfig") or {}
            if ("url" in config) == ("service" in config):
                causes.append(required(f"{path}.clientConfig", "exactly one of url or service is required"))
            if webhook.get("sideEffects") not in ("None", "NoneOnDryRun"):
                causes.append(_side_effects(webhook.get("sideEffects"), f"{path}.sideEffects"))
            if not webhook.get("admissionReviewVersions"):
                detail = "must specify one of v1, v1beta1"
                causes.append(required(f"{path}.admissionReviewVersions", detail))
            seconds = webhook.get("timeoutSeconds", 10)
            if not 1 <= seconds <= 30:
                causes.append(invalid(f"{path}.timeoutSeconds", seconds, "the timeout value must be between 1 and 30 seconds"))
        return causes


def _side_effects(value: Any, path: str) -> Cause:
    return not_supported(path, value, ("None", "NoneOnDryRun")) if value else required(path, "must specify one of None, NoneOnDryRun")


class MutatingWebhookConfigurationStrategy(WebhookConfigurationStrategy):
    mutating = True


class AdmissionPolicyStrategy(SpecStatusStrategy):
    """ValidatingAdmissionPolicy and MutatingAdmissionPolicy."""

    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("failurePolicy", "Fail")
        constraints = spec.get("matchConstraints")
        if constraints is not None:
            _fill_match(constraints)
        if obj.get("kind") == "ValidatingAdmissionPolicy":
            for validation in spec.get("validations") or ():
                if validation.get("reason") == "":
                    del validation["reason"]


class AdmissionPolicyBindingStrategy(GenerationStrategy):
    def fill(self, obj: Object) -> None:
        resources = (obj.get("spec") or {}).get("matchResources")
        if resources is not None:
            _fill_match(resources)


def _fill_match(match: Object) -> None:
    match.setdefault("matchPolicy", "Equivalent")
    match.setdefault("namespaceSelector", {})
    match.setdefault("objectSelector", {})
    for field in ("resourceRules", "excludeResourceRules"):
        for rule in match.get(field) or ():
            rule.setdefault("scope", "*")
