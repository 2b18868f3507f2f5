//! The commands of `gateway`, a file each. Only `run` and `demo` need DPDK.
//!
//! *Invariant:* what a user may use in a pipe goes to stdout, all else to stderr; the exit status
//! is that of the contract.
#![allow(clippy::disallowed_methods)] // around the path

mod args;
mod capture;
mod check;
mod demo;
mod doctor;
mod file;
mod generate;
mod output;
mod reload;
#[cfg(feature = "dpdk")]
mod run;
mod show;
mod signal;
mod top;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

/// How the program ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// All is well.
    Clean = 0,
    /// Usage or configuration.
    Usage = 1,
    /// Could not start.
    Start = 2,
    /// Stopped, but something is not accounted for.
    Unbalanced = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Reads the arguments and does what they say.
pub(crate) fn main() -> Exit {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Nothing can be done about a closed terminal.
            let _ = error.print();
            // clap would end with 2, which means "could not start" here.
            return if error.use_stderr() { Exit::Usage } else { Exit::Clean };
        }
    };
    match args.command {
        #[cfg(feature = "dpdk")]
        Command::Run(args) => run::main(&args),
        Command::Demo(args) => demo::main(&args),
        Command::Check(args) => check::main(&args),
        Command::Show(args) => show::main(&args),
        Command::Top(args) => top::main(&args),
        Command::Capture(args) => capture::main(&args),
        Command::Reload(args) => reload::main(&args),
        Command::Doctor(args) => doctor::main(&args),
        Command::Completions(args) => generate::completions(&args),
        Command::Man(args) => generate::man(&args),
    }
}
