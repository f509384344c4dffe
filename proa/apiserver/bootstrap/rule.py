"""The short form in which the tables of default roles are written: words separated by spaces."""

from proa.api.meta import Object

READ = "get list watch"
WRITE = "create delete deletecollection patch update"
READ_WRITE = f"{READ} {WRITE}"
CORE = "core"
"""Stands for the group that has no name."""


def rule(verbs: str, resources: str, groups: str = CORE, *, names: str = "") -> Object:
    """A PolicyRule with its members sorted, as upstream stores them."""
    members = {
        "apiGroups": ["" if group == CORE else group for group in groups.split()],
        "resourceNames": names.split(),
        "resources": resources.split(),
        "verbs": verbs.split(),
    }
    return {key: sorted(values) for key, values in members.items() if values}


def paths(urls: str, verbs: str = "get") -> Object:
    return {"nonResourceURLs": sorted(urls.split()), "verbs": sorted(verbs.split())}


def events() -> Object:
    return rule("create patch update", "events", f"{CORE} events.k8s.io")
