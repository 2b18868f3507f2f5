//! DPDK's telemetry socket (doc/guides/howto/telemetry.rst): how frames are counted in programs
//! that print no counters. It is a thread of its own over there; the polling one is not asked.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use socket2::{Domain, SockAddr, Socket, Type};

/// A connection to a running program.
pub struct Telemetry {
    socket: Socket,
}

/// What a port counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortCounts {
    /// Frames received.
    pub received: u64,
    /// Frames sent.
    pub sent: u64,
}

impl Telemetry {
    /// Connects to the program started with `--file-prefix` = `prefix`.
    ///
    /// # Errors
    /// When it does not run yet, or not any more.
    pub fn connect(prefix: &str) -> anyhow::Result<Self> {
        let root = Path::new("/var/run/dpdk").join(prefix).join("dpdk_telemetry.v2");
        let socket = Socket::new(Domain::UNIX, Type::SEQPACKET, None)?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        socket.connect(&SockAddr::unix(&root)?).context(root.display().to_string())?;
        let telemetry = Self { socket };
        telemetry.read()?; // who it is
        Ok(telemetry)
    }

    /// The counters of a port.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn port(&self, port: usize) -> anyhow::Result<PortCounts> {
        let question = format!("/ethdev/stats,{port}");
        self.socket.send(question.as_bytes())?;
        let answer = self.read()?;
        let count = |name: &str| answer["/ethdev/stats"][name].as_u64().context(name.to_owned());
        Ok(PortCounts { received: count("ipackets")?, sent: count("opackets")? })
    }

    fn read(&self) -> anyhow::Result<Value> {
        let mut buffer = [0; 16 << 10];
        let length = std::io::Read::read(&mut &self.socket, &mut buffer)?;
        ensure!(length > 0, "the program has ended");
        Ok(serde_json::from_slice(&buffer[..length])?)
    }
}
