"""From a token's verified claims to a user, by the rules of its issuer: pure, and every refusal says which claim or expression it was."""

import json
from collections.abc import Sequence
from typing import Any

from proa.apiserver.authn.openid.configuration import ClaimOrExpression, JWTAuthenticatorConfig, Rule
from proa.apiserver.authn.service_account_claims import EXTRA
from proa.apiserver.authn.token import InvalidToken
from proa.apiserver.identity_expression import IdentityExpression
from proa.apiserver.interface import User

Claims = dict[str, Any]


def to_user(config: JWTAuthenticatorConfig, claims: Claims) -> User:
    """Raises InvalidToken."""
    name = username(config.username, claims)
    groups = values(config.groups, claims, "groups")
    uid = _uid(config.uid, claims)
    extra = _extra(config.extra, claims)
    if isinstance(claims.get("jti"), str) and claims["jti"]:
        extra[f"{EXTRA}credential-id"] = (f"JTI={claims['jti']}",)
    _check_required(config, claims)
    _check_rules(config.claim_rules, claims)
    user = User(name, groups, uid, extra)
    if config.user_rules:
        _check_rules(config.user_rules, user_value(user))
    return user


def user_value(user: User) -> Any:
    """What an expression sees of a user: authentication.k8s.io/v1 UserInfo."""
    extra = {key: list(found) for key, found in user.extra.items()}
    return {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": extra}


def username(mapping: ClaimOrExpression, claims: Claims) -> str:
    if mapping.expression is not None:
        name = _evaluate(mapping.expression, claims, "oidc: error evaluating username claim expression")
        if not isinstance(name, str):
            raise InvalidToken("oidc: error evaluating username claim expression: username claim expression must return a string")
        if not name:
            raise InvalidToken("oidc: empty username via CEL expression is not allowed")
        return name
    name = _text(claims, mapping.claim, f'oidc: parse username claims "{mapping.claim}"')
    if mapping.claim == "email" and "email_verified" in claims:
        verified = claims["email_verified"]
        if not isinstance(verified, bool):
            raise InvalidToken(f"oidc: parse 'email_verified' claim: {_go_mismatch(verified, 'bool')}")
        if not verified:
            raise InvalidToken("oidc: email not verified")
    return mapping.prefix + name


def values(mapping: ClaimOrExpression, claims: Claims, what: str) -> tuple[str, ...]:
    """A text or a list of texts; empty ones of an expression do not count."""
    if mapping.expression is not None:
        failed = f"oidc: error evaluating {what[:-1]} claim expression"
        found = _evaluate(mapping.expression, claims, failed)
        return tuple(each for each in string_list(found, failed) if each)
    if not mapping.claim or mapping.claim not in claims:
        return ()
    found = claims[mapping.claim]
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise InvalidToken(f'oidc: parse groups claim "{mapping.claim}": {_go_mismatch(found, "string")}')
    return tuple(mapping.prefix + each for each in listed)


def string_list(found: Any, failed: str) -> list[str]:
    if found is None:
        return []
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise InvalidToken(f"{failed}: expression must return a string or a list of strings")
    return listed


def _uid(mapping: ClaimOrExpression, claims: Claims) -> str:
    if mapping.expression is not None:
        failed = "oidc: error evaluating uid claim expression"
        found = _evaluate(mapping.expression, claims, failed)
        if not isinstance(found, str):
            raise InvalidToken(f"{failed}: uid claim expression must return a string")
        return found
    return _text(claims, mapping.claim, f'oidc: parse uid claim "{mapping.claim}"') if mapping.claim else ""


def _extra(mappings: Sequence[tuple[str, IdentityExpression]], claims: Claims) -> dict[str, tuple[str, ...]]:
    extra: dict[str, tuple[str, ...]] = {}
    for key, expression in mappings:
        failed = "oidc: error evaluating extra claim expression"
        found = tuple(each for each in string_list(_evaluate(expression, claims, failed), failed) if each)
        if found:
            extra[key] = found
    return extra


def _check_required(config: JWTAuthenticatorConfig, claims: Claims) -> None:
    for each in config.required_claims:
        if each.claim not in claims:
            raise InvalidToken(f"oidc: required claim {each.claim} not present in ID token")
        found = _text(claims, each.claim, f"oidc: parse claim {each.claim}")
        if found != each.value:
            raise InvalidToken(f"oidc: required claim {each.claim} value does not match. Got = {found}, want = {each.value}")


def _check_rules(rules: Sequence[Rule], value: Any) -> None:
    failed = "oidc: error evaluating claim validation expression"
    for rule in rules:
        found = _evaluate(rule.expression, value, failed)
        if not isinstance(found, bool):
            raise InvalidToken(f"{failed}: validation expression must return a bool")
        if not found:
            told = f": {rule.message}" if rule.message else ""
            raise InvalidToken(f"{failed}: validation expression '{rule.expression.source}' failed{told}")


def _evaluate(expression: IdentityExpression, value: Any, failed: str) -> Any:
    try:
        return expression(value)
    except ValueError as error:
        raise InvalidToken(f"{failed}: expression '{expression.source}' resulted in error: {error}") from None


def _text(claims: Claims, claim: str, failed: str) -> str:
    if claim not in claims:
        raise InvalidToken(f"{failed}: claim not present")
    if not isinstance(claims[claim], str):
        raise InvalidToken(f"{failed}: {_go_mismatch(claims[claim], 'string')}")
    return str(claims[claim])


def _go_mismatch(found: Any, wanted: str) -> str:
    kinds = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object", type(None): "null"}
    return f"json: cannot unmarshal {kinds.get(type(found), json.dumps(found))} into Go value of type {wanted}"
