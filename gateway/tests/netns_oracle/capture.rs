//! What leaves a port, recorded at the far end of its cable by tcpdump: a packet socket shows no
//! outer VLAN tag, libpcap puts it back where it was.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use gateway::demo::namespace::Namespace;
use gateway::demo::topology::INTERFACE;
use pcap_file::pcap::PcapReader;

/// How long a frame may be under way on a crowded machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Capture {
    tcpdump: Child,
    frames: Receiver<Vec<u8>>,
}

impl Capture {
    /// Of everything the cable brings to the host in `namespace`.
    pub(crate) fn start(namespace: &Namespace) -> Self {
        let options = "-Q in -n -U -s 0 -B 8192 --immediate-mode -Z root -w -";
        let start = || {
            let mut tcpdump = Command::new("tcpdump");
            tcpdump.args(["-i", INTERFACE]).args(options.split(' '));
            tcpdump.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            Ok(tcpdump.spawn()?)
        };
        let mut tcpdump = namespace.enter(start).expect("tcpdump is installed");
        let mut said = BufReader::new(tcpdump.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("listening on") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "tcpdump did not start");
        }
        let stdout = tcpdump.stdout.take().unwrap();
        let (sender, frames) = channel();
        std::thread::spawn(move || {
            let Ok(mut recording) = PcapReader::new(stdout) else { return };
            while let Some(Ok(packet)) = recording.next_packet() {
                if sender.send(packet.data.into_owned()).is_err() {
                    return;
                }
            }
        });
        Self { tcpdump, frames }
    }

    /// All frames before `marker`.
    pub(crate) fn until(&self, marker: &[u8]) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let frame = self.frames.recv_timeout(PATIENCE).expect("the marker arrives");
            if frame == marker {
                return all;
            }
            all.push(frame);
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.tcpdump.kill(); // it may have ended by itself
        let _ = self.tcpdump.wait();
    }
}
