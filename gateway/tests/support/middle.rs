//! Linux in the middle of a laboratory, forwarding instead of the gateway.
#![allow(dead_code)] // every test uses a part of it

use gateway::demo::topology::{Lab, port_name};

/// All ports of the middle in a Linux bridge that floods multicast.
pub(crate) fn linux_bridge(lab: &Lab) {
    linux_bridge_with(lab, "mcast_snooping 0");
}

/// All ports of the middle in a Linux bridge with these settings.
pub(crate) fn linux_bridge_with(lab: &Lab, settings: &str) {
    // br_netfilter, where it is, makes a bridge judge and fragment what it carries as a router does.
    for family in ["iptables", "ip6tables", "arptables"] {
        let _ = lab.middle.sysctl(&format!("bridge/bridge-nf-call-{family}"), "0");
    }
    lab.middle.ip(&format!("link add br0 type bridge {settings}")).unwrap();
    for port in 0..lab.hosts.len() {
        lab.middle.ip(&format!("link set {} master br0", port_name(port))).unwrap();
    }
    lab.middle.ip("link set br0 up").unwrap();
}

/// Linux routes between the ports of the middle.
pub(crate) fn linux_router(lab: &Lab) {
    lab.middle.sysctl("ipv4/ip_forward", "1").unwrap();
    for index in 0..lab.hosts.len() {
        let (port, net) = (port_name(index), index + 1);
        lab.middle.sysctl(&format!("ipv6/conf/{port}/disable_ipv6"), "0").unwrap();
        lab.middle.ip(&format!("address add 10.78.{net}.1/24 dev {port}")).unwrap();
        lab.middle.ip(&format!("address add fd78:{net}::1/64 dev {port}")).unwrap();
    }
    lab.middle.sysctl("ipv6/conf/all/forwarding", "1").unwrap();
}
