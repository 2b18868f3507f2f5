//! FRR's pimd in charge: a host joins, a source sends, and the kernel's entry is the daemon's.

use std::cell::RefCell;
use std::path::Path;
use std::time::{Duration, Instant};

use gateway::control::{MfibEntry, Topic};
use gateway::demo::host::{Receiver, Sender};
use gateway::demo::namespace::Namespace;
use gateway::demo::topology::INTERFACE;

use crate::bgp::{frr, vtysh};
use crate::daemon::Daemon;
use crate::netns::{PORT, demand_intact, receive, stream};
use crate::shadowed::until;
use crate::{By, Middle, through_both};

const GROUP: &str = "239.78.1.1";
const SILENT: &str = "239.78.1.2";
const SOURCE: &str = "10.78.1.2";
/// Seconds. pimd looks every 31 s whether an entry has had datagrams in the last 30 (`sg_wheel` and
/// `pim_upstream_sg_running` of pim_upstream.c): a shorter timer ends between two looks.
const KEEP_ALIVE: u64 = 35;
/// A look may find the first datagram young enough, 30 s later; then the timer runs once more.
const AGED: u64 = 30 + KEEP_ALIVE + 3;

through_both!(a_group_joined_by_igmp_is_routed_by_pim);

fn a_group_joined_by_igmp_is_routed_by_pim(by: By) {
    let Some(middle) = Middle::router(by, 3) else { return };
    let folder = tempfile::tempdir().unwrap();
    let _frr = pimd(&middle.lab.middle, folder.path(), "10.78.1.1", &interfaces(&middle));
    let _member = member(&middle, GROUP);
    let sender = RefCell::new(sender(&middle, GROUP));
    await_route(&middle, &sender, GROUP);
    demand_intact(&middle.lab, &[stream(0, GROUP, &[1])], 1.0);
    middle.end();
}

/// What is forwarded without the kernel is as alive for the daemon as what the kernel forwards, and
/// what has stopped is as dead.
#[test]
fn a_source_is_forgotten_when_it_stops_and_not_before() {
    std::thread::scope(|scope| {
        for by in [By::Linux, By::Gateway] {
            scope.spawn(move || ages_the_silent_alone(by));
        }
    });
}

/// The rendezvous point is elsewhere: registers would keep a route alive as datagrams do.
fn ages_the_silent_alone(by: By) {
    let Some(middle) = Middle::router(by, 3) else { return };
    let (folder, folder_of_rp) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (rp, interface) = ("10.78.3.2", [INTERFACE.to_owned()]);
    let _rp = pimd(&middle.lab.hosts[2].namespace, folder_of_rp.path(), rp, &interface);
    let _frr = pimd(&middle.lab.middle, folder.path(), rp, &interfaces(&middle));
    let members = [GROUP, SILENT].map(|group| member(&middle, group));
    let senders = [GROUP, SILENT].map(|group| RefCell::new(sender(&middle, group)));
    await_route(&middle, &senders[0], GROUP);
    let began = Instant::now();
    await_route(&middle, &senders[1], SILENT);
    // On a crowded machine that takes a while, and its last datagram is what counts.
    let silent_since = Instant::now();
    while silent_since.elapsed().as_secs() < AGED {
        senders[0].borrow_mut().send(b"on and on", 0).unwrap();
        assert!(receive(&members[0]).is_some(), "{by:?}: the active one is not forwarded");
        std::thread::sleep(Duration::from_millis(200));
    }
    let lived = began.elapsed().as_secs();
    assert_eq!(led_to(&middle, SILENT), "", "{by:?}: after {lived} s of silence");
    let known = up_time(&middle, folder.path());
    assert!(known + 2 >= lived, "{by:?}: the active one is known for {known} s of {lived} s");
    middle.end();
}

/// zebra and pimd on these interfaces.
fn pimd(namespace: &Namespace, folder: &Path, rp: &str, interfaces: &[String]) -> [Daemon; 2] {
    let on = |name: &String| format!("interface {name}\n ip pim\n ip igmp\n");
    let on: String = interfaces.iter().map(on).collect();
    let timer = format!("ip pim keep-alive-timer {KEEP_ALIVE}\n");
    frr(namespace, folder, "pimd", &format!("ip pim rp {rp} 224.0.0.0/4\n{timer}{on}"))
}

fn interfaces(middle: &Middle) -> Vec<String> {
    (0..3).map(|index| middle.interface(index)).collect()
}

/// The second host listens.
fn member(middle: &Middle, group: &str) -> Receiver {
    let listen = || {
        let receiver = Receiver::new(INTERFACE, group.parse()?, PORT + 1)?;
        receiver.join(INTERFACE, group.parse()?)?;
        Ok(receiver)
    };
    middle.lab.hosts[1].namespace.enter(listen).unwrap()
}

fn sender(middle: &Middle, group: &str) -> Sender {
    let destination = format!("{group}:{}", PORT + 1).parse().unwrap();
    middle.lab.hosts[0].namespace.enter(|| Sender::new(INTERFACE, destination)).unwrap()
}

/// The kernel asks the daemon about the first datagram of a source, and again when it waited long.
fn await_route(middle: &Middle, sender: &RefCell<Sender>, group: &str) {
    let look = || {
        sender.borrow_mut().send(b"is anybody there?", 0).unwrap();
        led_to(middle, group)
    };
    until("routed to the member", look, |ports| ports.contains("p1"));
}

/// Where the route of the source leads.
fn led_to(middle: &Middle, group: &str) -> String {
    if let Some(gateway) = &middle.gateway {
        let routes: Vec<MfibEntry> = gateway.gateway.ask(Topic::Mfib).unwrap();
        let mut routes = routes.iter();
        let route = routes.find(|route| route.source == SOURCE && route.group == group);
        return route.map_or(String::new(), |route| route.to.join(" "));
    }
    let routes = middle.lab.middle.ip("mroute show").unwrap();
    let entry = format!("({SOURCE},{group})");
    routes.lines().find(|line| line.contains(&entry)).unwrap_or_default().to_owned()
}

/// For how many seconds pimd has had the route of the source.
fn up_time(middle: &Middle, folder: &Path) -> u64 {
    let routes = vtysh(&middle.lab.middle, folder, "pimd", "show ip mroute json");
    let routes: serde_json::Value = serde_json::from_str(&routes).unwrap();
    let time = routes[GROUP][SOURCE]["upTime"].as_str().unwrap_or_default();
    time.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap())
}
