//! A gateway that runs, asked in every way an operator can ask.
#![cfg(feature = "dpdk")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};

use gateway::control::Topic;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const PROGRAM: &str = env!("CARGO_BIN_EXE_gateway");

struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    folder: tempfile::TempDir,
    metrics: SocketAddr,
    /// What it tells systemd, as a service of type notify.
    supervisor: UnixDatagram,
}

impl Running {
    /// Two routed ring ports in ordinary memory.
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let metrics = free.expect("a free address");
        let text = format!(
            "[runtime]\nhugepages = false\nmemory_mb = 64\npool_buffers = 4096\nidle_sleep_us = 500\n\
             [[port]]\nname = \"p0\"\ndevice = \"net_ring0\"\naddresses = [\"10.1.0.1/24\"]\n\
             [[port]]\nname = \"p1\"\ndevice = \"net_ring1\"\naddresses = [\"10.2.0.1/24\"]\n\
             [control]\nsocket = {:?}\nmetrics = \"{metrics}\"\n",
            folder.path().join("run/gateway.sock")
        );
        fs::write(folder.path().join("gateway.toml"), text).expect("a file");
        let notify = folder.path().join("notify");
        let supervisor = UnixDatagram::bind(&notify).expect("a socket");
        supervisor.set_nonblocking(true).expect("a socket");
        let mut command = Command::new(PROGRAM);
        command.env("NOTIFY_SOCKET", notify);
        command.args(["run", "-c"]).arg(folder.path().join("gateway.toml"));
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut running = Self { child, stderr, folder, metrics, supervisor };
        running.await_ready();
        running
    }

    fn await_ready(&mut self) {
        let mut said = String::new();
        while !said.contains("ready") {
            assert_ne!(self.stderr.read_line(&mut said).expect("text"), 0, "it ended: {said}");
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("gateway.toml")
    }

    fn gateway(&self, args: &[&str]) -> Output {
        Command::new(PROGRAM).args(args).arg("-c").arg(self.file()).output().expect("it runs")
    }

    /// Over the socket, since the file may be wrong: status, stdout, stderr.
    fn reload(&self) -> (i32, String, String) {
        let socket = self.folder.path().join("run/gateway.sock");
        let reload = Command::new(PROGRAM).args(["reload", "--socket"]).arg(socket).output();
        let Output { status, stdout, stderr } = reload.expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (status.code().expect("no signal"), text(stdout), text(stderr))
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.metrics).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: gateway\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    /// The next thing it told, nothing if there is none by now.
    fn told(&self) -> String {
        let mut text = [0; 256];
        let length = self.supervisor.recv(&mut text).unwrap_or_default();
        String::from_utf8_lossy(&text[..length]).trim_end().to_owned()
    }

    fn interrupt(&mut self) -> (ExitStatus, String, bool) {
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGINT).expect("it lives");
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).expect("text");
        let status = self.child.wait().expect("it ends");
        (status, said, self.folder.path().join("run/gateway.sock").exists())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Has ended already unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_running_gateway_answers_everything_and_ends_clean() {
    let mut running = Running::start();
    for topic in Topic::ALL {
        let shown = running.gateway(&["show", topic.name()]);
        assert!(shown.status.success() && !shown.stdout.is_empty(), "{topic}: {shown:?}");
        let json = running.gateway(&["show", topic.name(), "--json"]);
        let report: Result<serde_json::Value, _> = serde_json::from_slice(&json.stdout);
        assert!(report.is_ok(), "{topic}: {report:?}");
    }
    let config = running.gateway(&["show", "config"]);
    assert!(String::from_utf8_lossy(&config.stdout).contains("\nring_descriptors = 1024\n"));
    for path in ["/live", "/ready"] {
        assert!(running.get(path).starts_with("HTTP/1.1 200"), "{path}");
    }
    let metrics = running.get("/metrics");
    for line in
        ["gateway_port_up{port=\"p1\"} 1", "gateway_worker_imbalance{lcore=\"0\"} 0", "# EOF"]
    {
        assert!(metrics.lines().any(|there| there == line), "{line}\n{metrics}");
    }

    let second = running.gateway(&["run"]);
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(2), "{said}");
    assert_eq!(said.matches("control socket").count(), 1, "{said}");
    assert!(said.contains("another gateway listens here"), "{said}");

    assert_eq!((running.told().as_str(), running.told().as_str()), ("READY=1", ""));

    let (status, said, socket_is_left) = running.interrupt();
    assert_eq!(status.code(), Some(0), "{said}");
    assert_eq!(running.told(), "STOPPING=1");
    assert!(said.contains("4096 of 4096 buffers free"), "{said}");
    assert!(!socket_is_left);
}

