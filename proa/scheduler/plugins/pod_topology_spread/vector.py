"""Topology spread over all nodes at once; the same sums as node by node, by domain number in place of domain name."""

import math
from typing import Any

import numpy as np

from proa.scheduler.framework.interface import MAX_NODE_SCORE
from proa.scheduler.plugins.pod_topology_spread.constraints import HOSTNAME, Constraint, Constraints
from proa.scheduler.pod_counts import PodCounts
from proa.scheduler.pod_info import PodInfo
from proa.scheduler.vector.columns import Columns, Vector


def filter_all(pod: PodInfo, constraints: Constraints, counts: PodCounts, columns: Columns) -> Vector:
    mask = _with_every_key(constraints, columns)
    taking_part = mask.copy()
    for constraint in constraints.listed:
        domain_of, size = columns.domains(constraint.topology_key)
        included = taking_part & _included(constraint, constraints, columns)
        present = np.bincount(domain_of[included], minlength=size) > 0
        pods = _pods_by_domain(constraint, pod, counts, columns, included, size)
        least = float(pods[present].min()) if present.any() else math.inf
        if int(present.sum()) < constraint.min_domains:
            least = 0.0
        mask &= pods[domain_of] + int(constraint.selector.matches(pod.labels)) - least <= constraint.max_skew
    return mask


def score_all(pod: PodInfo, constraints: Constraints, counts: PodCounts, columns: Columns, slots: Vector) -> Vector:
    everyone = _with_every_key(constraints, columns) if constraints.every_key else columns.known
    counted = everyone[slots]
    feasible = slots[counted]
    total = np.zeros(len(slots))
    for constraint in constraints.listed:
        domain_of, size = columns.domains(constraint.topology_key)
        own = domain_of[slots]
        if constraint.topology_key == HOSTNAME:
            weight = math.log(len(feasible) + 2)
            pods = columns.counted(counts.of(constraint.kind(pod.namespace)))[slots]
        else:
            # Nodes without the label are a domain of their own in the weight, though not in the score.
            different = int((np.bincount(domain_of[feasible] + 1) > 0).sum())
            weight = math.log(different + 2)
            included = everyone & (domain_of >= 0) & _included(constraint, constraints, columns)
            pods = _pods_by_domain(constraint, pod, counts, columns, included, size)[own]
        total += np.where(own >= 0, pods * weight + (constraint.max_skew - 1), 0.0)
    return _normalized(np.floor(total + 0.5).astype(np.int64), counted)


def _normalized(scores: Vector, counted: Vector) -> Vector:
    if not counted.any():
        return np.zeros(len(scores), np.int64)
    least, most = int(scores[counted].min()), int(scores[counted].max())
    scaled = MAX_NODE_SCORE * (most + least - scores) // most if most else np.full(len(scores), MAX_NODE_SCORE)
    return np.where(counted, scaled, 0)


def _with_every_key(constraints: Constraints, columns: Columns) -> Vector:
    mask = columns.known.copy()
    for constraint in constraints.listed:
        mask &= columns.domains(constraint.topology_key)[0] >= 0
    return mask


def _included(constraint: Constraint, constraints: Constraints, columns: Columns) -> Any:
    if not constraint.honor_taints and not (constraint.honor_affinity and constraints.affinity):
        return True
    tolerations = tuple(tuple(sorted(each.items())) for each in constraints.tolerations) if constraint.honor_taints else ()
    affinity = constraints.affinity if constraint.honor_affinity else None
    key = ("PodTopologySpread", constraint.honor_taints, tolerations, affinity)
    return columns.kept(key, lambda node: int(constraints.includes(constraint, node))) > 0


def _pods_by_domain(constraint: Constraint, pod: PodInfo, counts: PodCounts, columns: Columns, included: Vector, size: int) -> Vector:
    found = counts.of(constraint.kind(pod.namespace))
    if not found.by_node:
        return np.zeros(size)
    domain_of, _ = columns.domains(constraint.topology_key)
    return np.bincount(domain_of[included], weights=columns.counted(found)[included], minlength=size)
