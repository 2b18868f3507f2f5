//! Text into a valid [`Config`], or into everything that is wrong with it.

use toml::de::{DeTable, Error};

use super::check::check;
use super::problem::{Problem, Problems};
use super::raw::RawConfig;
use super::{Config, ConfigErrors};

/// No configuration is longer, with a million routes in it; bounds the work on a wrong file.
pub(super) const FILE_BYTES: usize = 64 << 20;

/// Reads a configuration file; `file_name` is for messages only.
///
/// # Errors
/// All problems found. Syntax errors are reported alone: what follows from them would mislead.
pub fn parse(file_name: &str, text: &str) -> Result<Config, ConfigErrors> {
    let mut problems = Problems::default();
    if text.len() > FILE_BYTES {
        problems.push(
            Problem::new(0..0, "the file is too long for a configuration")
                .label(format!("{} bytes, the limit is {FILE_BYTES}", text.len()))
                .hint("is this the right file?"),
        );
        return Err(problems.into_errors(file_name, ""));
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        errors.iter().for_each(|error| problems.push(syntax(error, text)));
        return Err(problems.into_errors(file_name, text));
    }
    let raw = RawConfig::read(&table, &mut problems);
    let config = check(raw, &mut problems);
    if problems.is_empty() { Ok(config) } else { Err(problems.into_errors(file_name, text)) }
}

fn syntax(error: &Error, text: &str) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let start = floor(text, span.start);
    let problem = Problem::new(start..floor(text, span.end).max(start), "this is not valid TOML")
        .label(error.message());
    match error.message() {
        "duplicate key" => problem.hint("remove one of them; sections that repeat are [[name]]"),
        _ => problem.hint("write key = value; strings in \"quotes\", lists in [brackets]"),
    }
}

/// The nearest place in the text, not after `at`, that does not split a character.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
