"""The masquerade tables, whole."""

from proa.cni.masquerade import Masquerade, compile_masquerade, compile_removal

NOTHING = "add table ip proa_masquerade\ndelete table ip proa_masquerade\nadd table ip6 proa_masquerade\ndelete table ip6 proa_masquerade\n"


def test_only_this_nodes_pods_leaving_the_cluster_by_the_default_link() -> None:
    inside = ("10.244.0.0/16", "10.96.0.0/16", "192.168.1.0/24")
    assert compile_masquerade(Masquerade(("10.244.1.0/24",), inside, "eth0")) == (
        "add table ip proa_masquerade\n"
        "delete table ip proa_masquerade\n"
        "add table ip proa_masquerade\n"
        "add set ip proa_masquerade inside { type ipv4_addr; flags interval; auto-merge; }\n"
        "add element ip proa_masquerade inside { 10.244.0.0/16, 10.96.0.0/16, 192.168.1.0/24, 224.0.0.0/4 }\n"
        "add chain ip proa_masquerade postrouting { type nat hook postrouting priority srcnat; }\n"
        'add rule ip proa_masquerade postrouting ip saddr 10.244.1.0/24 oifname "eth0" ip daddr != @inside masquerade fully-random\n'
        "add table ip6 proa_masquerade\n"
        "delete table ip6 proa_masquerade\n"
    )


def test_without_a_default_link_or_pods_there_is_no_table() -> None:
    assert compile_masquerade(Masquerade(("10.244.1.0/24",), (), "")) == NOTHING
    assert compile_masquerade(Masquerade((), ("10.244.0.0/16",), "eth0")) == NOTHING
    assert compile_removal() == NOTHING
