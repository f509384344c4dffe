"""Request targets: taken apart, read as what is asked, and their parameters as options of every verb."""

from fuzz.drawn import Drawn
from proa.api.errors import ApiError
from proa.apiserver.options import delete_options_from_query, list_options, user_agent_manager, write_options
from proa.apiserver.request_info import request_info
from proa.lib.http.message import Request
from proa.lib.http.server_head import split_target

PATHS = (
    "/api/v1/pods",
    "/api/v1/namespaces/default/pods/x",
    "/apis/apps/v1/deployments",
    "/api/v1/watch/pods",
    "/api/v1/namespaces/a/status",
)
NAMES = ("labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "resourceVersionMatch", "timeoutSeconds", "watch",
         "sendInitialEvents", "allowWatchBookmarks", "dryRun", "fieldManager", "fieldValidation", "force", "gracePeriodSeconds",
         "propagationPolicy", "orphanDependents", "pretty")  # fmt: skip
VALUES = ("", "0", "1", "-1", "x", "true", "1" * 5000, "%00", "%ff", "%D9%A1", "+1", "1_0", "1e3", "All", "Exact", "NotOlderThan", "a%3Db",
          "Strict", "metadata.name%3Dx", "9223372036854775808", "18446744073709551616", "Orphan", "m%0an", "%ed%a0%80")  # fmt: skip


def one(data: bytes) -> None:
    if data[:1] == b"\xff":
        drawn = Drawn(data[1:])
        query = "&".join(f"{drawn.choice(NAMES)}={drawn.choice(VALUES)}" for _ in range(drawn.below(6)))
        data = f"{drawn.choice(PATHS)}?{query}".encode()
    try:
        path, raw_path, raw_query, query_ = split_target(data)
    except ValueError:
        return
    for method in ("GET", "POST", "DELETE", "BREW"):
        request = Request(method, path, query_, {"user-agent": raw_query}, b"", raw_path, raw_query)
        request_info(request)
        user_agent_manager(request)
        for read in (_list, _watch, _create, _patch, _apply, _delete):
            try:
                read(request)
            except ApiError as error:
                assert 400 <= error.status_code < 500, error
                error.message.encode()


def _list(request: Request) -> None:
    list_options(request, watching=False)


def _watch(request: Request) -> None:
    list_options(request, watching=True)


def _create(request: Request) -> None:
    write_options(request, "CreateOptions").as_object("CreateOptions")


def _patch(request: Request) -> None:
    write_options(request, "PatchOptions")


def _apply(request: Request) -> None:
    write_options(request, "PatchOptions", is_apply=True)


def _delete(request: Request) -> None:
    delete_options_from_query(request).as_object()
