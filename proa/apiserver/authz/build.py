"""Puts the API server's authorizers together: system:masters, then nodes, then roles."""

from proa.apiserver.authz.node import NodeAuthorizer
from proa.apiserver.authz.policy_rule import compile_rules
from proa.apiserver.authz.rbac import RBACAuthorizer
from proa.apiserver.authz.union import PrivilegedGroupAuthorizer, UnionAuthorizer
from proa.apiserver.bootstrap.cluster_roles import NODE_RULES
from proa.apiserver.interface import ObjectReader


def build_authorizer(reader: ObjectReader) -> UnionAuthorizer:
    return UnionAuthorizer([PrivilegedGroupAuthorizer(), NodeAuthorizer(reader, compile_rules(NODE_RULES)), RBACAuthorizer(reader)])
