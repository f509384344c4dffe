"""The one issuer that the --oidc-* flags describe, as a JWT authenticator's configuration."""

from proa.apiserver.authn.openid import validation
from proa.apiserver.authn.openid.configuration import ClaimOrExpression, Issuer, JWTAuthenticatorConfig, RequiredClaim
from proa.apiserver.config import ApiServerConfig


def from_flags(config: ApiServerConfig) -> JWTAuthenticatorConfig | None:
    """None without an issuer; raises ValueError."""
    if not config.oidc_issuer_url and not config.oidc_client_id:
        return None
    if not config.oidc_issuer_url or not config.oidc_client_id:
        raise ValueError("oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set")
    authority = config.oidc_ca.read_text() if config.oidc_ca else ""
    checks = validation.Checks()
    document = {"url": config.oidc_issuer_url, "audiences": [config.oidc_client_id], "certificateAuthority": authority}
    checks.issuer(document, "issuer", config.issuers)
    if checks.causes:
        raise ValueError(validation.listed(checks.causes))
    return JWTAuthenticatorConfig(
        issuer=Issuer(config.oidc_issuer_url, (config.oidc_client_id,), "", authority),
        username=ClaimOrExpression(config.oidc_username_claim, username_prefix(config)),
        groups=ClaimOrExpression(config.oidc_groups_claim, config.oidc_groups_prefix if config.oidc_groups_claim else ""),
        required_claims=tuple(RequiredClaim(claim, value) for claim, value in config.oidc_required_claims.items()),
        algorithms=frozenset(config.oidc_signing_algs),
    )


def username_prefix(config: ApiServerConfig) -> str:
    """Names of an issuer can't be taken for the cluster's own, unless they are e-mail addresses or `-` says so."""
    prefix = config.oidc_username_prefix
    if prefix == "-":
        return ""
    if not prefix and config.oidc_username_claim != "email":
        return f"{config.oidc_issuer_url}#"
    return prefix
