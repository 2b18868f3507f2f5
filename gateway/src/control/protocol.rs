//! One line of JSON there, one back: `{"show":"ports"}` is answered by `{"ok":[…]}`, `"reload"` by
//! what became of it, `{"capture":{…}}` by `{"ok":null}` and the capture, what cannot be answered by `{"error":"why"}`. Then the connection ends.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::capture::CaptureRequest;
use super::observe::{Operate, Topic, json};

/// A request is no longer.
pub(super) const REQUEST_BYTES: usize = 4096;
/// An answer is no longer: a full FDB of a million addresses fits.
pub(super) const ANSWER_BYTES: usize = 256 << 20;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request {
    /// A topic.
    Show(String),
    /// Reads the file again.
    Reload,
    /// Streams a capture behind the answer.
    Capture(CaptureRequest),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// The report.
    Ok(Value),
    /// Why there is none.
    Error(String),
}

impl Answer {
    /// Answers one line.
    pub(super) fn to(request: Request, gateway: &dyn Operate) -> Self {
        let wanted = match request {
            Request::Show(wanted) => wanted,
            Request::Reload => return Self::Ok(json(gateway.reload())),
            Request::Capture(_) => return Self::Error("a capture is no report".to_owned()),
        };
        match wanted.parse::<Topic>() {
            Ok(topic) => Self::Ok(topic.report(gateway)),
            Err(()) => {
                let all: Vec<_> = Topic::ALL.iter().map(|topic| topic.name()).collect();
                Self::Error(format!("nothing is known of `{wanted}`: {}", all.join(", ")))
            }
        }
    }
}

/// One line of JSON.
pub(super) fn line(message: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(message).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Whether the line is complete; nothing comes behind it.
pub(super) fn has_line(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\n")
}
