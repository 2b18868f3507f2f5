//! QUIC as a stack of the field speaks it (ngtcp2): trains by UDP_SEGMENT, ECN marks that it checks,
//! and a path it probes for its MTU. A file is fetched, each way and over both families.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;

use gateway::control::{GroReport, Topic};
use gateway::demo::namespace::Namespace;

use crate::daemon::{Daemon, words};
use crate::shadowed::until;
use crate::{By, Middle, through_both};

const BYTES: u32 = 4 << 20;
const PORT: u16 = 4433;
const MERGE: &str = "[gro]\nmode = \"merge\"\n";

through_both!(through_a_router through_a_bridge to_the_host);

fn through_a_router(by: By) {
    between_hosts(Middle::router(by, 2));
}

fn through_a_bridge(by: By) {
    between_hosts(Middle::bridge(by, 2));
}

#[test]
fn through_a_router_merged() {
    between_hosts(Middle::router_with(By::Gateway, 2, MERGE));
}

#[test]
fn through_a_bridge_merged() {
    between_hosts(Middle::bridge_with(By::Gateway, 2, MERGE));
}

fn between_hosts(middle: Option<Middle>) {
    let Some(middle) = middle else { return };
    for (client, server) in [(0, 1), (1, 0)] {
        let of = |host: usize| &middle.lab.hosts[host].namespace;
        demand_fetched(of(client), of(server), &middle.addresses(server));
    }
    demand_trains(&middle, 2);
    middle.end();
}

/// Trains go up, and come down for the gateway to split, as super-packets where the kernel has USO.
fn to_the_host(by: By) {
    let Some(middle) = Middle::router(by, 1) else { return };
    let host = &middle.lab.hosts[0].namespace;
    let own = ["10.78.1.1", "fd78:1::1"].map(|own| own.parse().unwrap());
    demand_fetched(host, &middle.lab.middle, &own);
    demand_fetched(&middle.lab.middle, host, &middle.addresses(0));
    demand_trains(&middle, 1);
    middle.end();
}

/// What came from a server arrived in trains.
fn demand_trains(middle: &Middle, ports: usize) {
    let Some(gateway) = &middle.gateway else { return };
    let reports: Vec<GroReport> = gateway.gateway.ask(Topic::Gro).unwrap();
    for report in &reports[..ports] {
        assert!(report.mean_train > 1.0 && report.super_packets > 0, "{report:?}");
    }
    assert_eq!(middle.lab.checksum_errors().unwrap(), 0, "a host saw a wrong UDP checksum");
}

/// The file arrives as it is, and with the marks of its sender: one that finds them gone on the path
/// gives up marking (RFC 9000 13.4.2), so that most arrive marked says both.
fn demand_fetched(client: &Namespace, server: &Namespace, addresses: &[IpAddr]) {
    let folder = tempfile::tempdir().unwrap();
    let (served, fetched) = (folder.path().join("served"), folder.path().join("fetched"));
    fs::create_dir(&served).unwrap();
    let file: Vec<u8> = (0..BYTES).map(|i| (i ^ (i >> 8) ^ (i >> 16)) as u8).collect();
    fs::write(served.join("file"), &file).unwrap();
    for &address in addresses {
        let address = SocketAddr::new(address, PORT);
        let _server = serve(server, address, folder.path());
        let before = marks(client);
        fs::create_dir(&fetched).unwrap();
        fetch(client, address, &fetched);
        assert!(fs::read(fetched.join("file")).unwrap() == file, "{address}: other bytes");
        fs::remove_dir_all(&fetched).unwrap();
        let after = marks(client);
        let [marked, unmarked] = [after[0] - before[0], after[1] - before[1]];
        assert!(marked > 5 * unmarked, "{address}: {marked} with ECT(0), {unmarked} without");
    }
}

/// The certificate is the one that Debian makes for tests (ssl-cert); nobody checks it.
fn serve(namespace: &Namespace, address: SocketAddr, folder: &Path) -> Daemon {
    let arguments = format!(
        "-q -d {}/served {} {PORT} /etc/ssl/private/ssl-cert-snakeoil.key \
         /etc/ssl/certs/ssl-cert-snakeoil.pem",
        folder.display(),
        address.ip()
    );
    let daemon = Daemon::start(namespace, "/usr/sbin/gtlsserver", &words(&arguments), folder);
    let sockets = || namespace.command("ss", &format!("-Hlun sport = :{PORT}")).unwrap();
    until("listening", sockets, |sockets| sockets.contains(&PORT.to_string()));
    daemon
}

/// Ends by itself: with the file, or when nothing came for a while.
fn fetch(namespace: &Namespace, address: SocketAddr, folder: &Path) {
    let run = || {
        let output = Command::new("gtlsclient")
            .args(["-q", "--timeout=20s", "--exit-on-all-streams-close", "--download"])
            .arg(folder)
            .args([&address.ip().to_string(), &PORT.to_string(), "https://gateway.test/file"])
            .output()?;
        assert!(output.status.success(), "{address}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    };
    namespace.enter(run).unwrap();
}

/// What came with ECT(0) and what without, as the kernel counts it: some super-packets are one there.
fn marks(namespace: &Namespace) -> [u64; 2] {
    let count = |names: &str| {
        let counters = namespace.command("nstat", &format!("-asz {names}")).unwrap();
        let value = |line: &str| line.split_whitespace().nth(1)?.parse::<u64>().ok();
        counters.lines().skip(1).filter_map(value).sum()
    };
    ["IpExtInECT0Pkts Ip6InECT0Pkts", "IpExtInNoECTPkts Ip6InNoECTPkts"].map(count)
}
