//! DPDK's log: silent while the gateway runs, and part of the error where something failed.
//!
//! The log is one per process, and so are the lists of devices: what changes either holds a
//! [`Capture`], of which there is one at a time.
#![allow(clippy::disallowed_methods)] // a lock, around start and stop of ports only

use core::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dpdk_sys as sys;

/// While it lives, DPDK logs into memory, and no other thread starts or stops a device.
pub(super) struct Capture {
    _alone: MutexGuard<'static, ()>,
    stream: *mut libc::FILE,
    /// Boxed: the C library writes through their addresses.
    text: Box<Text>,
}

struct Text {
    start: *mut libc::c_char,
    len: libc::size_t,
}

/// Lines of DPDK that say the same as the error they stand in, or nothing.
const NOISE: &[&str] = &["EAL: FATAL", "telemetry", "VFIO support", "Probing PCI driver"];

impl Capture {
    /// Redirects the log; without memory for that, DPDK logs where it did.
    pub(super) fn start() -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = Box::new(Text { start: ptr::null_mut(), len: 0 });
        // SAFETY: both addresses are valid until the stream is closed in `drop`: they are boxed.
        let stream = unsafe { libc::open_memstream(&raw mut text.start, &raw mut text.len) };
        // SAFETY: a null stream is DPDK's default; another stays open until `drop` takes it back.
        unsafe { sys::rte_openlog_stream(stream.cast()) };
        Self { _alone: alone, stream, text }
    }

    /// What was logged so far, in one line.
    pub(super) fn lines(&mut self) -> String {
        if self.stream.is_null() {
            return String::new();
        }
        // SAFETY: the stream is open.
        unsafe { libc::fflush(self.stream) };
        if self.text.start.is_null() {
            return String::new();
        }
        // SAFETY: after fflush, open_memstream(3) has `len` bytes at `start`, until the next write.
        let bytes = unsafe { core::slice::from_raw_parts(self.text.start.cast(), self.text.len) };
        one_line(&String::from_utf8_lossy(bytes))
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // SAFETY: null is DPDK's default stream.
        unsafe { sys::rte_openlog_stream(ptr::null_mut()) };
        if !self.stream.is_null() {
            // SAFETY: opened in `start`, closed once, and DPDK has let go of it.
            unsafe { libc::fclose(self.stream) };
        }
        // SAFETY: open_memstream(3): the buffer is the caller's to free after fclose; or null.
        unsafe { libc::free(self.text.start.cast()) };
    }
}

/// From now on DPDK logs errors only.
pub(super) fn errors_only() {
    // SAFETY: sets an integer.
    unsafe { sys::rte_log_set_global_level(sys::RTE_LOG_ERR) };
}

fn one_line(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim) {
        if !line.is_empty() && !NOISE.iter().any(|n| line.contains(n)) && !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.join("; ")
}
