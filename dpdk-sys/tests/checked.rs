//! What a checked DPDK (`make test-debug`) must find: each mistake is planted in a process of its
//! own, which must die with a report that names it. Without these checks the file is empty.
#![cfg(dpdk_checked)]
#![allow(unsafe_code)]

use core::hint::black_box;
use core::ptr;
use std::env;
use std::ffi::CString;
use std::process::Command;

use dpdk_sys as sys;

/// The process that makes the mistake is told which by this variable.
const PLANT: &str = "PLANT";
const ROOM: u16 = 2048;

/// Starts this test again, as the process that makes the mistake; `None` in that process.
fn report_of(test: &str) -> Option<String> {
    if env::var_os(PLANT).is_some() {
        return None;
    }
    let mut command = Command::new(env::current_exe().expect("this program"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(PLANT, "1");
    let output = command.output().expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(!output.status.success(), "the mistake went unnoticed:\n{said}");
    Some(said)
}

fn dies_of(test: &str, names: &[&str], mistake: impl FnOnce(*mut sys::rte_mempool)) {
    let Some(said) = report_of(test) else { return mistake(pool()) };
    for name in names {
        assert!(said.contains(name), "no \"{name}\" in:\n{said}");
    }
}

fn pool() -> *mut sys::rte_mempool {
    let args = ["test", "--no-huge", "-m", "64", "--no-pci", "--lcores", "0@(0-1)", "--no-shconf"];
    let args = args.map(|arg| CString::new(arg).expect("no NUL").into_raw());
    let mut argv = args;
    // Nothing is shared (no-shconf), so that several of these run side by side.
    // SAFETY: the strings are NUL-terminated and never freed.
    assert!(unsafe { sys::rte_eal_init(argv.len() as i32, argv.as_mut_ptr()) } >= 0);
    // SAFETY: the EAL runs.
    let pool = unsafe { sys::sys_pktmbuf_pool_create(c"planted".as_ptr(), 63, 0, ROOM, -1, 0) };
    assert!(!pool.is_null());
    pool
}

fn alloc(pool: *mut sys::rte_mempool) -> *mut sys::rte_mbuf {
    // SAFETY: the pool is live.
    let mbuf = unsafe { sys::sys_pktmbuf_alloc(pool) };
    assert!(!mbuf.is_null());
    mbuf
}

fn free(mbuf: *mut sys::rte_mbuf) {
    // SAFETY: none: the mistake under test, or a first free.
    unsafe { sys::sys_pktmbuf_free(mbuf) };
}

fn member<T>(mbuf: *mut sys::rte_mbuf, offset: u32) -> *mut T {
    mbuf.wrapping_byte_add(offset as usize).cast()
}

/// Where the frame of a fresh buffer begins.
fn data(mbuf: *mut sys::rte_mbuf) -> *mut u8 {
    // SAFETY: the mbuf is live when this is called.
    let start = unsafe { member::<*mut u8>(mbuf, sys::MBUF_BUF_ADDR).read() };
    start.wrapping_add(sys::PKTMBUF_HEADROOM as usize)
}

#[test]
fn a_double_free_into_a_pool() {
    dies_of("a_double_free_into_a_pool", &["use-after-poison", "sys_pktmbuf_free"], |pool| {
        let mbuf = alloc(pool);
        free(mbuf);
        free(mbuf);
    });
}

/// Without a look at the mbuf first, as a driver that frees in bulk does.
#[test]
fn a_double_free_that_only_cookies_see() {
    let names = &["MEMPOOL: bad header cookie (put)"];
    dies_of("a_double_free_that_only_cookies_see", names, |pool| {
        let mut mbuf = alloc(pool).cast();
        for _ in 0..2 {
            // SAFETY: none the second time: the mistake under test.
            unsafe { sys::sys_mempool_put(pool, &raw mut mbuf, 1) };
        }
    });
}

#[test]
fn a_write_after_free() {
    dies_of("a_write_after_free", &["use-after-poison", "WRITE of size"], |pool| {
        let mbuf = alloc(pool);
        let data = data(mbuf);
        free(mbuf);
        // SAFETY: none: the mistake under test.
        unsafe { ptr::write_bytes(data, 7, black_box(64)) };
    });
}

#[test]
fn a_read_after_free() {
    dies_of("a_read_after_free", &["use-after-poison", "READ of size"], |pool| {
        let mbuf = alloc(pool);
        let data = data(mbuf);
        free(mbuf);
        let mut copy = [0u8; 64];
        // SAFETY: none: the mistake under test.
        unsafe { ptr::copy_nonoverlapping(data, copy.as_mut_ptr(), black_box(64)) };
        black_box(copy);
    });
}

#[test]
fn a_chain_of_which_a_piece_is_freed() {
    let names = &["use-after-poison", "sys_pktmbuf_free"];
    dies_of("a_chain_of_which_a_piece_is_freed", names, |pool| {
        let (head, tail) = (alloc(pool), alloc(pool));
        // SAFETY: both are live; the members are the header's.
        unsafe { member::<*mut sys::rte_mbuf>(head, sys::MBUF_NEXT).write(tail) };
        // SAFETY: as above.
        unsafe { member::<u16>(head, sys::MBUF_NB_SEGS).write(2) };
        free(tail);
        free(head);
    });
}

/// What `Mbuf::truncate` once did with the rest of a chain.
#[test]
fn a_piece_that_is_no_head_freed_as_one() {
    let names = &["bad nb_segs"];
    dies_of("a_piece_that_is_no_head_freed_as_one", names, |pool| {
        let (piece, last) = (alloc(pool), alloc(pool));
        // SAFETY: both are live; the member is the header's.
        unsafe { member::<*mut sys::rte_mbuf>(piece, sys::MBUF_NEXT).write(last) };
        free(piece);
    });
}

#[test]
fn a_write_behind_a_buffer() {
    let names = &["MEMPOOL: bad trailer cookie"];
    dies_of("a_write_behind_a_buffer", names, |pool| {
        let mbuf = alloc(pool);
        // SAFETY: none: 8 bytes more than the buffer has.
        unsafe { ptr::write_bytes(data(mbuf), 7, black_box(usize::from(ROOM) + 8)) };
        free(mbuf);
    });
}

#[test]
fn memory_that_nobody_frees() {
    dies_of("memory_that_nobody_frees", &["LeakSanitizer: detected memory leaks"], |_| {
        let lost = vec![7u8; 4242].leak().as_mut_ptr();
        black_box(lost.wrapping_add(1) as usize);
    });
}
