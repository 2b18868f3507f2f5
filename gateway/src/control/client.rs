use std::fmt;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::Value;

use super::deadline::{Deadline, read_until};
use super::observe::Topic;
use super::protocol::{ANSWER_BYTES, Answer, Request, has_line, line};
use super::report::ReloadReport;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// A client is not stopped.
static NEVER: AtomicBool = AtomicBool::new(false);

/// Why there is no answer.
#[derive(Debug)]
pub enum AskError {
    /// Nobody listens there.
    NotRunning {
        /// Where.
        socket: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Somebody listens, but the conversation failed.
    Broken {
        /// Where.
        socket: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The gateway refused to answer, and says why.
    Refused(String),
}

/// Asks the gateway behind `socket`.
///
/// # Errors
/// Nobody answers, or not in time, or not with a report.
pub fn ask(socket: &Path, topic: Topic) -> Result<Value, AskError> {
    exchange(socket, &Request::Show(topic.to_string()))
}

/// Makes the gateway behind `socket` read its file again.
///
/// # Errors
/// As [`ask`]; that the file was refused is in the report.
pub fn reload(socket: &Path) -> Result<ReloadReport, AskError> {
    let report = exchange(socket, &Request::Reload)?;
    serde_json::from_value(report)
        .map_err(|error| AskError::Broken { socket: socket.to_owned(), error: error.into() })
}

fn exchange(socket: &Path, request: &Request) -> Result<Value, AskError> {
    let stream = UnixStream::connect(socket)
        .map_err(|error| AskError::NotRunning { socket: socket.to_owned(), error })?;
    let broken = |error| AskError::Broken { socket: socket.to_owned(), error };
    let mut stream = Deadline::new(stream, PATIENCE, &NEVER);
    stream.write_all(&line(request)).map_err(broken)?;
    let bytes = read_until(&mut stream, ANSWER_BYTES, has_line).map_err(broken)?;
    match serde_json::from_slice(&bytes) {
        Ok(Answer::Ok(report)) => Ok(report),
        Ok(Answer::Error(why)) => Err(AskError::Refused(why)),
        Err(error) => Err(broken(error.into())),
    }
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning { socket, error } => {
                let socket = socket.display();
                let hint = match error.kind() {
                    io::ErrorKind::PermissionDenied => "only its user may ask: try sudo",
                    io::ErrorKind::ConnectionRefused => "it has ended without removing its socket",
                    _ => {
                        "start one with gateway run -c FILE, or name its socket with --socket or -c"
                    }
                };
                write!(f, "no gateway answers at {socket}: {error}\nhint: {hint}")
            }
            Self::Broken { socket, error } => {
                write!(f, "the gateway at {} did not answer: {error}", socket.display())
            }
            Self::Refused(why) => write!(f, "the gateway answered: {why}"),
        }
    }
}

impl std::error::Error for AskError {}
