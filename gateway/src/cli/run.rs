//! `gateway run`: until SIGINT or SIGTERM.

use super::Exit;
use super::args::RunArgs;
use super::file::load;
use super::output::complain;
use super::signal::stop_on_signal;

pub(super) fn main(args: &RunArgs) -> Exit {
    let config = match load(&args.config) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    match gateway::runtime::run(&config, &args.config.to_string_lossy(), stop_on_signal()) {
        Ok(outcome) => {
            complain(format_args!("gateway: stopped\n{outcome}"));
            if outcome.is_balanced() { Exit::Clean } else { Exit::Unbalanced }
        }
        Err(error) => {
            complain(format_args!("gateway: error: {error}"));
            Exit::Start
        }
    }
}
