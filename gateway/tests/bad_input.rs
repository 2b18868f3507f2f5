//! Damaged frames of every kind through net_pcap ports of the real program: it stays alive, every
//! frame is accounted for, all buffers come back. `make bad-input FRAMES=10000000` is the long form.
#![cfg(feature = "dpdk")]
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // around the program, not the path

#[allow(dead_code)] // frames in pieces are another's
#[path = "support/hostile.rs"]
mod hostile;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use gateway::control::{Topic, ask};
use hostile::{Hostile, PORTS, Way};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pcap_file::pcap::{PcapPacket, PcapWriter};

/// The short form, over all worlds.
const FRAMES: u64 = 96_000;
/// Frames per run of the program: some 70 MB of recordings, gone after it.
const FRAMES_PER_RUN: u64 = 400_000;
/// From the last change of the account to giving up on the rest.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn damaged_frames_are_counted_and_nothing_else() {
    let wanted = std::env::var_os("BAD_INPUT_FRAMES").map_or(FRAMES, |text| {
        text.to_str().and_then(|text| text.parse().ok()).expect("BAD_INPUT_FRAMES: a number")
    });
    let worlds: Vec<_> = [Way::Bridged, Way::Routed]
        .into_iter()
        .flat_map(|way| ["off", "list", "merge"].map(|form| (way, form)))
        .collect();
    let runs = wanted.div_ceil(FRAMES_PER_RUN).next_multiple_of(worlds.len() as u64);
    let mut sum = 0;
    for run in 0..runs {
        let (way, form) = worlds[run as usize % worlds.len()];
        sum += one_run(run, way, form, wanted.div_ceil(runs));
        println!("{sum} frames, the last through {way:?} {form}");
    }
    assert!(sum >= wanted);
}

/// Returns how many frames it received.
fn one_run(seed: u64, way: Way, form: &str, frames: u64) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let injected = record(seed, way, frames, folder.path());
    let file = folder.path().join("gateway.toml");
    fs::write(&file, configuration(way, form, folder.path())).unwrap();
    let mut program = Program::start(&file);
    program.await_received(&folder.path().join("socket"), injected);
    let said = program.stop();
    assert!(said.contains(": exact"), "{said}");
    assert!(said.contains("8192 of 8192 buffers free"), "{said}");
    assert!(said.contains(&format!("rx {injected} + ")), "not {injected}: {said}");
    injected
}

/// A recording per port; how many frames there are in all.
fn record(seed: u64, way: Way, frames: u64, folder: &Path) -> u64 {
    let mut recordings: Vec<_> = (0..PORTS)
        .map(|port| {
            let file = File::create(folder.join(format!("p{port}.pcap"))).unwrap();
            PcapWriter::new(BufWriter::new(file)).unwrap()
        })
        .collect();
    let mut random = Random(seed);
    let mut written = 0;
    while written < frames {
        let bytes: Vec<u8> = (0..8).flat_map(|_| random.next().to_le_bytes()).collect();
        let hostile = Hostile::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
        for frame in hostile.frames(way) {
            let length = frame.len() as u32;
            let packet = PcapPacket::new(Duration::ZERO, length, &frame);
            recordings[hostile.port()].write_packet(&packet).unwrap();
            written += 1;
        }
    }
    written
}

fn configuration(way: Way, form: &str, folder: &Path) -> String {
    let mut text = format!(
        "[runtime]\nhugepages = false\nmemory_mb = 128\npool_buffers = 8192\nidle_sleep_us = 100\n\
         [gro]\nmode = \"{form}\"\nmax_hold_us = 20\n[control]\nsocket = {:?}\n",
        folder.join("socket")
    );
    for port in 0..PORTS {
        let recording = folder.join(format!("p{port}.pcap"));
        // Without a transmit file the driver counts what leaves and lets it go.
        text += &format!(
            "[[port]]\nname = \"p{port}\"\ndevice = \"net_pcap{port},rx_pcap={}\"\n\
             mac = \"02:00:00:00:00:0{port}\"\nmtu = {}\n",
            recording.display(),
            [1500, 1280, 576][port]
        );
        if way == Way::Routed {
            text += &format!("addresses = [\"10.{port}.0.1/24\", \"2001:db8:{port}::1/64\"]\n");
        }
    }
    if way == Way::Bridged {
        return text + "[[bridge]]\nname = \"br0\"\nports = [\"p0\", \"p1\", \"p2\"]\n";
    }
    for port in 0..PORTS {
        for address in [format!("10.{port}.0.2"), format!("2001:db8:{port}::2")] {
            text += &format!(
                "[[neighbor]]\naddress = \"{address}\"\nmac = \"02:00:00:00:01:0{port}\"\n\
                 port = \"p{port}\"\n"
            );
        }
    }
    for group in ["239.1.1.1", "ff3e::1"] {
        text +=
            &format!("[[multicast]]\ngroup = \"{group}\"\nfrom = \"p0\"\nto = [\"p1\", \"p2\"]\n");
    }
    text
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

struct Program {
    child: Child,
    said: BufReader<std::process::ChildStderr>,
}

impl Program {
    fn start(file: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
        let command = command.args(["run", "-c"]).arg(file).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("ready") {
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "it ended: {line}");
        }
        Self { child, said }
    }

    /// Asks until all frames are received, and while they are.
    fn await_received(&mut self, socket: &Path, frames: u64) {
        let (mut last, mut since) = (0, Instant::now());
        while last < frames {
            assert_eq!(self.child.try_wait().unwrap(), None, "it ended");
            let report = ask(socket, Topic::Workers).unwrap();
            let workers = report.as_array().unwrap();
            assert!(workers.iter().all(|worker| worker["imbalance"] == 0), "{report}");
            let received = workers.iter().filter_map(|worker| worker["rx"].as_u64()).sum();
            if received != last {
                (last, since) = (received, Instant::now());
            }
            assert!(since.elapsed() < PATIENCE, "{received} of {frames} received: {report}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Its last words; it must end as it should.
    fn stop(mut self) -> String {
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM).unwrap();
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{said}");
        said
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Has ended already unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
