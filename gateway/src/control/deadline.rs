use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A connection whose every wait can be bounded.
pub(super) trait Stream: Read + Write {
    /// Bounds each single wait.
    fn limit(&self, wait: Duration) -> io::Result<()>;
}

impl Stream for UnixStream {
    fn limit(&self, wait: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(wait))?;
        self.set_write_timeout(Some(wait))
    }
}

impl Stream for TcpStream {
    fn limit(&self, wait: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(wait))?;
        self.set_write_timeout(Some(wait))
    }
}

/// A connection that ends at a time, however slowly the other side sends or reads, or soon after
/// `stop` is set.
pub(super) struct Deadline<'a, S> {
    stream: S,
    end: Instant,
    stop: &'a AtomicBool,
}

/// The longest wait before `stop` is looked at again.
const SLICE: Duration = Duration::from_millis(100);

impl<'a, S: Stream> Deadline<'a, S> {
    pub(super) fn new(stream: S, time: Duration, stop: &'a AtomicBool) -> Self {
        Self { stream, end: Instant::now() + time, stop }
    }

    /// Gives it this much more time from now on.
    pub(super) fn extend(&mut self, time: Duration) {
        self.end = Instant::now() + time;
    }

    /// Whether it is to end now.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Tries in slices until it works or the time is over.
    fn bounded<T>(&mut self, mut step: impl FnMut(&mut S) -> io::Result<T>) -> io::Result<T> {
        loop {
            let left = self.end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stop.load(Ordering::Acquire) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.stream.limit(left.min(SLICE))?;
            match step(&mut self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
        }
    }
}

impl<S: Stream> Read for Deadline<'_, S> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.bounded(|stream| stream.read(bytes))
    }
}

impl<S: Stream> Write for Deadline<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bounded(|stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Reads until `done` says so, the other side ends, or `limit` bytes have come.
///
/// # Errors
/// `FileTooLarge` beyond the limit; a wait that was too long.
pub(super) fn read_until(
    stream: &mut impl Read,
    limit: usize,
    done: impl Fn(&[u8]) -> bool,
) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16384];
    while !done(&bytes) {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if bytes.len() > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    }
    Ok(bytes)
}
