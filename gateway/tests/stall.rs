//! A worker that does not come round its loop (semantics 7.31): it is named, the supervisor hears no
//! more that all is well, and does again when it polls again.
#![cfg(feature = "dpdk")]
#![allow(clippy::disallowed_methods)] // around the path

#[path = "support/plugin.rs"]
mod plugin;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use gateway::control::{self, Topic, WorkerReport};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// What the gateway tells its supervisor within `patience`, until it says `wanted`.
fn hears(supervisor: &UnixDatagram, wanted: &str, patience: Duration) -> bool {
    let deadline = std::time::Instant::now() + patience;
    let mut buffer = [0; 512];
    while std::time::Instant::now() < deadline {
        if let Ok(len) = supervisor.recv(&mut buffer) {
            if String::from_utf8_lossy(&buffer[..len]).contains(wanted) {
                return true;
            }
        }
    }
    false
}

fn stalls(socket: &Path) -> Vec<u64> {
    let answer = control::ask(socket, Topic::Workers).unwrap();
    let workers: Vec<WorkerReport> = serde_json::from_value(answer).unwrap();
    workers.iter().map(|worker| worker.stalls).collect()
}

#[test]
fn s07_31_a_worker_that_stalls_is_named_and_the_supervisor_is_left_to_act() {
    if option_env!("DPDK_STATIC").is_some() {
        return; // a static program has no DPDK for a plug-in to call
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (file, socket) = (path("gateway.toml"), path("run/gateway.sock"));
    let text = format!(
        "[runtime]\nhugepages = false\nmemory_mb = 64\npool_buffers = 2048\nidle_sleep_us = 100\n\
         eal_args = [\"-d\", {:?}]\n[[port]]\nname = \"p0\"\ndevice = \"net_null0\"\n\
         [control]\nsocket = {socket:?}\n",
        plugin::build("stall/staller"),
    );
    fs::write(&file, text.replace("net_null0", "net_null0,no-rx=1")).unwrap();
    let supervisor = UnixDatagram::bind(path("notify")).unwrap();
    supervisor.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command.args(["run", "-c"]).arg(&file).stderr(Stdio::piped());
    command.env("NOTIFY_SOCKET", path("notify")).env("WATCHDOG_USEC", "1000000");
    let mut gateway = command.env("STALL_WHILE", path("stall")).spawn().unwrap();
    let mut lines = BufReader::new(gateway.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut await_line = |wanted: &str| {
        let mut before = String::new();
        let found = lines.by_ref().any(|line| {
            before += &(line.clone() + "\n");
            line.contains(wanted)
        });
        assert!(found, "never said `{wanted}`:\n{before}");
    };

    let long = Duration::from_secs(10);
    await_line("ready");
    assert!(hears(&supervisor, "WATCHDOG=1", long));
    assert_eq!(stalls(&socket), [0]);
    fs::write(path("stall"), "").unwrap();
    await_line("STALLED: the worker on lcore 0 has not polled for");
    assert_eq!(stalls(&socket), [1]);
    while hears(&supervisor, "", Duration::from_millis(60)) {} // what was said before
    assert!(!hears(&supervisor, "WATCHDOG=1", Duration::from_secs(1)), "all is well?");
    fs::remove_file(path("stall")).unwrap();
    await_line("the worker on lcore 0 polls again, after");
    assert!(hears(&supervisor, "WATCHDOG=1", long));
    assert_eq!(stalls(&socket), [1]);
    kill(Pid::from_raw(gateway.id() as i32), Signal::SIGINT).unwrap();
    await_line("buffers free");
    assert_eq!(gateway.wait().unwrap().code(), Some(0));
}
