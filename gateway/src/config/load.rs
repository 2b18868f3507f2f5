//! A file from the disk into a [`Config`], or into what to tell its author.
#![allow(clippy::disallowed_methods)] // around the path

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::parse::FILE_BYTES;
use super::{Config, parse};

/// More than a configuration may have; the rest is not read.
const READ_BYTES: u64 = FILE_BYTES as u64 + 1;

/// Reads and parses the file at `path`.
///
/// # Errors
/// The text that explains what is wrong, as `gateway check` prints it.
pub fn load(path: &Path, colour: bool) -> Result<Config, String> {
    let text =
        read(path).map_err(|error| format!("error: cannot read {}: {error}", path.display()))?;
    parse(&path.to_string_lossy(), &text).map_err(|errors| errors.render(colour))
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
