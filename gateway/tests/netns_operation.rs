//! The gateway in trouble: stopped under load, with a port whose interface is down, and on two
//! workers.
#![cfg(feature = "dpdk")]
#![allow(clippy::disallowed_methods)] // hosts, not the path

#[path = "support/netns.rs"]
mod netns;
#[path = "support/running.rs"]
mod running;

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gateway::control::{Topic, ask};
use gateway::demo::exchange::exchange;
use gateway::demo::host::Sender;
use gateway::demo::topology::{INTERFACE, Lab, port_name};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use netns::{RATE, demand_fragments_pass, demand_intact, lab, plug_lan, plug_routed, stream};
use running::{bridge, router, start};

#[test]
fn a_stop_under_load_is_clean() {
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 3);
    let gateway = start(&lab, "0", &bridge(&lab));
    let streams = [stream(0, "239.78.1.1", &[1, 2]), stream(1, "fd78::1", &[0])];
    let stop = AtomicBool::new(false);
    let (ending, outcome) = std::thread::scope(|scope| {
        let load = scope.spawn(|| exchange(&lab, &streams, RATE, Duration::from_secs(20), &stop));
        std::thread::sleep(Duration::from_secs(1));
        let ending = gateway.stop_clean();
        stop.store(true, Ordering::Relaxed);
        (ending, load.join().unwrap().unwrap())
    });
    let arrived = outcome.received[1].of(streams[0].id);
    assert!(arrived.intact > 0 && arrived.intact < outcome.sent[0].datagrams, "not under load");
    assert_eq!((arrived.duplicate, arrived.reordered, outcome.received[1].corrupt), (0, 0, 0));
    assert!(ending.said.iter().any(|line| line.contains("exact")), "{}", ending.said.join("\n"));
}

#[test]
fn a_host_whose_interface_is_down_stops_nobody() {
    with_one_port_down(|lab| lab.hosts[2].namespace.ip(&format!("link set {INTERFACE} down")));
}

#[test]
fn a_port_whose_interface_is_down_stops_nobody() {
    with_one_port_down(|lab| lab.middle.ip(&format!("link set {} down", port_name(2))));
}

#[test]
fn stations_behind_a_lost_link_are_forgotten() {
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 3);
    let gateway = start(&lab, "0", &bridge(&lab));
    demand_intact(&lab, &[stream(1, "10.78.0.1", &[0]), stream(2, "10.78.0.1", &[0])], 0.2);
    let known = |port: &str| {
        let fdb = ask(&gateway.socket(), Topic::Fdb).unwrap();
        fdb[0]["entries"].as_array().unwrap().iter().filter(|entry| entry["port"] == port).count()
    };
    assert_eq!([known("p0"), known("p1"), known("p2")], [1; 3]);
    lab.middle.ip(&format!("link set {} down", port_name(1))).unwrap();
    wait_until(|| known("p1") == 0);
    assert_eq!([known("p0"), known("p2")], [1; 2]);
    lab.middle.ip(&format!("link set {} up", port_name(1))).unwrap();
    wait_until(|| known("p1") == 1);
    gateway.stop_clean();
}

/// Floods p1 and p2, puts p2 down meanwhile: p1 loses nothing, and the stop is clean.
fn with_one_port_down(put_down: impl Fn(&Lab) -> anyhow::Result<String> + Sync) {
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 3);
    let gateway = start(&lab, "0", &bridge(&lab));
    let streams = [stream(0, "239.78.1.1", &[1]), stream(0, "fd78::2", &[1])];
    // Longer than any transmit ring: 8000 datagrams.
    let duration = Duration::from_secs(4);
    let outcome = std::thread::scope(|scope| {
        let load =
            scope.spawn(|| exchange(&lab, &streams, RATE, duration, &AtomicBool::new(false)));
        std::thread::sleep(Duration::from_millis(700));
        put_down(&lab).unwrap();
        load.join().unwrap().unwrap()
    });
    for (stream, sent) in streams.iter().zip(&outcome.sent) {
        let got = outcome.received[1].of(stream.id);
        assert!(got.is_exactly(sent.datagrams), "{}: {} of {sent:?}", stream.label, got.intact);
    }
    gateway.stop_clean();
}

#[test]
fn two_workers_keep_every_flow_in_order() {
    let Some(mut lab) = lab() else { return };
    plug_routed(&mut lab, 3);
    let mut configuration = router(&lab);
    configuration += "[[multicast]]\ngroup = \"239.78.2.1\"\nsource = \"any\"\nfrom = \"p0\"\n\
                      to = [\"p1\", \"p2\"]\n";
    let gateway = start(&lab, "0, 1", &configuration);
    let streams = [
        stream(0, "10.78.2.2", &[1]),
        stream(1, "fd78:1::2", &[0]),
        stream(2, "10.78.2.2", &[1]),
        stream(0, "239.78.2.1", &[1, 2]),
    ];
    demand_intact(&lab, &streams, 2.0);
    gateway.stop_clean();
}

