//! A leak planted in the real program from outside: a library that DPDK loads keeps frames that a
//! port has sent. The gateway must end with status 3 and name the port.
#![cfg(feature = "dpdk")]

#[path = "support/plugin.rs"]
mod plugin;

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use etherparse::PacketBuilder;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pcap_file::pcap::{PcapPacket, PcapWriter};

fn write_frames(path: &Path) {
    let mut writer = PcapWriter::new(File::create(path).unwrap()).unwrap();
    for n in 0..64 {
        let mut frame = Vec::new();
        PacketBuilder::ethernet2([2, 0, 0, 0, 9, 9], [2, 0, 0, 0, 0, 1])
            .ipv4([10, 1, 0, 9], [10, 2, 0, 2], 64)
            .udp(4000 + n, 5000)
            .write(&mut frame, &[7; 100])
            .unwrap();
        let packet = PcapPacket::new(Default::default(), frame.len() as u32, &frame);
        writer.write_packet(&packet).unwrap();
    }
}

#[test]
fn a_driver_that_keeps_frames_ends_the_gateway_with_3_and_the_ports_name() {
    if option_env!("DPDK_STATIC").is_some() {
        return; // a static program has no DPDK for a plug-in to call
    }
    let folder = tempfile::tempdir().unwrap();
    let pcap = folder.path().join("in.pcap");
    write_frames(&pcap);
    let text = format!(
        "[runtime]\nhugepages = false\nmemory_mb = 128\npool_buffers = 4096\n\
         eal_args = [\"-d\", {:?}]\n\
         [[port]]\nname = \"source\"\ndevice = \"net_pcap0,rx_pcap={},infinite_rx=1\"\n\
         mac = \"02:00:00:00:00:01\"\naddresses = [\"10.1.0.1/24\"]\n\
         [[port]]\nname = \"leaky\"\ndevice = \"net_null1,no-rx=1\"\naddresses = [\"10.2.0.1/24\"]\n\
         [[neighbor]]\naddress = \"10.2.0.2\"\nmac = \"02:00:00:00:02:02\"\nport = \"leaky\"\n\
         [control]\nsocket = {:?}\n",
        plugin::build("leak/keeper"),
        pcap.display(),
        folder.path().join("run/gateway.sock"),
    );
    let file = folder.path().join("gateway.toml");
    fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command.args(["run", "-c"]).arg(&file).stderr(Stdio::piped());
    let mut gateway = command.spawn().unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(gateway.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        // Anywhere: the library writes while the gateway is in the middle of a line of its own.
        if line.contains("keeper: kept 3") {
            kill(Pid::from_raw(gateway.id() as i32), Signal::SIGINT).unwrap();
        }
        said.push(line);
    }
    let said = said.join("\n");
    assert_eq!(gateway.wait().unwrap().code(), Some(3), "{said}");
    assert!(said.contains("4093 of 4096 buffers free: 3 MISSING"), "{said}");
    let line = "\n  UNBALANCED: 3 buffer(s) last queued for port leaky; one: 1 reference(s), 142 \
                bytes, starts 02 00 00 00 02 02 ";
    assert!(said.contains(line), "{said}");
    assert_eq!(said.matches("UNBALANCED").count(), 1, "{said}");
}
