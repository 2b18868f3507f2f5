use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::acceptors::Acceptors;
use super::capture;
use super::deadline::{Deadline, Stream, read_until};
use super::observe::Operate;
use super::protocol::{Answer, REQUEST_BYTES, Request, has_line, line};

/// Connections served at once.
const THREADS: usize = 4;

/// The control socket of a running gateway. Only its user can connect. Dropping it removes it.
pub struct ControlSocket {
    path: PathBuf,
    acceptors: Option<Acceptors>,
}

impl ControlSocket {
    /// Listens at `path`; makes its folder, replaces a socket that nobody listens at.
    ///
    /// # Errors
    /// Names the path and what to do about it.
    pub fn serve(path: &Path, gateway: Arc<dyn Operate>) -> io::Result<Self> {
        let explain = |error: io::Error| {
            let text = format!("control socket {}: {error}", path.display());
            io::Error::new(error.kind(), text)
        };
        let listener = listen(path).map_err(explain)?;
        let serve = move |stream: &mut Deadline<'_, UnixStream>| answer(stream, gateway.as_ref());
        let acceptors = Acceptors::start("control", THREADS, listener, serve).map_err(explain)?;
        Ok(Self { path: path.to_owned(), acceptors: Some(acceptors) })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // First the name, so that nobody connects to what no longer answers.
        let _ = fs::remove_file(&self.path);
        self.acceptors.take();
    }
}

/// A client that is too slow, too long or gone gets no answer.
fn answer<S: Stream>(stream: &mut Deadline<'_, S>, gateway: &dyn Operate) {
    let answer = match read_until(stream, REQUEST_BYTES, has_line) {
        Ok(request) => match serde_json::from_slice(&request) {
            Ok(Request::Capture(request)) => return capture::serve(stream, gateway, &request),
            Ok(request) => Answer::to(request, gateway),
            Err(error) => Answer::Error(format!("not a request: {error}")),
        },
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Answer::Error(format!("a request has at most {REQUEST_BYTES} bytes"))
        }
        Err(_) => return,
    };
    let _ = stream.write_all(&line(&answer));
}

/// Binds under another name and renames: whoever sees the name finds a listener that only this
/// user can connect to.
fn listen(path: &Path) -> io::Result<UnixListener> {
    make_way(path)?;
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let _ = fs::remove_file(&new);
    let listener = UnixListener::bind(&new)?;
    let named = fs::set_permissions(&new, Permissions::from_mode(0o600))
        .and_then(|()| fs::rename(&new, path));
    if let Err(error) = named {
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    Ok(listener)
}

/// Makes sure that the name is free, or taken by a socket that nobody listens at.
fn make_way(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        DirBuilder::new().recursive(true).mode(0o755).create(folder).map_err(|error| {
            let text = format!("cannot make the folder: {error}; set [control] socket elsewhere");
            io::Error::new(error.kind(), text)
        })?;
    }
    let kind = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !kind.is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "this is no socket; remove it, or set [control] socket elsewhere",
        ));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another gateway listens here; stop it, or set [control] socket elsewhere",
        )),
    }
}
