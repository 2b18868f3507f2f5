use crate::packet::PortId;

/// Where replicas go. A closure takes them one by one; who can take a whole train at once says how.
pub trait Emit<T> {
    /// One replica, or `None` where the pool was dry.
    fn emit(&mut self, port: PortId, frame: Option<T>);

    /// A train's frames for one port, in order.
    #[inline]
    fn emit_all(&mut self, port: PortId, frames: impl ExactSizeIterator<Item = T>) {
        for frame in frames {
            self.emit(port, Some(frame));
        }
    }
}

impl<T, F: FnMut(PortId, Option<T>)> Emit<T> for F {
    #[inline]
    fn emit(&mut self, port: PortId, frame: Option<T>) {
        self(port, frame);
    }
}
