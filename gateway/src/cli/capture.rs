//! `gateway capture`: what a port of a running gateway receives and sends, as a pcapng file.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gateway::capture::{Captured, Event, Item};
use gateway::control::{CaptureReader, CaptureRequest};
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::interface_statistics::{
    InterfaceStatisticsBlock, InterfaceStatisticsOption,
};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, Endianness, PcapError};

use super::Exit;
use super::args::{CaptureArgs, GatewayArgs};
use super::file::socket;
use super::output::complain;
use super::signal::stop_on_signal;

/// epb_flags, bits 0 and 1: direction (draft-ietf-opsawg-pcapng 4.3.1).
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;

pub(super) fn main(args: &CaptureArgs) -> Exit {
    let (socket_path, config) = (args.socket.clone(), args.config.clone());
    let socket = match socket(&GatewayArgs { socket: socket_path, config }) {
        Ok(socket) => socket,
        Err(exit) => return exit,
    };
    let stop = stop_on_signal();
    let request = CaptureRequest { port: args.port.clone(), drops: args.drops };
    let mut reader = match CaptureReader::begin(&socket, &request, stop) {
        Ok(reader) => reader,
        Err(error) => {
            complain(format_args!("error: {error}"));
            return Exit::Usage;
        }
    };
    let captured = open(&args.write).map_err(PcapError::IoError).and_then(|out| {
        let mut file = CaptureFile::begin(out, &args.port)?;
        let why = copy(&mut reader, &mut file, args, stop)?;
        file.end()?;
        Ok((file.frames, file.lost, why))
    });
    match captured {
        Ok((frames, lost, why)) => {
            complain(format_args!("{frames} frames captured, {lost} lost{why}"));
            Exit::Clean
        }
        // A reader that has seen enough (`| tcpdump -c 5 -r -`) is no error.
        Err(PcapError::IoError(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Clean,
        Err(error) => {
            complain(format_args!("error: {}: {error}", args.write.display()));
            Exit::Usage
        }
    }
}

fn open(path: &Path) -> io::Result<Box<dyn Write>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdout().lock()));
    }
    Ok(Box::new(File::create(path)?))
}

/// Until the count or the time is reached, a signal comes, or the gateway ends; says which if it
/// is not what was asked for.
fn copy(
    reader: &mut CaptureReader<'_>,
    file: &mut CaptureFile,
    args: &CaptureArgs,
    stop: &AtomicBool,
) -> Result<&'static str, PcapError> {
    let began = Instant::now();
    let time = args.seconds.map(Duration::from_secs);
    loop {
        match reader.next_item() {
            Ok(None) => return Ok("; the gateway has ended"),
            Ok(Some(Item::Lost(lost))) => file.lost = lost,
            Ok(Some(Item::Frame(captured))) => file.frame(&captured)?,
            Err(_) if stop.load(Ordering::Relaxed) => return Ok(""),
            Err(error) => return Err(PcapError::IoError(error)),
        }
        // Whoever follows in a pipe sees frames as they come, not when a buffer is full.
        if !reader.has_item() {
            file.flush()?;
        }
        let is_enough = args.count.is_some_and(|count| file.frames >= count)
            || time.is_some_and(|time| began.elapsed() >= time)
            || stop.load(Ordering::Relaxed);
        if is_enough {
            return Ok("");
        }
    }
}

/// A pcapng file with one interface.
struct CaptureFile {
    writer: PcapNgWriter<BufWriter<Box<dyn Write>>>,
    frames: u64,
    /// Copies lost in the gateway.
    lost: u64,
}

impl CaptureFile {
    fn begin(out: Box<dyn Write>, port: &str) -> Result<Self, PcapError> {
        let program = format!("gateway {}", env!("CARGO_PKG_VERSION"));
        let section = SectionHeaderBlock {
            endianness: Endianness::Little,
            options: vec![SectionHeaderOption::UserApplication(Cow::Owned(program))],
            ..SectionHeaderBlock::default()
        };
        let mut writer = PcapNgWriter::with_section_header(BufWriter::new(out), section)?;
        let name = InterfaceDescriptionOption::IfName(Cow::Owned(port.to_owned()));
        let nanoseconds = InterfaceDescriptionOption::IfTsResol(9);
        let (linktype, snaplen, options) = (DataLink::ETHERNET, 0, vec![name, nanoseconds]);
        writer.write_pcapng_block(InterfaceDescriptionBlock { linktype, snaplen, options })?;
        Ok(Self { writer, frames: 0, lost: 0 })
    }

    fn frame(&mut self, captured: &Captured<'_>) -> Result<(), PcapError> {
        let (direction, reason) = match captured.event {
            Event::Received => (INBOUND, None),
            Event::Sent => (OUTBOUND, None),
            Event::Dropped(reason) => (INBOUND, Some(reason)),
            Event::Refused(reason) => (OUTBOUND, Some(reason)),
        };
        let comment = reason.map(|reason| {
            EnhancedPacketOption::Comment(Cow::Owned(format!("dropped: {}", reason.name())))
        });
        let flags = EnhancedPacketOption::Flags(direction);
        self.writer.write_pcapng_block(EnhancedPacketBlock {
            interface_id: 0,
            timestamp: Duration::from_nanos(captured.wall_nanos),
            original_len: captured.frame_len,
            data: Cow::Borrowed(captured.bytes),
            options: comment.into_iter().chain([flags]).collect(),
        })?;
        self.frames += 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), PcapError> {
        self.writer.get_mut().flush().map_err(PcapError::IoError)
    }

    /// How many were captured and lost, for whoever reads the file later.
    fn end(&mut self) -> Result<(), PcapError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.writer.write_pcapng_block(InterfaceStatisticsBlock {
            interface_id: 0,
            // The format has the upper half first, whatever the byte order; pcap-file 2.0 writes
            // one number.
            timestamp: (now.as_nanos() as u64).rotate_left(32),
            options: vec![
                InterfaceStatisticsOption::IsbIfRecv(self.frames + self.lost),
                InterfaceStatisticsOption::IsbOsDrop(self.lost),
                InterfaceStatisticsOption::IsbUsrDeliv(self.frames),
            ],
        })?;
        self.flush()
    }
}
