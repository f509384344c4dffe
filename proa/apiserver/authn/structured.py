"""AuthenticationConfiguration (--authentication-config): external issuers, which follow the file as it changes, and who may be anonymous,
which is settled at start, as upstream has it. Source: apiserver.config.k8s.io/v1.
"""

import logging
from collections.abc import Collection, Sequence
from typing import Any

from proa.api.errors import Cause, invalid
from proa.api.meta import Object
from proa.apiserver.authn.anonymous import AnonymousAccess, of_paths
from proa.apiserver.authn.openid import validation
from proa.apiserver.authn.openid.authenticator import JWTAuthenticator
from proa.apiserver.authn.openid.configuration import from_document
from proa.apiserver.authn.token import Identified, InvalidToken, aggregate
from proa.apiserver.configuration_file import read_configuration
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass

KIND = "AuthenticationConfiguration"
VERSIONS = ("v1", "v1beta1", "v1alpha1")
_MAPPING = {"claim": None, "prefix": None, "expression": None}
_ISSUER = dict.fromkeys(("url", "discoveryURL", "certificateAuthority", "audiences", "audienceMatchPolicy", "egressSelectorType"))
_JWT: dict[str, Any] = {
    "issuer": _ISSUER,
    "claimValidationRules": [dict.fromkeys(("claim", "requiredValue", "expression", "message"))],
    "claimMappings": {
        "username": _MAPPING,
        "groups": _MAPPING,
        "uid": {"claim": None, "expression": None},
        "extra": [{"key": None, "valueExpression": None}],
    },
    "userValidationRules": [{"expression": None, "message": None}],
}
MEMBERS: dict[str, Any] = {"jwt": [_JWT], "anonymous": {"enabled": None, "conditions": [{"path": None}]}}
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AuthenticationConfiguration:
    issuers: tuple[Object, ...]
    anonymous: AnonymousAccess | None
    """None if the file says nothing of it."""


def read_authentication_configuration(text: str, disallowed: Collection[str]) -> AuthenticationConfiguration:
    """Raises ValueError with every problem."""
    document = read_configuration(text, KIND, VERSIONS, MEMBERS)
    issuers = tuple(document.get("jwt") or ())
    causes = validation.problems(list(issuers), disallowed) + _anonymous_problems(document.get("anonymous"))
    if causes:
        raise ValueError(validation.listed(causes))
    for index, each in enumerate(issuers):
        if each["issuer"].get("egressSelectorType"):
            log.warning("jwt[%d].issuer.egressSelectorType is not heeded: this server reaches every network by itself", index)
    return AuthenticationConfiguration(issuers, _anonymous(document.get("anonymous")))


def _anonymous_problems(anonymous: Object | None) -> list[Cause]:
    conditions = (anonymous or {}).get("conditions") or []
    if anonymous is None or anonymous.get("enabled") or not conditions:
        return []
    return [invalid("anonymous.conditions", conditions, "enabled should be set to true when conditions are defined")]


def _anonymous(anonymous: Object | None) -> AnonymousAccess | None:
    if anonymous is None:
        return None
    if not anonymous.get("enabled"):
        return AnonymousAccess(enabled=False)
    return of_paths([each.get("path", "") for each in anonymous.get("conditions") or ()])


class ExternalIssuers:
    """The issuers in force. `replace` keeps those that have not changed, with the keys that they have fetched."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: list[tuple[Object, JWTAuthenticator]] = []

    def replace(self, issuers: Sequence[Object]) -> None:
        known = self._known
        kept = [next((old for document, old in known if document == each), None) for each in issuers]
        self._known = [
            (document, old or JWTAuthenticator(from_document(document), self._clock)) for document, old in zip(issuers, kept, strict=True)
        ]

    async def authenticate_token(self, token: str, audiences: Sequence[str]) -> Identified | None:
        reasons: list[str] = []
        for _, authenticator in self._known:
            try:
                found = await authenticator.authenticate_token(token, audiences)
            except InvalidToken as refused:
                reasons.append(refused.why)
                continue
            if found is not None:
                return found
        if reasons:
            raise InvalidToken(aggregate(reasons))
        return None
