"""What a JWT issuer's configuration says, as plain values: from AuthenticationConfiguration or from the --oidc-* flags.

Source: apiserver.config.k8s.io/v1 JWTAuthenticator (KEP-3331).
"""

from dataclasses import field

from proa.api.meta import Object
from proa.apiserver.identity_expression import IdentityExpression
from proa.lib.dataclass import dataclass
from proa.lib.json_web_signature import ALGORITHMS


@dataclass(frozen=True, slots=True)
class Issuer:
    """`certificate_authority` is PEM, "" for the system's authorities."""

    url: str
    audiences: tuple[str, ...]
    discovery_url: str = ""
    certificate_authority: str = ""


@dataclass(frozen=True, slots=True)
class ClaimOrExpression:
    """How a part of the user follows from the claims: a claim with a prefix, or an expression. Both empty: it does not."""

    claim: str = ""
    prefix: str = ""
    expression: IdentityExpression | None = None


@dataclass(frozen=True, slots=True)
class RequiredClaim:
    claim: str
    value: str


@dataclass(frozen=True, slots=True)
class Rule:
    """An expression that must be true, and what is said if it isn't."""

    expression: IdentityExpression
    message: str = ""


@dataclass(frozen=True, slots=True)
class JWTAuthenticatorConfig:
    issuer: Issuer
    username: ClaimOrExpression
    groups: ClaimOrExpression = ClaimOrExpression()
    uid: ClaimOrExpression = ClaimOrExpression()
    extra: tuple[tuple[str, IdentityExpression], ...] = ()
    required_claims: tuple[RequiredClaim, ...] = ()
    claim_rules: tuple[Rule, ...] = ()
    user_rules: tuple[Rule, ...] = ()
    algorithms: frozenset[str] = field(default_factory=lambda: frozenset(ALGORITHMS))


def from_document(document: Object) -> JWTAuthenticatorConfig:
    """Of a member of `jwt` that `validation.problems` has nothing against."""
    mappings = document.get("claimMappings") or {}
    rules = document.get("claimValidationRules") or ()
    return JWTAuthenticatorConfig(
        issuer=_issuer(document["issuer"]),
        username=_mapping(mappings.get("username") or {}),
        groups=_mapping(mappings.get("groups") or {}),
        uid=_mapping(mappings.get("uid") or {}),
        extra=tuple((each["key"], _expression(each["valueExpression"])) for each in mappings.get("extra") or ()),
        required_claims=tuple(RequiredClaim(each["claim"], each.get("requiredValue", "")) for each in rules if each.get("claim")),
        claim_rules=tuple(_rule(each, "claims") for each in rules if each.get("expression")),
        user_rules=tuple(_rule(each, "user") for each in document.get("userValidationRules") or ()),
    )


def _issuer(document: Object) -> Issuer:
    audiences = tuple(document.get("audiences") or ())
    return Issuer(document["url"], audiences, document.get("discoveryURL") or "", document.get("certificateAuthority") or "")


def _mapping(document: Object) -> ClaimOrExpression:
    if document.get("expression"):
        return ClaimOrExpression(expression=_expression(document["expression"]))
    return ClaimOrExpression(document.get("claim") or "", document.get("prefix") or "")


def _expression(source: str) -> IdentityExpression:
    return IdentityExpression(source, "claims", condition=False)


def _rule(document: Object, variable: str) -> Rule:
    return Rule(IdentityExpression(document["expression"], variable, condition=True), document.get("message") or "")
