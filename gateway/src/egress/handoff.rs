//! Frames on their way from one worker to the worker that owns a port's only transmit queue.
//!
//! *Invariant:* bounded; order among the frames of one sending worker is kept.

use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

use crate::packet::PortId;

type Ring<T> = Arc<ArrayQueue<(PortId, T)>>;

/// The receiving end, owned by the worker that transmits.
pub struct Inbox<T> {
    ring: Ring<T>,
}

/// A sending end. Several workers may send to one inbox.
pub struct Handoff<T> {
    ring: Ring<T>,
}

impl<T> Inbox<T> {
    /// An inbox for up to `frames` frames.
    pub fn new(frames: usize) -> Self {
        Self { ring: Arc::new(ArrayQueue::new(frames)) }
    }

    /// A sending end for another worker.
    pub fn sender(&self) -> Handoff<T> {
        Handoff { ring: Arc::clone(&self.ring) }
    }

    /// The oldest frame and its egress port.
    pub fn take(&self) -> Option<(PortId, T)> {
        self.ring.pop()
    }

    /// Frames that wait.
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether no frame waits.
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }
}

impl<T> Handoff<T> {
    /// Sends one frame; gives it back when the inbox is full.
    pub fn send(&self, port: PortId, frame: T) -> Result<(), T> {
        self.ring.push((port, frame)).map_err(|(_, frame)| frame)
    }
}
