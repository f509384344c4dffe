"""The parameters of requests, by name, and which operations take which."""

from collections.abc import Mapping

from proa.lib.dataclass import dataclass

BELOW_PROXY = "path-below"


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: str
    description: str
    place: str = "query"
    key: str = ""
    """By which it is found, where another parameter has its name."""


def _table(*parameters: Parameter) -> Mapping[str, Parameter]:
    return {each.key or each.name: each for each in parameters}


PARAMETERS: Mapping[str, Parameter] = _table(
    Parameter("name", "string", "The object's name.", "path"),
    Parameter("namespace", "string", "The namespace that the object is in.", "path"),
    Parameter("path", "string", "The path that is asked for behind the proxy.", "query"),
    Parameter("path", "string", "What follows the proxy in the URL.", "path", BELOW_PROXY),
    Parameter("pretty", "string", "true: the answer is indented for people."),
    Parameter("allowWatchBookmarks", "boolean", "The watch may send BOOKMARK events."),
    Parameter("continue", "string", "The token of the previous page: the list goes on behind it."),
    Parameter("fieldSelector", "string", "Only objects whose fields match."),
    Parameter("labelSelector", "string", "Only objects whose labels match."),
    Parameter("limit", "integer", "At most that many objects in one answer; the answer says how to go on."),
    Parameter("resourceVersion", "string", "From which state to answer, or after which one to watch."),
    Parameter("resourceVersionMatch", "string", "How resourceVersion is meant: NotOlderThan or Exact."),
    Parameter("sendInitialEvents", "boolean", "The watch begins with the objects that are there, and a bookmark after them."),
    Parameter("timeoutSeconds", "integer", "How long the call may last."),
    Parameter("watch", "boolean", "Stream changes instead of answering with a list."),
    Parameter("dryRun", "string", "All: every step but the storing of the result."),
    Parameter("fieldManager", "string", "Who is making the change."),
    Parameter("fieldValidation", "string", "What unknown and duplicate fields lead to: Ignore, Warn or Strict."),
    Parameter("force", "boolean", "Take over fields that other managers own; for apply patches only."),
    Parameter("gracePeriodSeconds", "integer", "How long the object has to end; 0 means now."),
    Parameter("ignoreStoreReadErrorWithClusterBreakingPotential", "boolean", "Delete even what can't be read from storage."),
    Parameter("orphanDependents", "boolean", "Leave dependents without an owner. Superseded by propagationPolicy."),
    Parameter("propagationPolicy", "string", "What becomes of dependents: Orphan, Background or Foreground."),
    Parameter("command", "string", "The command to run, argument by argument."),
    Parameter("container", "string", "Which container, where there are several."),
    Parameter("stdin", "boolean", "Stream standard input."),
    Parameter("stdout", "boolean", "Stream standard output."),
    Parameter("stderr", "boolean", "Stream standard error."),
    Parameter("tty", "boolean", "Use a terminal."),
    Parameter("ports", "integer", "The ports to forward."),
    Parameter("follow", "boolean", "Go on with what is written from now on."),
    Parameter("insecureSkipTLSVerifyBackend", "boolean", "Do not check the certificate of the node's agent."),
    Parameter("limitBytes", "integer", "At most that many bytes."),
    Parameter("previous", "boolean", "The log of the container that ran before this one."),
    Parameter("sinceSeconds", "integer", "Only lines of the last so many seconds."),
    Parameter("stream", "string", "Which stream: All, Stdout or Stderr."),
    Parameter("tailLines", "integer", "Only the last so many lines."),
    Parameter("timestamps", "boolean", "Begin each line with its time."),
)

_LIST = (
    "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion", "resourceVersionMatch",
    "sendInitialEvents", "timeoutSeconds", "watch",
)  # fmt: skip
_DELETE = ("dryRun", "gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential", "orphanDependents", "propagationPolicy")

BY_ACTION: Mapping[str, tuple[str, ...]] = {
    "get": (),
    "list": _LIST,
    "watch": _LIST,
    "watchlist": _LIST,
    "post": ("dryRun", "fieldManager", "fieldValidation"),
    "put": ("dryRun", "fieldManager", "fieldValidation"),
    "patch": ("dryRun", "fieldManager", "fieldValidation", "force"),
    "delete": _DELETE,
    "deletecollection": tuple(sorted({*_DELETE, *_LIST} - {"allowWatchBookmarks", "watch"})),
    "connect": (),
}

BY_SUBRESOURCE: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("pods", "attach"): ("container", "stderr", "stdin", "stdout", "tty"),
    ("pods", "exec"): ("command", "container", "stderr", "stdin", "stdout", "tty"),
    ("pods", "portforward"): ("ports",),
    ("pods", "proxy"): ("path",),
    ("services", "proxy"): ("path",),
    ("nodes", "proxy"): ("path",),
    ("pods", "log"): (
        "container", "follow", "insecureSkipTLSVerifyBackend", "limitBytes", "previous", "sinceSeconds", "stream", "tailLines",
         "timestamps",
    ),
}  # fmt: skip
