//! `gateway top`: a running gateway, live. With `--once` two looks a moment apart, as text.

mod screen;
mod view;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use gateway::control::{AskError, Topic, ask};
use serde::de::DeserializeOwned;

use super::Exit;
use super::args::TopArgs;
use super::file::socket;
use super::output::{complain, say};
use screen::Screen;
use view::{Look, View};

pub(super) fn main(args: &TopArgs) -> Exit {
    let socket = match socket(&args.gateway) {
        Ok(socket) => socket,
        Err(exit) => return exit,
    };
    let interval = Duration::from_millis(args.interval_ms);
    let shown = if args.once {
        once(&socket, interval)
    } else if io::stdout().is_terminal() {
        live(&socket, interval)
    } else {
        complain("error: stdout is no terminal\nhint: gateway top --once prints plain text");
        return Exit::Usage;
    };
    match shown {
        Ok(()) => Exit::Clean,
        Err(error) => {
            complain(format_args!("error: {error}"));
            Exit::Usage
        }
    }
}

fn once(socket: &Path, interval: Duration) -> Result<(), Box<dyn std::error::Error>> {
    let before = look(socket)?;
    thread::sleep(interval);
    say(View::between(&before, &look(socket)?).text().trim_end());
    Ok(())
}

/// Until q, Escape or ctrl-C, or until nobody answers any more.
fn live(socket: &Path, interval: Duration) -> Result<(), Box<dyn std::error::Error>> {
    let mut before = look(socket)?;
    let mut screen = Screen::open()?;
    let mut view = View::between(&before, &before);
    loop {
        screen.draw(&view)?;
        if screen.wait_for_quit(interval, &view)? {
            return Ok(());
        }
        let now = look(socket)?;
        view = View::between(&before, &now);
        before = now;
    }
}

fn look(socket: &Path) -> Result<Look, AskError> {
    Ok(Look {
        at: Instant::now(),
        ports: report(socket, Topic::Ports)?,
        workers: report(socket, Topic::Workers)?,
        gro: report(socket, Topic::Gro)?,
        drops: report(socket, Topic::Drops)?,
        health: report(socket, Topic::Health)?,
    })
}

fn report<T: DeserializeOwned>(socket: &Path, topic: Topic) -> Result<T, AskError> {
    let report = ask(socket, topic)?;
    serde_json::from_value(report)
        .map_err(|error| AskError::Broken { socket: socket.to_owned(), error: error.into() })
}
