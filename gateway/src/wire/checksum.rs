//! The Internet checksum (RFC 1071): sums over pieces of any length and parity, pseudo headers, and
//! incremental update (RFC 1624).
//!
//! Sums are kept in the byte order of the machine and turned round once, at the end: the sum of
//! swapped words is the swapped sum (RFC 1071 2 (B)).

/// A ones' complement sum in progress.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// Sum of 16-bit words in machine order, not yet folded.
    words: u64,
    /// An odd number of bytes was added: the next one is the low half of a word.
    odd: bool,
}

impl Sum {
    /// The sum of nothing.
    pub const fn new() -> Self {
        Self { words: 0, odd: false }
    }

    /// With `bytes` added behind those already there.
    #[inline]
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        let piece = fold(sum(bytes));
        let piece = if self.odd { piece.swap_bytes() } else { piece };
        Self { words: self.words + u64::from(piece), odd: self.odd ^ (bytes.len() % 2 == 1) }
    }

    /// With one 16-bit word added, whatever the parity.
    #[inline]
    #[must_use]
    pub const fn word(self, word: u16) -> Self {
        Self { words: self.words + word.to_be() as u64, odd: self.odd }
    }

    /// The checksum to write where the field was taken as 0.
    #[inline]
    pub const fn checksum(self) -> u16 {
        u16::from_be(!fold(self.words))
    }

    /// The same for UDP, where 0 means "none" and 0xFFFF stands for it (RFC 768).
    #[inline]
    pub const fn udp_checksum(self) -> u16 {
        match self.checksum() {
            0 => 0xffff,
            other => other,
        }
    }

    /// Whether the sum over data that contains its checksum comes out right.
    #[inline]
    pub const fn is_valid(self) -> bool {
        fold(self.words) == 0xffff
    }
}

/// Whether an IPv4 header without options is right, in fewer steps than a [`Sum`] takes.
#[inline]
pub fn header_is_valid(header: &[u8; 20]) -> bool {
    let word = |at: usize| header[at..].first_chunk().map_or(0, |word| u64::from_ne_bytes(*word));
    let last = u32::from_ne_bytes([header[16], header[17], header[18], header[19]]);
    let (sum, carry) = word(0).overflowing_add(word(8));
    let (sum, carry) = sum.overflowing_add(u64::from(last) + u64::from(carry));
    fold(sum + u64::from(carry)) == 0xffff
}

/// The checksum of one piece.
#[inline]
pub fn checksum(bytes: &[u8]) -> u16 {
    Sum::new().bytes(bytes).checksum()
}

/// The IPv4 pseudo header (RFC 768); `len` is that of transport header and payload.
#[inline]
pub fn pseudo_v4(src: [u8; 4], dst: [u8; 4], protocol: u8, len: u16) -> Sum {
    Sum::new().bytes(&src).bytes(&dst).word(u16::from(protocol)).word(len)
}

/// The IPv6 pseudo header (RFC 8200 8.1); `len` is that of transport header and payload.
#[inline]
pub fn pseudo_v6(src: [u8; 16], dst: [u8; 16], protocol: u8, len: u32) -> Sum {
    let (high, low) = ((len >> 16) as u16, len as u16);
    Sum::new().bytes(&src).bytes(&dst).word(high).word(low).word(u16::from(protocol))
}

/// The checksum after a covered word changed from `old` to `new`: RFC 1624 equation 3, which unlike
/// equation 4 of RFC 1141 never turns 0 into 0xFFFF.
#[inline]
pub const fn update(checksum: u16, old: u16, new: u16) -> u16 {
    let sum = !checksum as u32 + !old as u32 + new as u32;
    !fold32(sum)
}

/// The same for UDP: no checksum (0) stays none, a result of 0 becomes 0xFFFF.
#[inline]
pub const fn update_udp(checksum: u16, old: u16, new: u16) -> u16 {
    match checksum {
        0 => 0,
        _ => match update(checksum, old, new) {
            0 => 0xffff,
            other => other,
        },
    }
}

/// Unfolded sum of words in machine order; a last odd byte is the first of a word.
#[inline]
fn sum(bytes: &[u8]) -> u64 {
    let mut chunks = bytes.chunks_exact(8);
    let mut total = 0;
    for chunk in &mut chunks {
        let Ok(chunk) = chunk.try_into() else { break };
        let words = u64::from_ne_bytes(chunk);
        // Two halves of 32 bits: 2^31 chunks would be needed to overflow.
        total += (words & 0xffff_ffff) + (words >> 32);
    }
    let mut rest = chunks.remainder();
    if let Some((chunk, behind)) = rest.split_first_chunk::<4>() {
        total += u64::from(u32::from_ne_bytes(*chunk));
        rest = behind;
    }
    if let Some((chunk, behind)) = rest.split_first_chunk::<2>() {
        total += u64::from(u16::from_ne_bytes(*chunk));
        rest = behind;
    }
    if let [last] = rest {
        total += u64::from(u16::from_ne_bytes([*last, 0]));
    }
    total
}