/// Datagrams that the sending kernel fragments and the receiving one puts together again. With a
/// queue pair per worker net_af_packet has the kernel spread frames over sockets
/// (PACKET_FANOUT), which must not put fragments together on the way.
#[test]
fn fragments_pass_as_fragments() {
    for lcores in ["0", "0, 1"] {
        let Some(mut lab) = lab() else { return };
        plug_lan(&mut lab, 2);
        let gateway = start(&lab, lcores, &bridge(&lab));
        demand_fragments_pass(&lab);
        gateway.stop_clean();
    }
}

/// What tcpdump reads of a capture, also through a pipe: the frames a kernel sent, in both
/// directions, and one that was dropped with its reason.
#[test]
fn a_capture_is_what_tcpdump_reads() {
    let Some(mut lab) = lab() else { return };
    plug_lan(&mut lab, 2);
    let rule = "[[filter]]\nat = \"ingress\"\naction = \"drop\"\n\
                match = { proto = \"udp\", dst_port = 9999 }\n";
    let gateway = start(&lab, "0", &format!("{}{rule}", bridge(&lab)));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p0.pcapng");
    let capture = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
        command.args(["capture", "-i", "p0", "--drops", "--socket"]).arg(gateway.socket());
        command.args(args).stderr(Stdio::piped());
        command
    };
    let mut writing = capture(&["-w", file.to_str().unwrap()]).spawn().unwrap();
    wait_until(|| file.exists());

    let second = capture(&["-w", "/dev/null"]).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("a capture is running already"), "{said}");

    demand_intact(&lab, &[stream(0, "10.78.0.2", &[1])], 0.3);
    let open = || Sender::new(INTERFACE, "10.78.0.2:9999".parse()?);
    let mut sender = lab.hosts[0].namespace.enter(open).unwrap();
    (0..3).for_each(|number| sender.send(&[number; 40], 0).unwrap());
    wait_until(|| dump(&file).matches("10.78.0.2.9999").count() >= 6);
    kill(Pid::from_raw(writing.id() as i32), Signal::SIGINT).unwrap();
    let mut said = String::new();
    writing.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(writing.wait().unwrap().code(), Some(0), "{said}");
    assert!(said.contains(" frames captured, 0 lost"), "{said}");

    let text = dump(&file);
    assert!(text.matches("> 10.78.0.2.7077: UDP").count() >= 100, "{text}");
    assert!(text.contains("ARP, Request") && text.contains("ARP, Reply"), "{text}");
    let bytes = std::fs::read(&file).unwrap();
    let comments = bytes.windows(17).filter(|w| w == b"dropped: filtered").count();
    assert_eq!(comments, 3);

    let mut piping = capture(&["-c", "4", "-w", "-"]).stdout(Stdio::piped()).spawn().unwrap();
    let out = piping.stdout.take().unwrap();
    let reading = Command::new("tcpdump")
        .args(["-n", "-r", "-"])
        .stdin(out)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // When it has begun is not told: frames come until it has seen enough.
    while piping.try_wait().unwrap().is_none() {
        sender.send(&[7; 40], 0).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(piping.wait().unwrap().success());
    let read = reading.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&read.stdout).lines().count(), 4);

    let unknown = Command::new(env!("CARGO_BIN_EXE_gateway"))
        .args(["capture", "-i", "p9", "-w", "/dev/null", "--socket"])
        .arg(gateway.socket())
        .output()
        .unwrap();
    assert_eq!(unknown.status.code(), Some(1));
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(said.contains("there is no port `p9`: the ports are p0, p1"), "{said}");

    // A capture ends with the gateway, its file whole.
    std::fs::remove_file(&file).unwrap();
    let mut last = capture(&["-w", file.to_str().unwrap()]).spawn().unwrap();
    wait_until(|| file.exists());
    gateway.stop_clean();
    let mut said = String::new();
    last.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(last.wait().unwrap().success(), "{said}");
    assert!(said.contains("the gateway has ended"), "{said}");
    let whole = Command::new("tcpdump").args(["-n", "-r"]).arg(&file).output().unwrap();
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
}

/// tcpdump's reading of a file that may still be written.
fn dump(file: &Path) -> String {
    let read = Command::new("tcpdump").args(["-n", "-r"]).arg(file).output().unwrap();
    String::from_utf8_lossy(&read.stdout).into_owned()
}

fn wait_until(condition: impl Fn() -> bool) {
    for _ in 0..400 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it did not happen within 20 s");
}
