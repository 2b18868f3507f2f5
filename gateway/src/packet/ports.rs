use core::fmt;

/// Ports a gateway can have. (Debian's libdpdk is built for 32.)
pub const MAX_PORTS: usize = 128;

/// A port's index in the configuration file, below [`MAX_PORTS`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct PortId(pub u16);

impl PortId {
    /// The index into tables of ports.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for PortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A set of ports.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct PortMask(u128);

impl PortMask {
    /// No port.
    pub const EMPTY: Self = Self(0);

    /// The set with only this port.
    pub fn of(port: PortId) -> Self {
        Self(1u128 << (port.0 & 127))
    }

    /// With this port added.
    #[must_use]
    pub fn with(self, port: PortId) -> Self {
        Self(self.0 | Self::of(port).0)
    }

    /// With this port taken away.
    #[must_use]
    pub fn without(self, port: PortId) -> Self {
        Self(self.0 & !Self::of(port).0)
    }

    /// In both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// In either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// In this one and not in the other.
    #[must_use]
    pub fn and_not(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the port is in the set.
    pub fn contains(self, port: PortId) -> bool {
        self.0 & Self::of(port).0 != 0
    }

    /// How many ports.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The port, if there is exactly one.
    #[inline]
    pub fn single(self) -> Option<PortId> {
        let mut rest = self;
        rest.next().filter(|_| rest.is_empty())
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Iterator for PortMask {
    type Item = PortId;

    fn next(&mut self) -> Option<PortId> {
        if self.0 == 0 {
            return None;
        }
        let first = self.0.trailing_zeros();
        self.0 &= self.0 - 1;
        Some(PortId(first as u16))
    }
}

impl FromIterator<PortId> for PortMask {
    fn from_iter<I: IntoIterator<Item = PortId>>(ports: I) -> Self {
        ports.into_iter().fold(Self::EMPTY, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_lists_what_was_put_in() {
        let mask: PortMask = [PortId(0), PortId(127), PortId(5)].into_iter().collect();
        assert_eq!(mask.len(), 3);
        assert_eq!(mask.collect::<Vec<_>>(), [PortId(0), PortId(5), PortId(127)]);
        assert_eq!((mask.single(), PortMask::EMPTY.single()), (None, None));
        assert_eq!(PortMask::of(PortId(64)).single(), Some(PortId(64)));
        assert!(mask.without(PortId(5)).and(PortMask::of(PortId(5))).is_empty());
    }
}