/// 64 to 16 bits with end-around carry: the upper half of x + rotated x is their folded sum.
const fn fold(sum: u64) -> u16 {
    fold32((sum.wrapping_add(sum.rotate_left(32)) >> 32) as u32)
}

const fn fold32(sum: u32) -> u16 {
    (sum.wrapping_add(sum.rotate_left(16)) >> 16) as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 1071 4.1 word for word.
    fn naive(bytes: &[u8]) -> u16 {
        let mut sum: u32 = 0;
        for pair in bytes.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
        }
        while sum >> 16 != 0 {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    #[test]
    fn example_of_rfc_1071() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(checksum(&bytes), !0xddf2);
        assert_eq!(checksum(&[]), 0xffff);
    }

    /// RFC 1624 section 4: equation 4 gives 0xFFFF here.
    #[test]
    fn example_of_rfc_1624() {
        assert_eq!(update(0xdd2f, 0x5555, 0x3285), 0x0000);
        assert_eq!(update_udp(0xdd2f, 0x5555, 0x3285), 0xffff);
        assert_eq!(update_udp(0, 1, 2), 0);
    }

    #[test]
    fn all_ones_and_all_zeros() {
        for len in 0..70 {
            assert_eq!(checksum(&vec![0xff; len]), naive(&vec![0xff; len]), "{len}");
            assert_eq!(checksum(&vec![0; len]), 0xffff, "{len}");
        }
        let long = vec![0xff; 1 << 20];
        assert_eq!(checksum(&long), 0);
        assert!(Sum::new().bytes(&long).is_valid());
        assert!(!Sum::new().bytes(&[0; 40]).is_valid());
    }

    #[test]
    fn udp_agrees_with_etherparse_and_never_gives_zero() {
        let (src, dst) = ([192, 0, 2, 1], [198, 51, 100, 7]);
        for n in 0..=u16::MAX {
            let udp = etherparse::UdpHeader {
                source_port: 9,
                destination_port: n,
                length: 12,
                checksum: 0,
            };
            let payload = [1, 2, 3, 4];
            let ours = pseudo_v4(src, dst, 17, 12).bytes(&udp.to_bytes()).bytes(&payload);
            let theirs = udp.calc_checksum_ipv4_raw(src, dst, &payload).unwrap();
            assert_eq!(ours.udp_checksum(), theirs);
            assert_ne!(ours.udp_checksum(), 0);
        }
    }

    proptest! {
        #[test]
        fn pieces_make_the_whole(pieces: Vec<Vec<u8>>) {
            let whole: Vec<u8> = pieces.concat();
            let sum = pieces.iter().fold(Sum::new(), |sum, piece| sum.bytes(piece));
            prop_assert_eq!(sum.checksum(), naive(&whole));
        }

        #[test]
        fn data_with_its_checksum_is_valid_and_changed_data_is_not(
            mut bytes in prop::collection::vec(any::<u8>(), 2..200), at: prop::sample::Index, bit in 0..8u8,
        ) {
            bytes[..2].fill(0);
            let check = checksum(&bytes);
            bytes[..2].copy_from_slice(&check.to_be_bytes());
            prop_assert!(Sum::new().bytes(&bytes).is_valid());
            let at = at.index(bytes.len());
            bytes[at] ^= 1u8 << bit;
            prop_assert!(!Sum::new().bytes(&bytes).is_valid());
        }

        #[test]
        fn update_is_recalculation(
            mut words in prop::collection::vec(any::<u16>(), 1..30), at: prop::sample::Index, new: u16,
        ) {
            // A word that is never 0, as the version in an IP header: the sum is not +0.
            words.push(0x4500);
            let at = at.index(words.len() - 1);
            let bytes = |words: &[u16]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<_>>();
            let before = naive(&bytes(&words));
            let old = std::mem::replace(&mut words[at], new);
            prop_assert_eq!(update(before, old, new), naive(&bytes(&words)));
        }

        #[test]
        fn v6_agrees_with_etherparse(
            src: [u8; 16], dst: [u8; 16], ports: (u16, u16), payload in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let len = 8 + payload.len() as u16;
            let udp = etherparse::UdpHeader { source_port: ports.0, destination_port: ports.1, length: len, checksum: 0 };
            let ours = pseudo_v6(src, dst, 17, len.into()).bytes(&udp.to_bytes()).bytes(&payload);
            prop_assert_eq!(ours.udp_checksum(), udp.calc_checksum_ipv6_raw(src, dst, &payload).unwrap());
        }
    }
}
