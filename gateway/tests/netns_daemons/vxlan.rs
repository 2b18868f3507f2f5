//! VXLAN between two hosts: the gateway sees its outer datagrams only, and what is inside, TCP and
//! trains of datagrams, comes out as it went in.

use std::net::SocketAddr;

use gateway::demo::host::Receiver;

use crate::netns::demand_trains;
use crate::{By, Middle, tcp, through_both};

through_both!(over_ipv4 over_ipv6 through_a_bridge);

fn over_ipv4(by: By) {
    let Some(middle) = Middle::router(by, 2) else { return };
    demand_tunnel(middle, 0);
}

fn over_ipv6(by: By) {
    let Some(middle) = Middle::router(by, 2) else { return };
    demand_tunnel(middle, 1);
}

fn through_a_bridge(by: By) {
    let Some(middle) = Middle::bridge(by, 2) else { return };
    demand_tunnel(middle, 0);
}

/// Between the hosts' addresses number `family`.
fn demand_tunnel(middle: Middle, family: usize) {
    let hosts = &middle.lab.hosts;
    for (index, host) in hosts.iter().enumerate() {
        let (local, remote) =
            (middle.addresses(index)[family], middle.addresses(1 - index)[family]);
        let tunnel =
            format!("type vxlan id 78 local {local} remote {remote} dstport 4789 dev eth0");
        host.namespace.ip(&format!("link add vx0 {tunnel}")).unwrap();
        host.namespace.ip(&format!("address add 192.168.78.{}/24 dev vx0", index + 1)).unwrap();
        host.namespace.ip("link set vx0 up").unwrap();
    }
    let inner = |port| SocketAddr::from(([192, 168, 78, 2], port));
    tcp::demand_intact(&hosts[0].namespace, &hosts[1].namespace, inner(7080));
    let listen = || Receiver::new("vx0", "0.0.0.0".parse()?, 7081);
    let receiver = hosts[1].namespace.enter(listen).unwrap();
    demand_trains(&hosts[0].namespace, "vx0", inner(7081), &receiver, 100);
    assert_eq!(middle.lab.checksum_errors().unwrap(), 0);
    middle.end();
}
