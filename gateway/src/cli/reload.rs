//! `gateway reload`: makes a running gateway apply its changed file.

use gateway::control::{ReloadReport, reload};

use super::Exit;
use super::args::ReloadArgs;
use super::file::socket;
use super::output::{complain, say};

pub(super) fn main(args: &ReloadArgs) -> Exit {
    let socket = match socket(&args.gateway) {
        Ok(socket) => socket,
        Err(exit) => return exit,
    };
    let report = match reload(&socket) {
        Ok(report) => report,
        Err(error) => {
            complain(format_args!("error: {error}"));
            return Exit::Usage;
        }
    };
    if args.json {
        say(serde_json::to_string_pretty(&report).unwrap_or_default());
    } else {
        explain(&report);
    }
    if report.applied { Exit::Clean } else { Exit::Usage }
}

/// The difference to stdout, a refusal to stderr.
fn explain(report: &ReloadReport) {
    for change in &report.changes {
        match &change.restart {
            None => say(&change.change),
            Some(why) => say(format_args!("{}   (needs a restart: {why})", change.change)),
        }
    }
    let ReloadReport { file, generation, .. } = report;
    match (&report.errors, report.applied, report.changes.is_empty()) {
        (Some(errors), ..) => {
            complain(errors);
            complain(format_args!("gateway: nothing was changed, generation {generation} runs on"));
        }
        (None, true, true) => say(format_args!("{file}: nothing to change")),
        (None, true, false) => say(format_args!("{file}: applied, generation {generation}")),
        (None, false, _) => complain(format_args!(
            "error: {file} needs a restart, so nothing of it was applied\n\
             hint: restart the gateway, or take those lines back and reload"
        )),
    }
}
