"""What is wrong with the conversion strategy of a CustomResourceDefinition. The paths are those of upstream's internal form."""

from base64 import b64decode

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import dns1035_label
from proa.apiserver.registry.client_config import check_target

REVIEW_VERSIONS = ("v1", "v1beta1")
NOT_SET = "should not be set when strategy is not set to Webhook"


def validate_conversion(conversion: Object, *, checks_bundle: bool = False) -> list[Cause]:
    """`checks_bundle`: a bundle that isn't one is refused; until a definition is established it is not, as somebody fills it in later."""
    path, strategy = "spec.conversion", conversion.get("strategy", "")
    causes: list[Cause] = []
    if not strategy:
        causes = [required(f"{path}.strategy")] if conversion else []
    elif strategy not in ("None", "Webhook"):
        causes = [not_supported(f"{path}.strategy", strategy, ["None", "Webhook"])]
    webhook = conversion.get("webhook") or {}
    config, versions = webhook.get("clientConfig"), webhook.get("conversionReviewVersions") or []
    if strategy != "Webhook":
        causes += [forbidden(f"{path}.webhookClientConfig", NOT_SET)] if config is not None else []
        return causes + ([forbidden(f"{path}.conversionReviewVersions", NOT_SET)] if versions else [])
    causes += _client_config(config, f"{path}.webhookClientConfig", checks_bundle=checks_bundle)
    return causes + _review_versions(versions, f"{path}.conversionReviewVersions")


def _client_config(config: Object | None, path: str, *, checks_bundle: bool) -> list[Cause]:
    if config is None:
        return [required(path, "required when strategy is set to Webhook")]
    causes = check_target(config, path)
    if config.get("caBundle") and checks_bundle:
        causes += validate_bundle(config["caBundle"], f"{path}.caBundle")
    return causes


def validate_bundle(bundle: str, path: str) -> list[Cause]:
    """Certificates in PEM, in base64."""
    import ssl

    try:
        ssl.create_default_context(cadata=b64decode(bundle).decode("ascii"))
    except (ValueError, OSError):
        return [invalid(path, bundle, "unable to load root certificates: unable to parse bytes as PEM block")]
    return []


def _review_versions(versions: list[str], path: str) -> list[Cause]:
    if not versions:
        return [required(path)]
    causes: list[Cause] = []
    for index, version in enumerate(versions):
        if version in versions[:index]:
            causes.append(invalid(f"{path}[{index}]", version, "duplicate version"))
            continue
        causes += [invalid(f"{path}[{index}]", version, problem) for problem in dns1035_label(version)]
    if not any(version in REVIEW_VERSIONS for version in versions):
        causes.append(invalid(path, versions, f"must include at least one of {', '.join(REVIEW_VERSIONS)}"))
    return causes
