//! A capture over the control socket: a line of JSON there, a line back, then what
//! [`crate::capture`] streams until one of both sides ends it.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::AskError;
use super::deadline::{Deadline, Stream};
use super::observe::Operate;
use super::protocol::{ANSWER_BYTES, Answer, Request, line};
use crate::capture::Item;

/// How long a reader may take nothing before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the reader hears something, frames or none.
const HEARTBEAT: Duration = Duration::from_millis(200);
/// Pause when there is nothing to send.
const PAUSE: Duration = Duration::from_millis(5);
/// Bytes sent at once, about.
const CHUNK: usize = 256 << 10;
/// No item is longer.
const ITEM_BYTES: usize = 1 << 20;

/// What to capture.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptureRequest {
    /// A port's name.
    pub port: String,
    /// Also what was dropped there.
    pub drops: bool,
}

/// A running capture; dropping it ends it.
pub trait Capturing: Send {
    /// Appends the oldest frame not yet taken as an [`Item`]; `false` if there is none.
    fn drain(&mut self, out: &mut Vec<u8>) -> bool;
    /// Frames lost so far, because nobody took them in time.
    fn lost(&self) -> u64;
}

/// The gateway's side: until the reader is gone, or too slow, or the gateway ends.
pub(super) fn serve<S: Stream>(
    stream: &mut Deadline<'_, S>,
    gateway: &dyn Operate,
    request: &CaptureRequest,
) {
    let mut capture = match gateway.capture(request) {
        Ok(capture) => capture,
        Err(why) => return drop(stream.write_all(&line(&Answer::Error(why)))),
    };
    let begun = line(&Answer::Ok(Value::Null));
    let mut sent = stream.write_all(&begun);
    let (mut out, mut last_heard) = (Vec::with_capacity(2 * CHUNK), Instant::now());
    while sent.is_ok() {
        out.clear();
        while out.len() < CHUNK && capture.drain(&mut out) {}
        if out.is_empty() && last_heard.elapsed() < HEARTBEAT {
            thread::sleep(PAUSE);
            if stream.is_stopped() {
                break;
            }
            continue;
        }
        Item::encode_lost(capture.lost(), &mut out);
        stream.extend(PATIENCE);
        sent = stream.write_all(&out);
        last_heard = Instant::now();
    }
}

/// The reader's side of a capture.
pub struct CaptureReader<'a> {
    stream: Deadline<'a, UnixStream>,
    bytes: Vec<u8>,
    start: usize,
}

impl<'a> CaptureReader<'a> {
    /// Begins a capture at the gateway behind `socket`; ends soon after `stop` is set.
    ///
    /// # Errors
    /// Nobody answers, or the gateway refuses.
    pub fn begin(
        socket: &Path,
        request: &CaptureRequest,
        stop: &'a AtomicBool,
    ) -> Result<Self, AskError> {
        let stream = UnixStream::connect(socket)
            .map_err(|error| AskError::NotRunning { socket: socket.to_owned(), error })?;
        let broken = |error| AskError::Broken { socket: socket.to_owned(), error };
        let mut stream = Deadline::new(stream, PATIENCE, stop);
        stream.write_all(&line(&Request::Capture(request.clone()))).map_err(broken)?;
        let mut reader = Self { stream, bytes: Vec::new(), start: 0 };
        let answer = reader.line().map_err(broken)?;
        match serde_json::from_slice(&answer) {
            Ok(Answer::Ok(_)) => Ok(reader),
            Ok(Answer::Error(why)) => Err(AskError::Refused(why)),
            Err(error) => Err(broken(error.into())),
        }
    }

    /// The next item; `None` when the gateway has ended.
    ///
    /// # Errors
    /// `TimedOut` soon after a stop, or if nothing is heard for a minute.
    pub fn next_item(&mut self) -> io::Result<Option<Item<'_>>> {
        loop {
            let len = Item::len_of(&self.bytes[self.start..]);
            if len.is_some_and(|len| len > ITEM_BYTES) {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let have = self.bytes.len() - self.start;
            if len.is_some_and(|len| have >= len) {
                break;
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
        let begin = self.start;
        let Some((item, used)) = Item::decode(&self.bytes[begin..]) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        self.start += used;
        Ok(Some(item))
    }

    /// Whether there is a whole item that needs no waiting.
    pub fn has_item(&self) -> bool {
        let rest = &self.bytes[self.start..];
        Item::len_of(rest).is_some_and(|len| rest.len() >= len)
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.bytes.iter().position(|&byte| byte == b'\n') {
                let line = self.bytes[..end].to_vec();
                self.start = end + 1;
                return Ok(line);
            }
            if self.bytes.len() > ANSWER_BYTES || !self.fill()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Reads more; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.stream.extend(PATIENCE);
        let mut chunk = [0; 65536];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(count) => {
                    self.bytes.extend_from_slice(&chunk[..count]);
                    return Ok(count > 0);
                }
                // The signal that stops it sets `stop` a moment later, on another thread.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
