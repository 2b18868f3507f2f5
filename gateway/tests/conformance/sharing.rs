//! Who holds what, and whose bytes change when somebody writes.

use gateway::packet::{BufPool, PacketBuf, SharedBuf, TxBuf};

use crate::bounds::chain_of;
use crate::{Make, is_full, taken};

fn bytes(shared: &impl SharedBuf) -> Vec<u8> {
    shared.pieces().flatten().copied().collect()
}

pub(crate) fn clones_take_no_buffer_and_the_last_frees<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    let shared = chain_of::<B>(&pool, &[b"head", b"tail"]).share();
    let clones: Vec<_> = (0..200).map(|_| shared.clone()).collect();
    assert_eq!(taken(&pool), 2);
    drop(shared);
    for clone in clones {
        assert_eq!(taken(&pool), 2);
        assert_eq!((clone.frame_len(), clone.piece_count(), clone.head()), (8, 2, &b"head"[..]));
        assert_eq!(bytes(&clone), b"headtail");
    }
    assert!(is_full(&pool));
}

pub(crate) fn a_private_header_is_private<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    let shared = pool.alloc_from(b"headerpayload").expect("a buffer").share();
    for (len, pieces) in [(0, 2), (6, 2), (12, 2), (13, 1)] {
        let mut replica = shared.with_private_header(len, &pool).expect("a replica");
        assert_eq!((replica.piece_count(), taken(&pool)), (pieces, 1 + pieces), "{len}");
        assert_eq!((replica.head().len(), replica.frame_len()), (len, 13));
        assert_eq!(replica.to_vec(), b"headerpayload");
        replica.head_mut().fill(b'#');
        replica.prepend(4).expect("headroom").copy_from_slice(b"tag:");
        assert!(replica.to_vec().starts_with(b"tag:"));
        assert_eq!(replica.to_vec()[4 + len..], b"headerpayload"[len..]);
        replica.truncate(7);
        assert_eq!(bytes(&shared), b"headerpayload");
    }
    assert!(shared.with_private_header(14, &pool).is_none(), "the head is shorter");
    assert_eq!(taken(&pool), 1);
}

pub(crate) fn a_private_header_of_a_chain<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    let shared = chain_of::<B>(&pool, &[b"head", b"middle", b"tail"]).share();
    let mut replica = shared.with_private_header(4, &pool).expect("a replica");
    assert_eq!((replica.piece_count(), taken(&pool)), (3, 3 + 3), "the whole head was copied");
    replica.head_mut().copy_from_slice(b"HEAD");
    replica.truncate(6);
    assert_eq!((replica.piece_count(), taken(&pool)), (2, 3 + 2));
    assert_eq!(
        (replica.to_vec(), bytes(&shared)),
        (b"HEADmi".to_vec(), b"headmiddletail".to_vec())
    );
    assert!(shared.with_private_header(5, &pool).is_none(), "the head piece is shorter");
    drop((shared, replica));
    assert!(is_full(&pool));
}

pub(crate) fn a_piece_shown_by_others_is_not_detached<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    let shared = chain_of::<B>(&pool, &[b"header", b"payload"]).share();
    let mut replica = shared.with_private_header(3, &pool).expect("buffers");
    drop(shared);
    // whoever else shows the bytes may be gone: they are still not the replica's own buffer
    assert!(replica.detach().is_none());
    assert_eq!((replica.to_vec(), replica.piece_count()), (b"headerpayload".to_vec(), 3));
    // behind a border of its own making there is nothing to refuse
    let mut longer = pool.alloc_from(b"own").expect("a buffer");
    longer.chain(pool.alloc_from(b"own too").expect("a buffer"));
    longer.chain(replica);
    let rest = longer.detach().expect("its own buffer");
    assert_eq!(rest.to_vec(), b"own tooheaderpayload");
    drop((longer, rest));
    assert!(is_full(&pool));
}

pub(crate) fn a_replica_of_a_replica<B: PacketBuf>(make: Make<B>) {
    let (pool, other) = (make(64, 2048), make(64, 2048));
    let first = pool.alloc_from(b"headerpayload").expect("a buffer").share();
    let second = first.with_private_header(6, &other).expect("a replica").share();
    let mut third = second.with_private_header(2, &other).expect("a replica");
    third.head_mut().copy_from_slice(b"HE");
    drop(second);
    assert_eq!(taken(&other), 3 + 1, "third's, and the head that it shows the rest of");
    drop(first);
    assert_eq!(taken(&pool), 1, "the payload is still shown");
    assert_eq!(third.to_vec(), b"HEaderpayload");
    drop(third);
    assert!(is_full(&pool) && is_full(&other));
}

pub(crate) fn a_replica_is_shared<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    let original = chain_of::<B>(&pool, &[b"header", b"payload"]).share();
    let mut replica = original.with_private_header(3, &pool).expect("a replica");
    replica.head_mut().copy_from_slice(b"HEA");
    let own = taken(&pool) - 2;
    let shared = replica.share();
    let clones = [shared.clone(), shared.clone()];
    drop((shared, original));
    assert_eq!(taken(&pool), own + 2, "clones take no buffer, and the payload is still shown");
    let [one, other] = clones;
    let Err(one) = one.try_unshare() else { panic!("another holds it") };
    let sent = other.into_tx();
    assert_eq!((sent.frame_len(), bytes(&one)), (13, b"HEAderpayload".to_vec()));
    drop(one);
    assert_eq!(bytes(&sent.arrive()), b"HEAderpayload");
    assert!(is_full(&pool));
}

