use super::Driven;
use crate::device::Backend;
use crate::time::Nanos;
use crate::worker::Worker;

impl<K: Backend> Driven for Worker<K> {
    fn poll_once(&mut self, now: Nanos) -> usize {
        self.poll_once(now)
    }

    fn release_held(&mut self, now: Nanos) {
        self.release_held(now);
    }

    fn drain_once(&mut self) -> u64 {
        self.drain_once()
    }

    fn abandon(&mut self) {
        self.abandon();
    }
}
