"""Groups that follow from how someone was authenticated, put in once: authenticators remember users with them."""

from dataclasses import replace

from proa.apiserver.interface import User


def with_group(user: User, group: str) -> User:
    """The user with one group more, the same user if it has it."""
    return user if group in user.groups else replace(user, groups=(*user.groups, group))
