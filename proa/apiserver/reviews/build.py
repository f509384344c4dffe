"""The table of reviews: objects that are answered and never stored."""

from collections.abc import Awaitable, Callable

from proa.api.meta import Object
from proa.apiserver.authn.build import Authentication
from proa.apiserver.interface import Authorizer, User
from proa.apiserver.reviews.access import AccessReviews
from proa.apiserver.reviews.authentication import AuthenticationReviews

Review = Callable[[User, str, Object], Awaitable[Object]]


def build_reviews(authentication: Authentication, authorizer: Authorizer) -> dict[tuple[str, str], Review]:
    who, may = AuthenticationReviews(authentication.tokens, authentication.audiences), AccessReviews(authorizer)
    return {
        ("authentication.k8s.io", "tokenreviews"): who.token,
        ("authentication.k8s.io", "selfsubjectreviews"): who.self_subject,
        ("authorization.k8s.io", "subjectaccessreviews"): may.subject,
        ("authorization.k8s.io", "localsubjectaccessreviews"): may.local_subject,
        ("authorization.k8s.io", "selfsubjectaccessreviews"): may.self_subject,
        ("authorization.k8s.io", "selfsubjectrulesreviews"): may.self_rules,
    }
