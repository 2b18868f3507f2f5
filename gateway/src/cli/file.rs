//! The configuration file of a command.

use std::path::{Path, PathBuf};

use gateway::config::{self, Config, Control};

use super::Exit;
use super::args::GatewayArgs;
use super::output::{colours, complain};

/// Reads and parses; says on stderr what is wrong.
pub(super) fn load(path: &Path) -> Result<Config, Exit> {
    config::load(path, colours()).map_err(|explanation| {
        complain(explanation);
        Exit::Usage
    })
}

/// The control socket of the gateway that is meant.
pub(super) fn socket(args: &GatewayArgs) -> Result<PathBuf, Exit> {
    match (&args.socket, &args.config) {
        (Some(socket), _) => Ok(socket.clone()),
        (None, Some(file)) => Ok(load(file)?.control.socket),
        (None, None) => Ok(Control::default().socket),
    }
}
