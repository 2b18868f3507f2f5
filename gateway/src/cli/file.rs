//! The configuration file of a command.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use gateway::config::{self, Config};

use super::Exit;
use super::output::{colours, complain};

/// More than a configuration may have; the rest is not read.
const READ_BYTES: u64 = 8 << 20;

/// Reads and parses; says on stderr what is wrong.
pub(super) fn load(path: &Path) -> Result<Config, Exit> {
    let text = read(path).map_err(|error| {
        complain(format_args!("error: cannot read {}: {error}", path.display()));
        Exit::Usage
    })?;
    config::parse(&path.to_string_lossy(), &text).map_err(|errors| {
        complain(errors.render(colours()));
        Exit::Usage
    })
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(READ_BYTES).read_to_end(&mut bytes)?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        let text = format!("line {line} is not UTF-8; save the file as UTF-8");
        io::Error::new(io::ErrorKind::InvalidData, text)
    })
}
