"""Why a pod found no node, in the words that users know: a histogram of reasons over all nodes."""

from collections import Counter
from collections.abc import Iterable

from proa.scheduler.framework.interface import Diagnosis
from proa.scheduler.framework.status import Status

NO_NODES = "no nodes available to schedule pods"


def fit_error(diagnosis: Diagnosis) -> str:
    if not diagnosis.total_nodes:
        return NO_NODES
    message = f"0/{diagnosis.total_nodes} nodes are available:"
    if diagnosis.pre_filter_message:
        message += f" {diagnosis.pre_filter_message}."
    else:
        message += histogram(diagnosis.statuses.values())
    if diagnosis.post_filter_message:
        message += f" {diagnosis.post_filter_message}"
    return message


def histogram(statuses: Iterable[Status]) -> str:
    counts = Counter(reason for status in statuses for reason in status.reasons)
    listed = sorted(f"{count} {reason}" for reason, count in counts.items())
    return f" {', '.join(listed)}." if listed else ""
