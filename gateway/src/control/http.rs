use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use super::acceptors::Acceptors;
use super::deadline::{Deadline, Stream, read_until};
use super::metrics::Metrics;
use super::observe::{Observe, Topic};
use super::report::Health;

/// Connections served at once.
const THREADS: usize = 8;
/// A request head is no longer.
const HEAD_BYTES: usize = 8192;
/// Header lines of a request.
const HEADERS: usize = 64;
const PAGE: &str = include_str!("page.html");
const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
/// OpenMetrics 1.0, "Overall structure".
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Metrics, health and the status page of a running gateway, read-only over HTTP/1.1. One request
/// per connection.
pub struct HttpServer {
    address: SocketAddr,
    _acceptors: Acceptors,
}

impl HttpServer {
    /// Listens at `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// Names the address.
    pub fn serve(address: SocketAddr, observe: Arc<dyn Observe>) -> io::Result<Self> {
        let explain = |error: io::Error| {
            let text = format!("[control] metrics = \"{address}\": {error}");
            io::Error::new(error.kind(), text)
        };
        let listener = TcpListener::bind(address).map_err(explain)?;
        let bound = listener.local_addr().map_err(explain)?;
        let metrics = Metrics::new(observe.clone());
        let serve = move |stream: &mut Deadline<'_, TcpStream>| {
            answer(stream, &metrics, observe.as_ref());
        };
        let acceptors = Acceptors::start("http", THREADS, listener, serve).map_err(explain)?;
        Ok(Self { address: bound, _acceptors: acceptors })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

struct Response {
    status: &'static str,
    kind: &'static str,
    body: String,
}

impl Response {
    fn ok(kind: &'static str, body: String) -> Self {
        Self { status: "200 OK", kind, body }
    }

    fn refuse(status: &'static str, why: &str) -> Self {
        Self { status, kind: TEXT, body: format!("{why}\n") }
    }

    /// The whole answer; without its body for HEAD (RFC 9110 9.3.2).
    fn bytes(&self, with_body: bool) -> Vec<u8> {
        let mut text = String::new();
        let (status, kind, length) = (self.status, self.kind, self.body.len());
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
             Connection: close\r\n\r\n"
        );
        if with_body {
            text += &self.body;
        }
        text.into_bytes()
    }
}

fn answer<S: Stream>(stream: &mut Deadline<'_, S>, metrics: &Metrics, observe: &dyn Observe) {
    let response = match read_until(stream, HEAD_BYTES, |bytes| head(bytes).is_some()) {
        Ok(bytes) => match head(&bytes) {
            Some(Ok((method, path))) if method == "GET" || method == "HEAD" => {
                let bytes = route(&path, metrics, observe).bytes(method == "GET");
                let _ = stream.write_all(&bytes);
                return;
            }
            Some(Ok(_)) => Response::refuse("405 Method Not Allowed", "GET and HEAD only"),
            Some(Err(())) | None => Response::refuse("400 Bad Request", "not an HTTP request"),
        },
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Response::refuse("431 Request Header Fields Too Large", "too long")
        }
        Err(_) => return,
    };
    let _ = stream.write_all(&response.bytes(true));
}

/// Method and path, once the head is complete.
fn head(bytes: &[u8]) -> Option<Result<(String, String), ()>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Partial) => None,
        Ok(httparse::Status::Complete(_)) => {
            let method = request.method.unwrap_or_default().to_owned();
            let target = request.path.unwrap_or_default();
            let path = target.split('?').next().unwrap_or_default().to_owned();
            Some(Ok((method, path)))
        }
        Err(_) => Some(Err(())),
    }
}

fn route(path: &str, metrics: &Metrics, observe: &dyn Observe) -> Response {
    match path {
        "/" => Response::ok(HTML, PAGE.to_owned()),
        "/metrics" => match metrics.encode() {
            Ok(text) => Response::ok(OPEN_METRICS, text),
            Err(error) => Response::refuse("500 Internal Server Error", &error.to_string()),
        },
        "/live" => health(&observe.health(), |health| health.live),
        "/ready" => health(&observe.health(), |health| health.ready),
        _ => match path.strip_prefix("/show/").and_then(|topic| topic.parse::<Topic>().ok()) {
            Some(topic) => Response::ok(JSON, topic.report(observe).to_string()),
            None => {
                Response::refuse("404 Not Found", "try /, /metrics, /live, /ready, /show/ports")
            }
        },
    }
}

fn health(health: &Health, good: fn(&Health) -> bool) -> Response {
    let problems = health.problems.join("\n");
    match good(health) {
        true => Response::ok(TEXT, format!("ok\n{problems}")),
        false => Response::refuse("503 Service Unavailable", &problems),
    }
}
