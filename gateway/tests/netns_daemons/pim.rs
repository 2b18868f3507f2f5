//! FRR's pimd in charge: a host joins, a source sends, and the kernel's entry is the daemon's.

use std::cell::RefCell;

use gateway::control::{MfibEntry, Topic};
use gateway::demo::host::{Receiver, Sender};
use gateway::demo::topology::INTERFACE;

use crate::bgp::frr;
use crate::netns::{PORT, demand_intact, stream};
use crate::shadowed::until;
use crate::{By, Middle, through_both};

const GROUP: &str = "239.78.1.1";
const SOURCE: &str = "10.78.1.2";

through_both!(a_group_joined_by_igmp_is_routed_by_pim);

fn a_group_joined_by_igmp_is_routed_by_pim(by: By) {
    let Some(middle) = Middle::router(by, 3) else { return };
    let interfaces: String = (0..3)
        .map(|index| format!("interface {}\n ip pim\n ip igmp\n", middle.interface(index)))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let configuration = format!("ip pim rp 10.78.1.1 224.0.0.0/4\n{interfaces}");
    let _frr = frr(&middle.lab.middle, folder.path(), "pimd", &configuration);
    let listen = || {
        let receiver = Receiver::new(INTERFACE, "0.0.0.0".parse()?, PORT + 1)?;
        receiver.join(INTERFACE, GROUP.parse()?)?;
        Ok(receiver)
    };
    let _member = middle.lab.hosts[1].namespace.enter(listen).unwrap();
    let destination = format!("{GROUP}:{}", PORT + 1).parse().unwrap();
    let open = || Sender::new(INTERFACE, destination);
    let sender = RefCell::new(middle.lab.hosts[0].namespace.enter(open).unwrap());
    // The kernel asks the daemon about the first datagram of a source, and again when it waited long.
    let look = || {
        sender.borrow_mut().send(b"is anybody there?", 0).unwrap();
        led_to(&middle)
    };
    until("routed to the member", look, |ports| ports.contains("p1"));
    demand_intact(&middle.lab, &[stream(0, GROUP, &[1])], 1.0);
    middle.end();
}

/// Where the route of the source leads.
fn led_to(middle: &Middle) -> String {
    if let Some(gateway) = &middle.gateway {
        let routes: Vec<MfibEntry> = gateway.gateway.ask(Topic::Mfib).unwrap();
        let route = routes.iter().find(|route| route.source == SOURCE);
        return route.map_or(String::new(), |route| route.to.join(" "));
    }
    let routes = middle.lab.middle.ip("mroute show").unwrap();
    routes.lines().find(|line| line.contains(SOURCE)).unwrap_or_default().to_owned()
}
