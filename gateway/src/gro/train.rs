//! One held train: datagrams of one order key that may leave as one super-packet.

use super::FlushReason;
use super::key::OrderKey;
use super::template::{Identification, Template, extension_headers};
use crate::packet::{FrameInfo, PacketBuf, SuperPacket};
use crate::time::Nanos;

/// A super-packet stays below this many bytes of frames.
pub(super) const BYTES_LIMIT: u32 = 65_536;

/// What the rules look at in a datagram that may be coalesced.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    pub(super) key: OrderKey,
    template: Template,
    identification: u16,
}

/// A place for one train. Its storage is allocated once.
pub(super) struct Train<B: PacketBuf> {
    segments: Vec<B>,
    /// `None` exactly when there are no segments.
    state: Option<State>,
}

/// All about a held train but its datagrams. Written as a whole when it starts, so nothing of the
/// train before is inherited.
struct State {
    key: OrderKey,
    template: Template,
    identification: Identification,
    /// The first segment's.
    info: FrameInfo,
    /// UDP payload of all segments but a shorter tail, in bytes.
    payload: u32,
    /// Bytes of all frames.
    bytes: u32,
    since: Nanos,
}

/// Datagrams that continue a train.
pub(super) struct Run {
    /// At least one.
    pub(super) datagrams: usize,
    /// With the last of them added.
    identification: Identification,
    bytes: u32,
}

/// A train as it would go on with datagrams of its template and length, one more with each that is
/// [admitted](Self::admits).
pub struct Continuation {
    identification: Identification,
    bytes: u32,
    frame_len: u32,
}

impl Continuation {
    /// Whether a datagram with this identification (0 for IPv6) goes on, too.
    #[inline]
    pub fn admits(&mut self, identification: u16) -> bool {
        let bytes = self.bytes + self.frame_len;
        let Some(next) = self.identification.followed_by(identification) else { return false };
        if bytes >= BYTES_LIMIT {
            return false;
        }
        (self.identification, self.bytes) = (next, bytes);
        true
    }
}

impl Candidate {
    /// Reads a [`Coalesce::Candidate`](crate::packet::Coalesce); `None` if its headers are not
    /// where `info` says.
    #[inline]
    pub(super) fn read(head: &[u8], info: &FrameInfo) -> Option<Self> {
        let key = OrderKey::read(head, info)?;
        let (template, identification) = Template::read(head, info)?;
        Some(Self { key, template, identification })
    }
}

impl<B: PacketBuf> Train<B> {
    pub(super) fn new(max_segments: usize) -> Self {
        Self { segments: Vec::with_capacity(max_segments), state: None }
    }

    /// Whether it is held and has this key.
    #[inline]
    pub(super) fn has_key(&self, key: &OrderKey) -> bool {
        self.state.as_ref().is_some_and(|state| state.key == *key)
    }

    /// The key of a held train.
    pub(super) fn key(&self) -> Option<&OrderKey> {
        self.state.as_ref().map(|state| &state.key)
    }

    /// When its first datagram arrived; `None` if it is not held.
    pub(super) fn since(&self) -> Option<Nanos> {
        self.state.as_ref().map(|state| state.since)
    }

    /// Starts a train. It must not be held.
    pub(super) fn start(&mut self, packet: B, info: &FrameInfo, first: &Candidate, now: Nanos) {
        debug_assert!(self.segments.is_empty());
        self.state = Some(State {
            key: first.key,
            template: first.template,
            identification: Identification::new(first.identification),
            info: *info,
            payload: info.udp_payload(),
            bytes: info.frame_len,
            since: now,
        });
        self.segments.push(packet);
    }

    /// Adds a datagram of the train's key if every rule allows, else gives it back and says why.
    /// Returns why the train is now complete, if it is.
    #[inline]
    pub(super) fn add(
        &mut self,
        packet: B,
        info: &FrameInfo,
        next: &Candidate,
        max_segments: usize,
    ) -> Result<Option<FlushReason>, (B, FlushReason)> {
        let (Some(state), Some(first)) = (&mut self.state, self.segments.first()) else {
            return Err((packet, FlushReason::LoneDatagram));
        };
        let identification = match state.accepts(first.head(), packet.head(), info, next) {
            Ok(identification) => identification,
            Err(reason) => return Err((packet, reason)),
        };
        Ok(self.push(packet, info, identification, max_segments))
    }

