//! Network namespaces without names, and veth cables between them.
//!
//! *Invariant:* a namespace is a file descriptor and nothing else: no entry in /run/netns, no
//! process. When the last descriptor and process are gone, the kernel removes it with every
//! interface in it, so even SIGKILL leaves nothing behind and two runs cannot collide.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};
use nix::sched::{CloneFlags, setns, unshare};

use crate::packet::MacAddr;

/// A network namespace. `Clone` is another handle on the same one.
#[derive(Clone, Debug)]
pub struct Namespace {
    name: Arc<str>,
    descriptor: Arc<File>,
}

impl Namespace {
    /// A fresh namespace, loopback up, quiet: no duplicate address detection (it delays the first
    /// datagram by a second), no router solicitations, no reverse-path filter.
    ///
    /// # Errors
    /// Without CAP_SYS_ADMIN, or in a kernel without network namespaces.
    pub fn new(name: &str) -> Result<Self> {
        let descriptor = thread::scope(|scope| {
            scope.spawn(unshared).join().map_err(|_| anyhow!("a thread panicked"))?
        })
        .with_context(|| format!("cannot make the network namespace `{name}`"))?;
        let namespace = Self { name: name.into(), descriptor: Arc::new(descriptor) };
        for conf in ["all", "default"] {
            namespace.sysctl(&format!("ipv6/conf/{conf}/accept_dad"), "0")?;
            namespace.sysctl(&format!("ipv6/conf/{conf}/router_solicitations"), "0")?;
            namespace.sysctl(&format!("ipv4/conf/{conf}/rp_filter"), "0")?;
        }
        namespace.ip("link set lo up")?;
        Ok(namespace)
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `job` inside, on a thread of its own.
    ///
    /// # Errors
    /// What `job` returns, and a panic in it.
    pub fn enter<T: Send>(&self, job: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(&*self.descriptor, CloneFlags::CLONE_NEWNET)?;
                job()
            });
            inside.join().unwrap_or_else(|_| Err(anyhow!("a thread panicked")))
        })
        .with_context(|| format!("in namespace `{}`", self.name))
    }

    /// Starts `job` inside, on a thread of its own.
    pub fn spawn<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> thread::JoinHandle<Result<T>> {
        let inside = self.clone();
        thread::spawn(move || {
            setns(&*inside.descriptor, CloneFlags::CLONE_NEWNET)?;
            job().with_context(|| format!("in namespace `{}`", inside.name))
        })
    }

    /// Starts a [`mortal`] command inside, from a thread that lives until the sender is dropped: the
    /// kernel takes that thread's end for the parent's.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, mut command: Command) -> Result<(Child, Sender<()>)> {
        let (started, start) = mpsc::channel();
        let (parent, until_dropped) = mpsc::channel::<()>();
        let thread = self.spawn(move || {
            let _ = started.send(command.spawn().context("cannot run setpriv (util-linux)"));
            let _ = until_dropped.recv();
            Ok(())
        });
        match start.recv() {
            Ok(child) => Ok((child?, parent)),
            Err(_) => Err(thread.join().map_or_else(
                |_| anyhow!("a thread panicked"),
                |result| result.err().unwrap_or_else(|| anyhow!("nothing was started")),
            )),
        }
    }

    /// Runs `ip` with these words inside; returns what it printed.
    ///
    /// # Errors
    /// The command line and what it said, unless it ended with 0.
    pub fn ip(&self, words: &str) -> Result<String> {
        self.command("ip", words)
    }

    /// Runs a program inside; `words` are its arguments, separated by blanks.
    ///
    /// # Errors
    /// The command line and what it said, unless it ended with 0.
    pub fn command(&self, program: &str, words: &str) -> Result<String> {
        self.enter(|| {
            let output = Command::new(program)
                .args(words.split_whitespace())
                .stdin(Stdio::null())
                .output()
                .with_context(|| format!("cannot run `{program}`: is it installed?"))?;
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.success(), "`{program} {words}` failed: {}", said.trim());
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        })
    }

    /// Writes /proc/sys/net/`key`.
    ///
    /// # Errors
    /// When the key does not exist or cannot be written.
    pub fn sysctl(&self, key: &str, value: &str) -> Result<()> {
        let path = format!("/proc/sys/net/{key}");
        self.enter(|| std::fs::write(&path, value).with_context(|| format!("cannot write {path}")))
    }

    /// What `ip link … netns` takes for this namespace, valid while it lives.
    fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.descriptor.as_raw_fd())
    }
}

/// A command that the kernel kills with the thread that starts it (PR_SET_PDEATHSIG).
pub fn mortal(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// One end of a veth cable.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// Where it is.
    pub namespace: &'a Namespace,
    /// The interface, at most 15 bytes.
    pub interface: &'a str,
    /// Its address; the kernel's choice when absent.
    pub mac: Option<MacAddr>,
}

/// Plugs a veth cable between two namespaces and sets both ends up, with every offload off: what
/// one end sends, trains of UDP_SEGMENT too, reaches the other as whole frames with complete
/// checksums. (net_af_packet shows its reader no TP_STATUS_CSUMNOTREADY, so a checksum that a veth
/// left to the "hardware" would go out wrong.)
///
/// # Errors
/// The failed command.
pub fn cable(near: End<'_>, far: End<'_>) -> Result<()> {
    for end in [near, far] {
        if end.interface.len() > 15 {
            bail!("`{}` is too long for the name of an interface", end.interface);
        }
    }
    let (one, other) = (near.interface, far.interface);
    near.namespace.ip(&format!(
        "link add {one} type veth peer name {other} netns {}",
        far.namespace.path()
    ))?;
    for End { namespace, interface, mac } in [near, far] {
        if let Some(mac) = mac {
            namespace.ip(&format!("link set {interface} address {mac}"))?;
        }
        namespace
            .command("ethtool", &format!("-K {interface} tx off sg off tso off gso off gro off"))?;
        namespace.ip(&format!("link set {interface} up"))?;
    }
    Ok(())
}

/// The descriptor of a namespace made by the calling thread, which stays in it.
fn unshared() -> Result<File> {
    unshare(CloneFlags::CLONE_NEWNET).context("network namespaces need root (CAP_SYS_ADMIN)")?;
    File::open("/proc/thread-self/ns/net").context("cannot open /proc/thread-self/ns/net")
}
