//! IPv4 fragments, put together again by etherparse.

use etherparse::defrag::IpDefragPool;
use etherparse::{EtherType, Ethernet2Header, IpNumber, Ipv4Header, SlicedPacket};
use gateway::gso::{FragmentError, fragment};
use gateway::packet::{BufPool, PacketBuf};
use gateway::sim::HeapBuf;
use proptest::prelude::*;

use crate::setup::{info, packet, pool};

const FRAGMENTS: usize = 1500;

/// An IPv4 frame with `options` of no meaning, a multiple of four bytes.
fn frame(payload: &[u8], options: &[u8], edit: impl FnOnce(&mut Ipv4Header)) -> Vec<u8> {
    let mut ip = Ipv4Header::new(0, 9, IpNumber::UDP, [10, 0, 0, 1], [10, 0, 0, 2]).unwrap();
    ip.options = options.try_into().unwrap();
    ip.dont_fragment = false;
    ip.identification = 77;
    ip.set_payload_len(payload.len()).unwrap();
    edit(&mut ip);
    ip.header_checksum = ip.calc_header_checksum();
    let ethernet =
        Ethernet2Header { source: [2; 6], destination: [4; 6], ether_type: EtherType::IPV4 };
    [&ethernet.to_bytes()[..], &ip.to_bytes(), payload].concat()
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31) as u8).collect()
}

fn ip_header(frame: &[u8]) -> Ipv4Header {
    Ipv4Header::from_slice(&frame[14..]).unwrap().0
}

/// What `etherparse` makes of the fragments, in the given order.
fn reassembled<'a>(frames: impl Iterator<Item = &'a Vec<u8>>) -> Option<Vec<u8>> {
    let mut defrag = IpDefragPool::<(), ()>::new();
    let mut whole = None;
    for frame in frames {
        let sliced = SlicedPacket::from_ethernet(frame).unwrap();
        whole = whole.or(defrag.process_sliced_packet(&sliced, (), ()).unwrap());
    }
    whole.map(|whole| whole.payload)
}

fn fragments(frame: &[u8], ip_mtu: usize) -> Result<Vec<Vec<u8>>, FragmentError> {
    let pool = pool();
    let packet = packet(&pool, frame);
    let mut out: Vec<HeapBuf> = Vec::with_capacity(FRAGMENTS);
    fragment(&packet, &info(&packet), ip_mtu, &pool, &mut out)?;
    assert_eq!(pool.available() + out.len() + 1, pool.capacity());
    Ok(out.iter().map(PacketBuf::to_vec).collect())
}

proptest! {
    #[test]
    fn fragments_fit_the_link_and_are_the_datagram(
        len in 0..9000usize, ip_mtu in 68..2000usize, words in 0..10usize, reversed: bool,
    ) {
        let payload = bytes(len);
        let frame = frame(&payload, &vec![1; 4 * words], |_| {});
        let fragments = fragments(&frame, ip_mtu).unwrap();
        for fragment in &fragments {
            prop_assert!(fragment.len() - 14 <= ip_mtu);
            let ip = ip_header(fragment);
            prop_assert_eq!(usize::from(ip.total_len) + 14, fragment.len());
            prop_assert_eq!(ip.header_checksum, ip.calc_header_checksum());
            prop_assert_eq!((ip.identification, ip.time_to_live), (77, 9));
            prop_assert_eq!(&fragment[..14], &frame[..14]);
        }
        // RFC 791 3.2: cut off a multiple of 8 while the rest does not fit.
        let fits = ip_mtu - (20 + 4 * words);
        let (mut rest, mut count) = (len, 1);
        while rest > fits {
            (rest, count) = (rest - fits / 8 * 8, count + 1);
        }
        prop_assert_eq!(fragments.len(), count);
        if fragments.len() > 1 {
            let in_order = reassembled(fragments.iter());
            let backwards = reassembled(fragments.iter().rev());
            prop_assert_eq!(if reversed { backwards } else { in_order }, Some(payload));
        } else {
            prop_assert_eq!(&fragments[0], &frame);
        }
    }

    #[test]
    fn a_fragment_of_a_fragment_is_in_its_place(
        len in 9..4000usize, first_mtu in 300..1000usize, second_mtu in 68..299usize,
    ) {
        let payload = bytes(len);
        let first = fragments(&frame(&payload, &[], |_| {}), first_mtu).unwrap();
        let second: Vec<Vec<u8>> =
            first.iter().flat_map(|frame| fragments(frame, second_mtu).unwrap()).collect();
        if second.len() > 1 {
            prop_assert_eq!(reassembled(second.iter()), Some(payload));
        }
    }
}

#[test]
fn only_options_with_the_copied_flag_are_repeated() {
    let stream_id = [0x88, 4, 1, 2]; // copied
    let timestamp = [0x44, 4, 5, 0]; // not copied
    let options = [timestamp, stream_id, [1, 1, 1, 0]].concat();
    let fragments = fragments(&frame(&bytes(100), &options, |_| {}), 80).unwrap();
    assert_eq!(ip_header(&fragments[0]).options.as_slice(), options);
    for later in &fragments[1..] {
        let kept = [[1; 4], stream_id, [1, 1, 1, 0]].concat();
        assert_eq!(ip_header(later).options.as_slice(), kept);
    }
    // an option longer than the header: left as it is
    let broken = [0x44, 40, 0, 0];
    let fragments = self::fragments(&frame(&bytes(100), &broken, |_| {}), 80).unwrap();
    assert!(fragments.iter().all(|f| ip_header(f).options.as_slice() == broken));
}

#[test]
fn what_may_not_be_fragmented_is_refused() {
    use FragmentError as E;
    let long = bytes(3000);
    assert_eq!(
        fragments(&frame(&long, &[], |ip| ip.dont_fragment = true), 576),
        Err(E::DontFragment)
    );
    assert_eq!(fragments(&frame(&long, &[1; 40], |_| {}), 67), Err(E::TooMany));
    assert_eq!(fragments(&frame(&bytes(9000), &[1; 40], |_| {}), 68).map(|f| f.len()), Ok(1125));
    let last = |ip: &mut Ipv4Header| ip.fragment_offset = 8000u16.try_into().unwrap();
    assert_eq!(fragments(&frame(&long, &[], last), 576), Err(E::BeyondDatagram));
    let mut arp = frame(&long, &[], |_| {});
    arp[12..14].copy_from_slice(&[0x08, 0x06]);
    assert_eq!(fragments(&arp, 576), Err(E::NotIpv4));
}

#[test]
fn all_or_nothing_when_the_pool_or_the_room_is_short() {
    let pool = pool();
    let packet = packet(&pool, &frame(&bytes(3000), &[], |_| {}));
    let info = info(&packet);
    for after in 0..6 {
        let mut out = Vec::with_capacity(6);
        pool.fail_after(after);
        assert_eq!(fragment(&packet, &info, 576, &pool, &mut out), Err(FragmentError::NoBuffer));
        assert!(out.is_empty());
        assert_eq!(pool.available(), pool.capacity() - 1);
    }
    let mut out = Vec::with_capacity(5);
    assert_eq!(fragment(&packet, &info, 576, &pool, &mut out), Err(FragmentError::TooMany));
}

#[test]
fn padding_is_left_out() {
    let mut padded = frame(&bytes(100), &[], |_| {});
    padded.extend([0xaa; 9]);
    let fragments = fragments(&padded, 68).unwrap();
    assert_eq!(reassembled(fragments.iter()), Some(bytes(100)));
}