    /// How many of these datagrams can be added one after the other, if any. `count` says how many
    /// have the train's key, template and length, as long as the continuation admits them; it is
    /// told the train's description and the head piece of its last datagram.
    #[inline]
    pub(super) fn run(
        &self,
        packets: &[B],
        max_segments: usize,
        count: impl Fn(&FrameInfo, &[u8], &[B], &mut Continuation) -> usize,
    ) -> Option<Run> {
        let (state, last) = (self.state.as_ref()?, self.segments.last()?);
        let room = max_segments.saturating_sub(self.segments.len()).min(packets.len());
        let mut continuation = Continuation {
            identification: state.identification,
            bytes: state.bytes,
            frame_len: state.info.frame_len,
        };
        let datagrams = count(&state.info, last.head(), packets.get(..room)?, &mut continuation);
        let Continuation { identification, bytes, .. } = continuation;
        (datagrams > 0).then_some(Run { datagrams, identification, bytes })
    }

    /// Adds the datagrams of a [`run`](Self::run). Returns why the train is now complete, if it is.
    #[inline]
    pub(super) fn extend(
        &mut self,
        run: &Run,
        packets: impl Iterator<Item = B>,
        max_segments: usize,
    ) -> Option<FlushReason> {
        let state = self.state.as_mut()?;
        state.identification = run.identification;
        state.bytes = run.bytes;
        self.segments.extend(packets.take(run.datagrams));
        self.completion(max_segments)
    }

    #[inline]
    fn push(
        &mut self,
        packet: B,
        info: &FrameInfo,
        identification: Identification,
        max_segments: usize,
    ) -> Option<FlushReason> {
        let state = self.state.as_mut()?;
        state.identification = identification;
        state.bytes += info.frame_len;
        self.segments.push(packet);
        if info.udp_payload() < state.payload {
            return Some(FlushReason::Tail);
        }
        self.completion(max_segments)
    }

    /// Why no further datagram fits, if none does. A train that is held always has room for one.
    #[inline]
    pub(super) fn completion(&self, max_segments: usize) -> Option<FlushReason> {
        let state = self.state.as_ref()?;
        if self.segments.len() >= max_segments {
            return Some(FlushReason::MaxSegments);
        }
        (state.bytes + state.info.frame_len >= BYTES_LIMIT).then_some(FlushReason::MaxBytes)
    }

    /// Ends the train: its datagrams, and when the first arrived.
    #[inline]
    pub(super) fn end(&mut self) -> Option<(SuperPacket<'_, B>, Nanos)> {
        let state = self.state.as_ref()?;
        let (info, since) = (state.info, state.since);
        self.state = None;
        Some((SuperPacket::from_segments(info, &mut self.segments)?, since))
    }
}

impl State {
    /// The identification sequence with the datagram added, or the rule that forbids to add it.
    #[inline]
    fn accepts(
        &self,
        first_head: &[u8],
        head: &[u8],
        info: &FrameInfo,
        next: &Candidate,
    ) -> Result<Identification, FlushReason> {
        if let Some(reason) = self.template.difference(&next.template) {
            return Err(reason);
        }
        // Equal templates: both start and end at the same offsets. Mostly both are empty, and then
        // memcmp is not asked: on AVX-512 machines its masked load of nothing from the dangling
        // address of an empty slice takes some 200 cycles.
        let extensions = extension_headers(head, info);
        if !extensions.is_empty() && extensions != extension_headers(first_head, &self.info) {
            return Err(FlushReason::ExtensionHeaders);
        }
        if info.udp_payload() > self.payload {
            return Err(FlushReason::Longer);
        }
        self.identification.followed_by(next.identification).ok_or(FlushReason::Identification)
    }
}
