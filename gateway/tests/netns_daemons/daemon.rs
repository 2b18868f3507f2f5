use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::Sender;

use gateway::demo::namespace::{Namespace, mortal};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A program in the foreground of a namespace; it ends with this, by its process id, and with the
/// test at the latest.
pub(crate) struct Daemon {
    child: Child,
    _parent: Sender<()>,
    log: PathBuf,
}

impl Daemon {
    /// What it says goes into `folder`.
    pub(crate) fn start(
        namespace: &Namespace,
        program: &str,
        arguments: &[String],
        folder: &Path,
    ) -> Self {
        let name = Path::new(program).file_name().unwrap().to_string_lossy().into_owned();
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).unwrap();
        let mut command = mortal(Path::new(program));
        command.args(arguments).stdin(Stdio::null()).process_group(0);
        command.stdout(file.try_clone().unwrap()).stderr(file);
        let (child, parent) = namespace.start(command).unwrap();
        Self { child, _parent: parent, log }
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}:\n{}", self.log.display(), self.said());
        }
        let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM);
        for _ in 0..100 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `arguments` of a command line, separated by blanks.
pub(crate) fn words(arguments: &str) -> Vec<String> {
    arguments.split_whitespace().map(str::to_owned).collect()
}
