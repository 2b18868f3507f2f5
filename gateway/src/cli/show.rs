//! `gateway show`: what a running gateway says of itself.

use gateway::control::{ask, render};

use super::Exit;
use super::args::ShowArgs;
use super::file::socket;
use super::output::{complain, say};

pub(super) fn main(args: &ShowArgs) -> Exit {
    let socket = match socket(&args.gateway) {
        Ok(socket) => socket,
        Err(exit) => return exit,
    };
    let report = match ask(&socket, args.topic) {
        Ok(report) => report,
        Err(error) => {
            complain(format_args!("error: {error}"));
            return Exit::Usage;
        }
    };
    if args.json {
        say(format_args!("{report:#}"));
        return Exit::Clean;
    }
    match render(args.topic, report) {
        Ok(text) => {
            say(text.trim_end());
            Exit::Clean
        }
        Err(error) => {
            complain(format_args!(
                "error: the gateway's answer cannot be read: {error}\n\
                 hint: it is of another version; --json shows it as it is"
            ));
            Exit::Usage
        }
    }
}
