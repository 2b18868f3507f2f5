//! The gateway as a child process: started with a configuration, asked for its numbers over its
//! control socket, stopped with SIGINT.
//!
//! *Invariant:* it never outlives this process: it is killed when the guard is dropped, and by the
//! kernel (PR_SET_PDEATHSIG, set by `setpriv`) when this process is.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::de::DeserializeOwned;

use super::namespace::{Namespace, mortal};
use super::numbers::Numbers;
use crate::control::{self, Topic};

/// Start takes at most a few seconds; a crowded machine gets more.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long a stop may take by contract.
pub const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    child: Child,
    /// Ends with the gateway; what it returns was said on stderr.
    listener: Option<JoinHandle<Vec<String>>>,
    /// Keeps the thread alive that started the child: the kernel takes its end for the parent's.
    _parent: Sender<()>,
    socket: PathBuf,
}

/// How a gateway ended.
#[derive(Debug)]
pub struct Ending {
    /// Exit status.
    pub status: ExitStatus,
    /// What it said on stderr, line by line.
    pub said: Vec<String>,
    /// From SIGINT to its end.
    pub took: Duration,
}

impl Gateway {
    /// Starts `executable run` in `namespace` with this configuration (without `[control]`) and
    /// waits until it is ready. Its files are put into `folder`.
    ///
    /// # Errors
    /// When it ends or says nothing of being ready in time: what it said instead.
    pub fn start(
        executable: &Path,
        namespace: &Namespace,
        folder: &Path,
        configuration: &str,
    ) -> Result<Self> {
        let (config, socket) = (folder.join("gateway.toml"), folder.join("gateway.sock"));
        let control = format!("[control]\nsocket = \"{}\"\n", socket.display());
        std::fs::write(&config, format!("{configuration}{control}"))
            .with_context(|| format!("cannot write {}", config.display()))?;
        let mut command = mortal(executable);
        command
            .args(["run", "-c"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0); // ctrl-C at a terminal is for the demo, which then stops it
        let (mut child, parent) = namespace.start(command)?;
        let stderr = child.stderr.take().context("stderr is piped")?;
        let (ready, is_ready) = mpsc::channel();
        let listener = std::thread::spawn(move || listen(stderr, &ready));
        let gateway = Self { child, listener: Some(listener), _parent: parent, socket };
        gateway.await_ready(&is_ready)
    }

    /// Asks over the control socket, as `gateway show` does.
    ///
    /// # Errors
    /// When there is no answer, or not the report it should be.
    pub fn ask<T: DeserializeOwned>(&self, topic: Topic) -> Result<T> {
        let answer = control::ask(&self.socket, topic)?;
        serde_json::from_value(answer).with_context(|| format!("a strange answer to `{topic}`"))
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn numbers(&self) -> Result<Numbers> {
        Ok(Numbers {
            ports: self.ask(Topic::Ports)?,
            gro: self.ask(Topic::Gro)?,
            fanout: self.ask(Topic::Fanout)?,
            drops: self.ask(Topic::Drops)?,
            workers: self.ask(Topic::Workers)?,
            pools: self.ask(Topic::Pools)?,
        })
    }

    /// The process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    /// When it has not ended in time; it is then killed.
    pub fn stop(mut self) -> Result<Ending> {
        let asked = Instant::now();
        kill(self.pid(), Signal::SIGINT).context("cannot send SIGINT to the gateway")?;
        while asked.elapsed() < STOP_LIMIT {
            if let Some(status) = self.child.try_wait()? {
                let took = asked.elapsed();
                return Ok(Ending { status, said: self.said(), took });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.end();
        bail!(
            "the gateway did not end within {STOP_LIMIT:?} of SIGINT:\n{}",
            self.said().join("\n")
        )
    }

    fn await_ready(mut self, is_ready: &Receiver<()>) -> Result<Self> {
        match is_ready.recv_timeout(START_LIMIT) {
            Ok(()) => Ok(self),
            Err(RecvTimeoutError::Timeout) => {
                self.end();
                Err(anyhow!("the gateway was not ready after {START_LIMIT:?}"))
                    .with_context(|| self.said().join("\n"))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.child.wait()?;
                bail!("the gateway did not start ({status}):\n{}", self.said().join("\n"))
            }
        }
    }

    /// What it said; all of it once it has ended.
    fn said(&mut self) -> Vec<String> {
        self.listener.take().and_then(|l| l.join().ok()).unwrap_or_default()
    }

    fn end(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.end();
    }
}

/// Reads stderr to its end; reports the line that says the gateway is ready.
fn listen(stderr: ChildStderr, ready: &Sender<()>) -> Vec<String> {
    let mut said = Vec::new();
    for line in BufReader::new(stderr).lines().map_while(std::io::Result::ok) {
        if line.contains("ready") {
            let _ = ready.send(());
        }
        said.push(line);
    }
    said
}
