"""What is wrong with the issuers of an AuthenticationConfiguration, told as problems of fields in upstream's words."""

from collections.abc import Collection
from urllib.parse import urlsplit

from proa.api.errors import Cause, duplicate, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain
from proa.apiserver.identity_expression import CompileError, IdentityExpression

MAX_ISSUERS = 64
BOTH = "claim and expression can't both be set"


def problems(issuers: list[Object], disallowed: Collection[str] = ()) -> list[Cause]:
    """`disallowed` are issuers that mean something already: those of service-account tokens."""
    if len(issuers) > MAX_ISSUERS:
        return [Cause("jwt", f"Too many: {len(issuers)}: must have at most {MAX_ISSUERS} items", "FieldValueTooMany")]
    causes: list[Cause] = []
    urls: set[str] = set()
    discovery_urls: set[str] = set()
    for index, document in enumerate(issuers):
        path = f"jwt[{index}]"
        causes += issuer_problems(document, path, disallowed)
        issuer = document.get("issuer") or {}
        url, discovery = issuer.get("url") or "", issuer.get("discoveryURL") or ""
        if url in urls:
            causes.append(duplicate(f"{path}.issuer.url", url))
        if discovery and discovery in discovery_urls:
            causes.append(duplicate(f"{path}.issuer.discoveryURL", discovery))
        urls.add(url)
        discovery_urls.add(discovery)
    return causes


def issuer_problems(document: Object, path: str, disallowed: Collection[str]) -> list[Cause]:
    checks = Checks()
    checks.issuer(document.get("issuer") or {}, f"{path}.issuer", disallowed)
    checks.claim_rules(document.get("claimValidationRules") or [], f"{path}.claimValidationRules")
    checks.mappings(document.get("claimMappings") or {}, f"{path}.claimMappings")
    checks.user_rules(document.get("userValidationRules") or [], f"{path}.userValidationRules")
    return checks.causes


