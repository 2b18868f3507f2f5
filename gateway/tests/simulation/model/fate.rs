//! One thing that may become of a frame.

use core::net::IpAddr;

use gateway::packet::DropReason;

use crate::world::Mac;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fate {
    /// Which of several equal paths it takes.
    pub(crate) path: Option<Path>,
    /// Frames of its flow, by port.
    pub(crate) leaves: Vec<(usize, Vec<u8>)>,
    pub(crate) drops: Vec<DropReason>,
    /// The gateway consumes it.
    pub(crate) local: u64,
    /// Answers of the gateway's own.
    pub(crate) answers: Vec<(usize, Vec<u8>)>,
    /// What its sender is told, as far as the rate limit lets it.
    pub(crate) errors: Vec<Told>,
}

/// One of the next hops between which a flow chooses once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    pub(crate) choice: Choice,
    pub(crate) index: usize,
}

/// Port and link address of each next hop, source and destination.
pub(crate) type Choice = (Vec<(usize, Mac)>, IpAddr, IpAddr);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ErrorKind {
    Exceeded { v6: bool },
    TooBig { v6: bool },
}

/// An ICMP error, by each of the ways it may go back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) kind: ErrorKind,
    pub(crate) ways: Vec<(usize, Vec<u8>)>,
}

impl Fate {
    pub(crate) fn dropped(reason: DropReason) -> Self {
        Self { drops: vec![reason], ..Self::default() }
    }

    pub(crate) fn consumed() -> Self {
        Self { local: 1, ..Self::default() }
    }
}