#[test]
fn a_changed_file_is_applied_whole_or_not_at_all() {
    let mut running = Running::start();
    let original = fs::read_to_string(running.file()).expect("a file");
    let write = |text: &str| fs::write(running.file(), text).expect("a file");
    let reload = || running.reload();
    let fib = || running.gateway(&["show", "fib"]).stdout;
    let before = fib();

    let (status, out, err) = reload();
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert!(out.ends_with("nothing to change\n"), "{out}");

    let route = "[[route]]\nprefix = \"10.9.0.0/16\"\nvia = \"10.2.0.2\"\n";
    write(&format!("{original}{route}"));
    let (status, out, err) = reload();
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("+ [[route]] prefix = \"10.9.0.0/16\", via = \"10.2.0.2\"\n"), "{out}");
    assert!(out.ends_with("applied, generation 2\n"), "{out}");
    let routed = fib();
    assert!(String::from_utf8_lossy(&routed).contains("10.9.0.0/16"));

    // The route would go and the burst would change: neither does.
    write(&original.replace("[runtime]", "[runtime]\nburst = 32"));
    let (status, out, err) = reload();
    assert_eq!(status, 1, "{out}{err}");
    assert!(out.contains("- [[route]] prefix = \"10.9.0.0/16\""), "{out}");
    assert!(out.contains("[runtime] burst: 64 -> 32   (needs a restart: "), "{out}");
    assert!(err.contains("nothing of it was applied"), "{err}");
    assert_eq!(fib(), routed);

    write(&format!("{original}bursts = 3\n"));
    let (status, out, err) = reload();
    assert_eq!((status, out.as_str()), (1, ""), "{err}");
    let checked = running.gateway(&["check"]);
    assert!(err.starts_with(String::from_utf8_lossy(&checked.stderr).trim_end()), "{err}");
    assert!(err.contains("generation 2 runs on"), "{err}");
    assert_eq!(running.get("/show/fib").matches("10.9.0.0/16").count(), 1);
    let metrics = running.get("/metrics");
    for line in ["gateway_config_generation 2", "gateway_config_last_reload_successful 0"] {
        assert!(metrics.lines().any(|there| there == line), "{line}\n{metrics}");
    }
    assert!(running.get("/show/health").contains("the file has errors"));

    write(&original);
    assert_eq!(reload().0, 0);
    assert_eq!(fib(), before);
    assert!(running.get("/metrics").contains("gateway_config_last_reload_successful 1\n"));
    let (status, said, _) = running.interrupt();
    assert_eq!(status.code(), Some(0), "{said}");
}

/// On a terminal that `script` makes, and without one.
#[test]
fn top_shows_a_running_gateway_until_q() {
    let mut running = Running::start();
    let once = running.gateway(&["top", "--once", "--interval-ms", "100"]);
    let text = String::from_utf8_lossy(&once.stdout);
    assert!(once.status.success(), "{once:?}");
    for line in ["gateway: live, configuration 1", "ports", "workers", "gro"] {
        assert!(text.lines().any(|there| there == line), "{line}: {text}");
    }
    assert!(text.lines().any(|line| line.starts_with("p1 ")), "{text}");
    let piped = running.gateway(&["top"]);
    assert_eq!(piped.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&piped.stderr).contains("gateway top --once"), "{piped:?}");

    let file = running.file();
    let command = format!("stty cols 100 rows 40; exec {PROGRAM} top -c {}", file.display());
    let mut screen = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script, of Debian's bsdutils");
    let mut out = screen.stdout.take().expect("piped");
    let mut shown = Vec::new();
    while !String::from_utf8_lossy(&shown).contains("workers") {
        let mut chunk = [0; 4096];
        let count = out.read(&mut chunk).expect("a terminal");
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&shown));
        shown.extend_from_slice(&chunk[..count]);
    }
    screen.stdin.take().expect("piped").write_all(b"q").expect("it reads");
    let mut rest = Vec::new();
    out.read_to_end(&mut rest).expect("a terminal");
    assert!(screen.wait().expect("it ends").success(), "{}", String::from_utf8_lossy(&rest));
    assert_eq!(running.interrupt().0.code(), Some(0));
}
