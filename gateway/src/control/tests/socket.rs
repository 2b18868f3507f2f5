use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use super::super::deadline::Deadline;
use super::super::{AskError, ControlSocket, Topic, ask, reload};
use super::sample;

#[test]
fn every_topic_is_answered_with_its_report() {
    let folder = tempfile::tempdir().unwrap();
    let socket = ControlSocket::serve(&folder.path().join("s"), sample()).unwrap();
    for topic in Topic::ALL {
        let report = ask(socket.path(), *topic).unwrap();
        assert_eq!(report, topic.report(sample().as_ref()), "{topic}");
    }
}

#[test]
fn a_reload_is_answered_with_what_became_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let socket = ControlSocket::serve(&folder.path().join("s"), sample()).unwrap();
    let report = reload(socket.path()).unwrap();
    assert!(report.applied);
    assert_eq!(report.generation, 2);
}

#[test]
fn a_socket_is_private_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/gateway/s");
    let socket = ControlSocket::serve(&path, sample()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(socket);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
}

#[test]
fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "a listener that ended leaves its name");
    let first = ControlSocket::serve(&path, sample()).unwrap();
    let second = ControlSocket::serve(&path, sample()).err().expect("one gateway per socket");
    assert_eq!(second.kind(), ErrorKind::AddrInUse);
    assert!(second.to_string().contains("another gateway listens here"), "{second}");
    assert!(ask(first.path(), Topic::Health).is_ok(), "the first one still answers");
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    fs::write(&path, "precious").unwrap();
    let error = ControlSocket::serve(&path, sample()).err().expect("no socket");
    assert!(error.to_string().contains(&format!("{}: this is no socket", path.display())));
    assert_eq!(fs::read(&path).unwrap(), b"precious");

    let error = ControlSocket::serve(&path.join("s"), sample()).err().expect("no folder");
    assert!(error.to_string().contains("cannot make the folder"), "{error}");
}

#[test]
fn requests_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let socket = ControlSocket::serve(&folder.path().join("s"), sample()).unwrap();
    let cases: [(&[u8], &str); 5] = [
        (b"\n", "not a request"),
        (b"{\"show\":\"ports\",\"x\":1}\n", "not a request"),
        (b"{\"show\":\"port\"}\n", "nothing is known of `port`: ports, workers"),
        (b"\xff\xfe\n", "not a request"),
        (&[b'x'; 5000], "at most 4096 bytes"),
    ];
    for (request, expected) in cases {
        let answer = converse(socket.path(), request);
        assert!(answer.starts_with("{\"error\":") && answer.contains(expected), "{answer}");
    }
}

#[test]
fn a_silent_client_blocks_nobody_and_does_not_delay_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let socket = ControlSocket::serve(&folder.path().join("s"), sample()).unwrap();
    let silent = UnixStream::connect(socket.path()).unwrap();
    assert!(ask(socket.path(), Topic::Ports).is_ok());
    let began = Instant::now();
    drop(socket);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    drop(silent);
}

#[test]
fn a_trickle_does_not_stretch_the_deadline() {
    let (near, mut far) = UnixStream::pair().unwrap();
    let feeder = thread::spawn(move || {
        while far.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(5));
        }
    });
    let stop = AtomicBool::new(false);
    let began = Instant::now();
    let mut stream = Deadline::new(near, Duration::from_millis(100), &stop);
    let error = stream.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(began.elapsed() < Duration::from_secs(2));
    drop(stream);
    feeder.join().unwrap();
}

#[test]
fn without_a_gateway_the_client_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let error = ask(&path, Topic::Ports).unwrap_err();
    assert!(matches!(error, AskError::NotRunning { .. }));
    let text = error.to_string();
    assert!(text.contains(&format!("no gateway answers at {}", path.display())), "{text}");
    assert!(text.contains("hint: start one with gateway run -c FILE"), "{text}");
}

fn converse(path: &Path, request: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    // A server that answers before it has read everything resets; the answer has come by then.
    let _ = stream.read_to_string(&mut answer);
    answer
}