/// A holder that shows its bytes once and lets go of them.
type LookAndDrop<'a> = Box<dyn FnOnce() -> Vec<u8> + 'a>;

pub(crate) fn holders_may_go_in_any_order<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
        let shared = chain_of::<B>(&pool, &[b"header", b"payload"]).share();
        let replica = shared.with_private_header(3, &pool).expect("a replica");
        let copy = shared.copy(&pool).expect("a copy");
        let mut holders: Vec<Option<LookAndDrop<'_>>> = vec![
            Some(Box::new({
                let clone = shared.clone();
                move || bytes(&clone)
            })),
            Some(Box::new(move || replica.to_vec())),
            Some(Box::new(move || copy.to_vec())),
            Some(Box::new(move || bytes(&shared))),
        ];
        for holder in order {
            let look_and_drop = holders[holder].take().expect("once each");
            assert_eq!(look_and_drop(), b"headerpayload", "{order:?}");
        }
        assert!(is_full(&pool), "{order:?}");
    }
}

pub(crate) fn a_pool_that_runs_dry_leaves_nothing_half_built<B: PacketBuf>(make: Make<B>) {
    let (source, pool) = (make(64, 2048), make(64, 2048));
    let shared = chain_of::<B>(&source, &[b"header", b"one", b"two"]).share();
    let mut hoard: Vec<_> = std::iter::from_fn(|| pool.alloc()).collect();
    for free in 0..4 {
        assert_eq!(pool.available(), free);
        assert!(shared.with_private_header(2, &pool).is_none(), "it takes four");
        assert_eq!(shared.copy(&pool).is_some(), free > 0);
        assert_eq!(pool.available(), free, "what was built is back");
        hoard.pop();
    }
    assert!(shared.with_private_header(2, &pool).is_some());
    drop(hoard);
    assert!(shared.try_unshare().is_ok(), "failed replicas let go of it");
    assert!(is_full(&source) && is_full(&pool));
}

pub(crate) fn a_copy_is_whole<B: PacketBuf>(make: Make<B>) {
    let (pool, small) = (make(64, 2048), make(64, 256));
    let shared = chain_of::<B>(&pool, &[&[1; 200], &[2; 50], &[3; 6]]).share();
    let mut copy = shared.copy(&small).expect("256 bytes fit");
    assert_eq!((copy.piece_count(), taken(&small)), (1, 1));
    assert_eq!(copy.to_vec(), bytes(&shared));
    copy.head_mut().fill(9);
    assert_eq!(bytes(&shared), [vec![1; 200], vec![2; 50], vec![3; 6]].concat());
    let large = pool.alloc_from(&[0; 257]).expect("a buffer").share();
    assert!(large.copy(&small).is_none(), "257 bytes do not");
    assert_eq!(taken(&small), 1);
}

pub(crate) fn unsharing_takes_the_last_holder<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    let packet = chain_of::<B>(&pool, &[b"header", b"payload"]);
    let shared = packet.share().try_unshare().ok().expect("nobody else holds it").share();

    let clone = shared.clone();
    let shared = shared.try_unshare().err().expect("a clone holds it");
    drop(clone);
    let replica = shared.with_private_header(6, &pool).expect("a replica");
    let shared = shared.try_unshare().err().expect("the replica holds its payload");
    let replica = replica.share().try_unshare().ok().expect("nobody holds the replica's pieces");
    drop(replica);
    let tx = shared.clone().into_tx();
    let shared = shared.try_unshare().err().expect("the transmit queue holds it");
    drop(tx);

    let mut packet = shared.try_unshare().ok().expect("they are gone");
    packet.head_mut().copy_from_slice(b"HEADER");
    assert_eq!(packet.to_vec(), b"HEADERpayload");
    drop(packet);
    assert!(is_full(&pool));
}

pub(crate) fn what_is_sent_is_not_forgotten<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    let owned = chain_of::<B>(&pool, &[b"header", b"payload"]).into_tx();
    assert_eq!((owned.frame_len(), owned.piece_count(), taken(&pool)), (13, 2, 2));
    drop(owned);
    assert!(is_full(&pool), "not sent, not lost");
    let shared = chain_of::<B>(&pool, &[b"header", b"payload"]).share();
    let tx = shared.clone().into_tx();
    drop(shared);
    assert_eq!((tx.frame_len(), tx.piece_count(), taken(&pool)), (13, 2, 2));
    drop(tx);
    assert!(is_full(&pool));
}

/// For captures: from one piece or many, owned or shared, whole or cut.
pub(crate) fn what_is_sent_can_be_copied<B: PacketBuf>(make: Make<B>) {
    let pool = make(64, 2048);
    let owned = chain_of::<B>(&pool, &[b"head", b"tail"]).into_tx();
    let shared = chain_of::<B>(&pool, &[b"head", b"tail"]).share();
    for sent in [owned, shared.clone().into_tx()] {
        let mut out = [0; 12];
        assert_eq!(sent.copy_into(&mut out), 8);
        assert_eq!(&out, b"headtail\0\0\0\0");
        assert_eq!(sent.copy_into(&mut out[..5]), 5);
        assert_eq!(sent.copy_into(&mut []), 0);
        assert_eq!(sent.frame_len(), 8);
    }
    drop(shared);
    assert!(is_full(&pool));
}
