//! Completion scripts and manual pages, for packages.

use std::io::{self, Write};

use clap::CommandFactory;

use super::Exit;
use super::args::{Args, CompletionsArgs, ManArgs};
use super::output::complain;

pub(super) fn completions(args: &CompletionsArgs) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "gateway", &mut script);
    let _ = io::stdout().lock().write_all(&script);
    Exit::Clean
}

pub(super) fn man(args: &ManArgs) -> Exit {
    let written = std::fs::create_dir_all(&args.folder)
        .and_then(|()| clap_mangen::generate_to(Args::command(), &args.folder));
    match written {
        Ok(()) => Exit::Clean,
        Err(error) => {
            complain(format_args!("error: {}: {error}", args.folder.display()));
            Exit::Usage
        }
    }
}
