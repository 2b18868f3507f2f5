//! The two datagrams that started it all (semantics: *Failures the field has had*, 1): mDNS queries
//! of 91 and 62 bytes, back to back, fe80::… to ff02::fb, hop limit 255, a flow label. A kernel
//! that had coalesced them crashed when it split its clones for the ports of a bridge.

use std::fs::File;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use pcap_file::pcap::{PcapPacket, PcapReader, PcapWriter};

use super::frame::Datagram;
use crate::packet::MacAddr;

/// UDP port of mDNS (RFC 6762 5.2).
pub const PORT: u16 = 5353;
/// The group of mDNS.
pub const GROUP: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
/// Who asks.
const SOURCE: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0x77ff, 0xfe00, 0x5353);
const FLOW_LABEL: u32 = 0x5_3aa7;

/// The two queries: what is UDP's payload.
pub fn queries() -> [Vec<u8>; 2] {
    [query(&["_ipp", "_airplay", "_spotify-connect"]), query(&["_ssh", "_workstation"])]
}

/// The two queries as frames, in order.
///
/// # Errors
/// None for the queries as they are.
pub fn frames() -> Result<Vec<Vec<u8>>> {
    let frame = |payload: &Vec<u8>| {
        let datagram = Datagram {
            src_mac: MacAddr([0x02, 0, 0, 0, 0x53, 0x53]),
            dst_mac: MacAddr::of_group(GROUP.into()),
            src: SocketAddr::new(SOURCE.into(), PORT),
            dst: SocketAddr::new(GROUP.into(), PORT),
            hops: 255,
            flow_label: FLOW_LABEL,
            payload,
        };
        datagram.to_frame(0)
    };
    queries().iter().map(frame).collect()
}

/// A bridge of three ports, on these devices.
pub fn configuration(device: impl Fn(usize) -> String) -> String {
    let ports: String = (0..3)
        .map(|p| format!("[[port]]\nname = \"p{p}\"\ndevice = \"{}\"\n", device(p)))
        .collect();
    format!("{ports}[[bridge]]\nname = \"br0\"\nports = [\"p0\", \"p1\", \"p2\"]\n")
}

/// What is wrong with `sent` by each port, after `frames` came in on the first.
pub fn faults(frames: &[Vec<u8>], sent: &[Vec<Vec<u8>>]) -> Vec<String> {
    let fault = |(port, sent): (usize, &Vec<Vec<u8>>)| {
        let due = if port == 0 { &[][..] } else { frames };
        let count = due.len();
        (sent != due).then(|| {
            format!("mDNS pair: p{port} sent {} frames, not the {count} originals", sent.len())
        })
    };
    sent.iter().enumerate().filter_map(fault).collect()
}

/// Writes `frames` as a recording for net_pcap.
///
/// # Errors
/// The path and the system's error.
pub fn write_pcap(path: &Path, frames: &[Vec<u8>]) -> Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut writer = PcapWriter::new(file)?;
    for (index, frame) in frames.iter().enumerate() {
        let time = Duration::from_micros(index as u64);
        writer.write_packet(&PcapPacket::new(time, frame.len() as u32, frame))?;
    }
    Ok(())
}

/// The frames of a recording.
///
/// # Errors
/// The path and what is wrong with it.
pub fn read_pcap(path: &Path) -> Result<Vec<Vec<u8>>> {
    let context = || format!("cannot read {}", path.display());
    let mut reader = PcapReader::new(File::open(path).with_context(context)?)?;
    let mut frames = Vec::new();
    while let Some(packet) = reader.next_packet() {
        frames.push(packet.with_context(context)?.data.into_owned());
    }
    Ok(frames)
}

/// A DNS message (RFC 1035 4.1) that asks for the PTR records of services.
fn query(services: &[&str]) -> Vec<u8> {
    let mut message = vec![0, 0, 0, 0, 0, services.len() as u8, 0, 0, 0, 0, 0, 0];
    for service in services {
        for label in [service, "_tcp", "local"] {
            message.push(label.len() as u8);
            message.extend_from_slice(label.as_bytes());
        }
        message.extend_from_slice(&[0, 0, 12, 0, 1]); // root, PTR, IN
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pair_is_the_one_that_was_reported() {
        assert_eq!(queries().map(|q| q.len()), [91, 62]);
        for frame in frames().unwrap() {
            let datagram = super::super::frame::read_datagram(&frame).unwrap().unwrap();
            assert_eq!((datagram.hops, datagram.flow_label), (255, FLOW_LABEL));
            assert_eq!((datagram.src.port(), datagram.dst.port()), (PORT, PORT));
            assert_eq!(datagram.dst_mac.to_string(), "33:33:00:00:00:fb");
        }
    }

    #[test]
    fn a_recording_is_read_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pair.pcap");
        write_pcap(&path, &frames().unwrap()).unwrap();
        assert_eq!(read_pcap(&path).unwrap(), frames().unwrap());
        write_pcap(&path, &[]).unwrap();
        assert_eq!(read_pcap(&path).unwrap(), Vec::<Vec<u8>>::new());
    }
}
