//! A changed file under traffic, with datagrams held: what is held is decided on by the tables it
//! arrived under, and nothing is lost or left behind.

use std::fs;
use std::sync::Arc;

use gateway::packet::{DropReason, MacAddr};
use gateway::runtime::Running;

use crate::frames::{Udp, routed};
use crate::harness::{Gateway, host, parse, router};

/// One datagram from the host of port 0 to a network that only a `[[route]]` reaches.
fn datagram(fill: u8) -> Vec<u8> {
    let udp = Udp {
        src_mac: host(0),
        dst_mac: MacAddr([2, 0, 0, 0, 0, 0]),
        src: "10.0.0.2",
        dst: "10.99.0.1",
        ports: (4000, 5000),
        ttl: 9,
    };
    udp.frame(&[fill; 100])
}

fn file(extra: &str) -> String {
    format!("{}{extra}", router(3, "[gro]\nmax_hold_us = 1000\n"))
}

fn via(port: usize) -> String {
    format!("[[route]]\nprefix = \"10.99.0.0/16\"\nvia = \"10.{port}.0.2\"\n")
}

/// A gateway and the file it was started with.
fn start(text: &str) -> (Gateway, Running, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    fs::write(&path, text).unwrap();
    let gateway = Gateway::new(text);
    let tables = Arc::clone(&gateway.assembly.tables);
    let (facts, seed) = (gateway.assembly.facts.clone(), gateway.assembly.seed);
    let running = Running::new(&parse(text), &path, facts, seed, tables);
    (gateway, running, folder)
}

#[test]
fn what_is_held_sees_the_old_tables_and_what_comes_the_new() {
    let (mut gateway, running, folder) = start(&file(&via(1)));
    for fill in 0..4 {
        gateway.ports[0].inject(datagram(fill));
    }
    gateway.poll();
    assert_eq!(gateway.totals().ledger.held, 4, "the hold is over");

    fs::write(folder.path().join("gateway.toml"), file(&via(2))).unwrap();
    let report = running.reload();
    assert!(report.applied, "{report:?}");
    assert_eq!((report.changes.len(), report.generation), (2, 2));
    gateway.ports[0].inject(datagram(4));
    gateway.poll();
    let sent = gateway.sent();
    let old: Vec<_> = (0..4).map(|fill| to_host(1, fill)).collect();
    assert_eq!((&sent[1], sent[2].len()), (&old, 0));
    gateway.now = gateway.now + gateway::time::Nanos(2_000_000);
    gateway.run();
    assert_eq!(gateway.sent()[2], [to_host(2, 4)]);
    assert_eq!(gateway.finish().ledger.tx, 5);
}

#[test]
fn a_refused_file_changes_nothing() {
    let (mut gateway, running, folder) = start(&file(&via(1)));
    let path = folder.path().join("gateway.toml");
    for text in [file("[runtime]\nburst = 8\n"), "[[port]]\n".to_owned()] {
        fs::write(&path, text).unwrap();
        assert!(!running.reload().applied);
        gateway.ports[0].inject(datagram(7));
        gateway.now = gateway.now + gateway::time::Nanos(2_000_000);
        gateway.run();
        gateway.now = gateway.now + gateway::time::Nanos(2_000_000);
        gateway.run();
        assert_eq!(gateway.sent()[1], [to_host(1, 7)]);
    }
    fs::remove_file(&path).unwrap();
    let errors = running.reload().errors.unwrap();
    assert!(errors.starts_with("error: cannot read "), "{errors}");
    gateway.finish();
}

/// Off, on and another hold, with the table that was there from the start.
#[test]
fn coalescing_can_be_switched_while_traffic_flows() {
    let (mut gateway, running, folder) = start(&file(&via(1)));
    let mut expected = Vec::new();
    for (round, mode) in ["off", "merge", "list", "off", "list"].iter().enumerate() {
        for fill in 0..3 {
            let fill = (round * 3 + fill) as u8;
            gateway.ports[0].inject(datagram(fill));
            expected.push(to_host(1, fill));
        }
        gateway.poll();
        let text = file(&via(1)).replace("[gro]", &format!("[gro]\nmode = \"{mode}\""));
        fs::write(folder.path().join("gateway.toml"), text).unwrap();
        assert!(running.reload().applied);
        gateway.poll();
        let held = gateway.totals().ledger.held;
        assert_eq!(held, 0, "{mode}: held under tables that are gone");
        let shown = gateway.assembly.workers[0].snapshot().gro.len();
        assert_eq!(shown, if *mode == "off" { 0 } else { 3 }, "{mode}");
    }
    assert_eq!(gateway.sent()[1], expected);
    let totals = gateway.finish();
    assert_eq!(totals.drops[DropReason::NoRoute.index()], 0);
}

/// A datagram as it leaves by `port`.
fn to_host(port: usize, fill: u8) -> Vec<u8> {
    routed(&datagram(fill), MacAddr([2, 0, 0, 0, 0, port as u8]), host(port))
}
