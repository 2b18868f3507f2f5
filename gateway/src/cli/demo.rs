//! `gateway demo`: the main job on real traffic, checked datagram by datagram.

use std::env;

use super::Exit;
use super::args::DemoArgs;
use super::output::{complain, say};
use super::signal::stop_on_signal;

pub(super) fn main(args: &DemoArgs) -> Exit {
    let account = env::current_exe()
        .map_err(anyhow::Error::from)
        .and_then(|executable| gateway::demo::run(&executable, args.seconds, stop_on_signal()));
    match account {
        Ok(account) => {
            if args.json {
                match serde_json::to_string_pretty(&account) {
                    Ok(json) => say(json),
                    Err(error) => complain(format_args!("gateway: error: {error}")),
                }
            } else {
                say(&account);
            }
            if account.is_good() { Exit::Clean } else { Exit::Unbalanced }
        }
        Err(error) => {
            complain(format_args!("gateway: error: {error:#}"));
            Exit::Start
        }
    }
}