class Checks:
    """Of one issuer. Remembers whether an expression looks at `email_verified`: who takes names from `email` must."""

    def __init__(self) -> None:
        self.causes: list[Cause] = []
        self._email_verified = False

    def _add(self, *causes: Cause) -> None:
        self.causes += causes

    def issuer(self, issuer: Object, path: str, disallowed: Collection[str]) -> None:
        url, discovery = issuer.get("url") or "", issuer.get("discoveryURL") or ""
        if not url:
            self._add(required(f"{path}.url"))
        else:
            self._url(url, f"{path}.url", disallowed)
        if discovery:
            if url and url.rstrip("/") == discovery.rstrip("/"):
                self._add(invalid(f"{path}.discoveryURL", discovery, "discoveryURL must be different from URL"))
            self._url(discovery, f"{path}.discoveryURL", ())
        self._audiences(issuer.get("audiences") or [], issuer.get("audienceMatchPolicy") or "", path)
        self._authority(issuer.get("certificateAuthority") or "", f"{path}.certificateAuthority")
        selector = issuer.get("egressSelectorType") or ""
        if selector not in ("", "controlplane", "cluster"):
            self._add(invalid(f"{path}.egressSelectorType", selector, "egress selector must be either controlplane or cluster"))

    def _url(self, url: str, path: str, disallowed: Collection[str]) -> None:
        if url in disallowed:
            listed = " ".join(sorted(disallowed))
            self._add(invalid(path, url, f"URL must not overlap with disallowed issuers: [{listed}]"))
        try:
            parts = urlsplit(url)
        except ValueError as error:
            self._add(invalid(path, url, str(error)))
            return
        if parts.scheme != "https":
            self._add(invalid(path, url, "URL scheme must be https"))
        if "@" in parts.netloc:
            self._add(invalid(path, url, "URL must not contain a username or password"))
        if parts.query:
            self._add(invalid(path, url, "URL must not contain a query"))
        if parts.fragment:
            self._add(invalid(path, url, "URL must not contain a fragment"))

    def _audiences(self, audiences: list[str], policy: str, path: str) -> None:
        if not audiences:
            self._add(required(f"{path}.audiences", f"at least one {path}.audiences is required"))
            return
        for index, audience in enumerate(audiences):
            if not audience:
                self._add(required(f"{path}.audiences[{index}]"))
            if audience in audiences[:index]:
                self._add(duplicate(f"{path}.audiences[{index}]", audience))
        if len(audiences) > 1 and policy != "MatchAny":
            detail = "audienceMatchPolicy must be MatchAny for multiple audiences"
            self._add(invalid(f"{path}.audienceMatchPolicy", policy, detail))
        if len(audiences) == 1 and policy not in ("", "MatchAny"):
            detail = "audienceMatchPolicy must be empty or MatchAny for single audience"
            self._add(invalid(f"{path}.audienceMatchPolicy", policy, detail))

    def _authority(self, pem: str, path: str) -> None:
        from cryptography import x509

        if not pem:
            return
        try:
            x509.load_pem_x509_certificates(pem.encode())
        except ValueError:
            self._add(invalid(path, "<omitted>", "data does not contain any valid RSA or ECDSA certificates"))

    def claim_rules(self, rules: list[Object], path: str) -> None:
        claims: set[str] = set()
        expressions: set[str] = set()
        for index, rule in enumerate(rules):
            where = f"{path}[{index}]"
            claim, expression = rule.get("claim") or "", rule.get("expression") or ""
            if claim and expression:
                self._add(invalid(where, claim, BOTH))
            elif claim:
                if rule.get("message"):
                    self._add(invalid(f"{where}.message", rule["message"], "may not be specified when claim is set"))
                if claim in claims:
                    self._add(duplicate(f"{where}.claim", claim))
                claims.add(claim)
            elif expression:
                if rule.get("requiredValue"):
                    self._add(invalid(f"{where}.requiredValue", rule["requiredValue"], "may not be specified when expression is set"))
                self._once(expression, expressions, f"{where}.expression", "claims")
            else:
                self._add(required(where, "claim or expression is required"))

    def user_rules(self, rules: list[Object], path: str) -> None:
        expressions: set[str] = set()
        for index, rule in enumerate(rules):
            if not rule.get("expression"):
                self._add(required(f"{path}[{index}].expression"))
            else:
                self._once(rule["expression"], expressions, f"{path}[{index}].expression", "user")

    def _once(self, expression: str, seen: set[str], path: str, variable: str) -> None:
        if expression in seen:
            self._add(duplicate(path, expression))
            return
        seen.add(expression)
        compiled = self._compile(expression, path, variable, condition=True)
        self._email_verified = self._email_verified or (variable == "claims" and _selects(compiled, "email_verified"))

    def mappings(self, mappings: Object, path: str) -> None:
        username = self._prefixed(mappings.get("username") or {}, f"{path}.username", needed=True)
        self._email_verified = self._email_verified or _selects(username, "email_verified")
        self._prefixed(mappings.get("groups") or {}, f"{path}.groups", needed=False)
        uid = mappings.get("uid") or {}
        if uid.get("claim") and uid.get("expression"):
            self._add(invalid(f"{path}.uid", "", BOTH))
        elif uid.get("expression"):
            self._compile(uid["expression"], f"{path}.uid.expression", "claims", condition=False)
        self._extra(mappings.get("extra") or [], f"{path}.extra")
        if username is not None and _selects(username, "email") and not self._email_verified:
            detail = (
                "claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or "
                "claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression"
            )
            self._add(invalid(f"{path}.username.expression", username.source, detail))

    def _prefixed(self, mapping: Object, path: str, *, needed: bool) -> IdentityExpression | None:
        claim, expression, prefix = mapping.get("claim") or "", mapping.get("expression") or "", mapping.get("prefix")
        if claim and expression:
            self._add(invalid(path, "", BOTH))
        elif expression:
            if prefix is not None:
                self._add(invalid(f"{path}.prefix", prefix, "may not be specified when expression is set"))
            return self._compile(expression, f"{path}.expression", "claims", condition=False)
        elif claim:
            if prefix is None:
                detail = "prefix is required when claim is set. It can be set to an empty string to disable prefixing"
                self._add(required(f"{path}.prefix", detail))
        elif needed:
            self._add(required(path, "claim or expression is required"))
        return None

    def _extra(self, entries: list[Object], path: str) -> None:
        seen: set[str] = set()
        for index, entry in enumerate(entries):
            where, key = f"{path}[{index}]", entry.get("key") or ""
            self._add(*_key_problems(key, f"{where}.key"))
            if key in seen:
                self._add(duplicate(f"{where}.key", key))
                continue
            seen.add(key)
            if not entry.get("valueExpression"):
                self._add(required(f"{where}.valueExpression"))
                continue
            compiled = self._compile(entry["valueExpression"], f"{where}.valueExpression", "claims", condition=False)
            self._email_verified = self._email_verified or _selects(compiled, "email_verified")

    def _compile(self, source: str, path: str, variable: str, *, condition: bool) -> IdentityExpression | None:
        try:
            return IdentityExpression(source, variable, condition=condition)
        except CompileError as error:
            self._add(invalid(path, source, str(error)))
            return None


def _selects(expression: IdentityExpression | None, field: str) -> bool:
    return expression is not None and expression.selects(field)


def _key_problems(key: str, path: str) -> list[Cause]:
    if not key:
        return [required(path)]
    causes: list[Cause] = []
    domain, slash, rest = key.partition("/")
    if not slash or not rest:
        causes.append(invalid(path, key, 'must be a domain-prefixed path (such as "acme.io/foo")'))
    causes += [invalid(path, domain, problem) for problem in dns1123_subdomain(domain)]
    if key != key.lower():
        causes.append(invalid(path, key, "must be lowercase"))
    if any(domain == reserved or domain.endswith(f".{reserved}") for reserved in ("k8s.io", "kubernetes.io")):
        causes.append(invalid(path, key, "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use"))
    return causes


def listed(causes: list[Cause]) -> str:
    """Several problems as one error."""
    details = [cause.detail for cause in causes]
    return details[0] if len(details) == 1 else f"[{', '.join(details)}]"
