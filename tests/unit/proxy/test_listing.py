# ruff: noqa: E101
"""What nft prints, read back."""

from proa.proxy.nftables.listing import parse_elements

LISTING = """table ip proa_proxy {
	map services {
		type ipv4_addr . inet_proto . inet_service : verdict
		elements = { 10.96.0.6 . 6 . 17 : goto pick-2,
			     10.96.0.1 . 17 . 53 : goto pick-2-sticky-10800 }
	}

	map node_ports {
		type inet_proto . inet_service : verdict
		elements = { 6 . 30080 : accept }
	}

	map endpoints {
		type ipv4_addr . inet_proto . inet_service . mark : ipv4_addr . inet_service
		elements = { 10.96.0.6 . 6 . 17 . 0x00000000 : 10.244.1.5 . 8080 }
	}

	map affinity {
		type ipv4_addr . ipv4_addr . inet_proto . inet_service : mark
		size 1048576
		flags dynamic,timeout
		elements = { 10.244.1.5 . 10.96.0.1 . 17 . 53 timeout 3h expires 2h59m50s : 0x00000001 }
	}

	set allowed_sources {
		type ipv4_addr . inet_proto . inet_service . ipv4_addr
		flags interval
		elements = { 172.16.0.1 . 6 . 80 . 10.0.0.0/8,
			     172.16.0.1 . 132 . 80 . 172.16.0.1 }
	}

	set hairpin {
		type ipv4_addr . ipv4_addr
	}

	chain refuse {
		meta l4proto 6 reject with tcp reset
		reject
	}
}
"""


def test_elements_of_all_maps_but_those_that_packets_fill() -> None:
    assert parse_elements(LISTING) == {
        ("services", "10.96.0.6 . tcp . 17"): "goto pick-2",
        ("services", "10.96.0.1 . udp . 53"): "goto pick-2-sticky-10800",
        ("node_ports", "tcp . 30080"): "accept",
        ("endpoints", "10.96.0.6 . tcp . 17 . 0x00000000"): "10.244.1.5 . 8080",
        ("allowed_sources", "172.16.0.1 . tcp . 80 . 10.0.0.0/8"): "",
        ("allowed_sources", "172.16.0.1 . sctp . 80 . 172.16.0.1"): "",
    }
