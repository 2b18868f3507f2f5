use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::SockRef;

use super::deadline::{Deadline, Stream};

/// How long one connection may last.
const CONNECTION_TIME: Duration = Duration::from_secs(5);
/// Pause after a failed accept: out of descriptors, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A fixed number of threads that accept connections and serve each to its end. Dropping it stops
/// them and cuts the connections they serve.
pub(super) struct Acceptors {
    shared: Arc<dyn Closable>,
    threads: Vec<JoinHandle<()>>,
}

/// Something that hands out connections.
pub(super) trait Listener: AsFd + Send + Sync + 'static {
    type Stream: Stream;

    fn next(&self) -> io::Result<Self::Stream>;
}

struct Shared<L> {
    listener: L,
    /// acceptors: r, owner: w
    stopping: AtomicBool,
}

trait Closable: Send + Sync {
    fn close(&self);
}

impl Acceptors {
    pub(super) fn start<L: Listener>(
        name: &str,
        count: usize,
        listener: L,
        serve: impl Fn(&mut Deadline<'_, L::Stream>) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared { listener, stopping: AtomicBool::new(false) });
        let serve = Arc::new(serve);
        let mut acceptors = Self { shared: shared.clone(), threads: Vec::new() };
        for _ in 0..count {
            let (shared, serve) = (shared.clone(), serve.clone());
            let thread = thread::Builder::new().name(name.to_owned());
            acceptors.threads.push(thread.spawn(move || shared.run(serve.as_ref()))?);
        }
        Ok(acceptors)
    }
}

impl Drop for Acceptors {
    fn drop(&mut self) {
        self.shared.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so itself.
            let _ = thread.join();
        }
    }
}

impl<L: Listener> Shared<L> {
    fn run(&self, serve: &impl Fn(&mut Deadline<'_, L::Stream>)) {
        while !self.stopping.load(Ordering::Acquire) {
            match self.listener.next() {
                Ok(stream) => serve(&mut Deadline::new(stream, CONNECTION_TIME, &self.stopping)),
                Err(_) if self.stopping.load(Ordering::Acquire) => return,
                Err(_) => thread::sleep(ACCEPT_PAUSE),
            }
        }
    }
}

impl<L: Listener> Closable for Shared<L> {
    /// On Linux, shutting down a listening socket makes every accept(2) on it return EINVAL.
    fn close(&self) {
        self.stopping.store(true, Ordering::Release);
        let _ = SockRef::from(&self.listener).shutdown(Shutdown::Both);
    }
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    fn next(&self) -> io::Result<UnixStream> {
        self.accept().map(|(stream, _)| stream)
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    fn next(&self) -> io::Result<TcpStream> {
        self.accept().map(|(stream, _)| stream)
    }
}
