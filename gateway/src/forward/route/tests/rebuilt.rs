//! Tables from tables: what is the same is shared, and what the kernel adds stands behind the file.

use std::sync::Arc;

use super::*;
use crate::config::KernelRoutes;

#[test]
fn a_change_elsewhere_shares_the_routes_and_a_change_of_them_does_not() {
    let config = routed();
    let macs: Vec<_> = (0..3).map(port_mac).collect();
    let first = Router::build(&config, &macs, 1, None);
    let is_shared = |change: &dyn Fn(&mut Config)| {
        let mut next = config.clone();
        change(&mut next);
        Router::build(&next, &macs, 1, Some(&first)).shares_unicast(&first)
    };
    assert!(is_shared(&|config| {
        let (group, from, to) = (ip("239.1.1.1"), PortId(0), vec![PortId(1)]);
        config.multicast.push(MulticastRoute { group, source: None, from, to, kernel: None });
    }));
    assert!(is_shared(&|config| config.snooped.push(Default::default())));
    assert!(is_shared(&|config| config.kernel_routes = Arc::default()));
    assert!(!is_shared(&|config| config.routes.truncate(1)));
    assert!(!is_shared(&|config| config.neighbors.truncate(1)));
    assert!(!is_shared(&|config| config.ports[2].addresses.push("10.3.0.1/24".parse().unwrap())));
    assert!(!is_shared(&|config| config.kernel_routes = of_the_kernel()));
    assert!(!Router::build(&config, &macs, 2, Some(&first)).shares_unicast(&first));
    assert!(!Router::build(&config, &macs[..2], 1, Some(&first)).shares_unicast(&first));
}

/// Back to station 1, of prefixes of every kind.
fn of_the_kernel() -> Arc<KernelRoutes> {
    let prefixes = ["10.20.0.0/16", "10.2.0.0/24", "10.60.0.0/16"];
    Arc::new(KernelRoutes {
        routed: prefixes.iter().map(|prefix| route(prefix, "10.1.0.2", 0)).collect(),
        on_link: vec![("10.1.0.0/24".parse().unwrap(), PortId(1))],
        own: vec!["10.2.0.1/32".parse().unwrap(), "10.61.0.0/16".parse().unwrap()],
    })
}

#[test]
fn a_route_of_the_kernel_gives_way_to_the_file_and_to_networks() {
    let mut config = routed();
    config.kernel_routes = of_the_kernel();
    let forwarder = forwarder(&config);
    assert_all(&forwarder, &[("10.1.0.2", "10.20.0.9"), ("10.1.0.2", "10.2.0.2")], hop(1, 2));
    assert_all(&forwarder, &[("10.1.0.2", "10.60.0.9"), ("10.2.0.2", "10.1.0.2")], hop(0, 1));
    assert_all(&forwarder, &[("10.1.0.2", "10.2.0.1")], drops(DropReason::NoHost));
    assert_all(&forwarder, &[("10.1.0.2", "10.61.0.9")], drops(DropReason::NoNeighbor));
}
