//! Where text goes.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

/// A line to stdout. A reader that has gone away (`| head`) is no error.
pub(super) fn say(text: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// A line to stderr.
pub(super) fn complain(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether stderr takes colours (no-color.org).
pub(super) fn colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
