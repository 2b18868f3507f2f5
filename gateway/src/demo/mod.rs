//! Room: demo. `gateway demo` shows the gateway at work on real traffic: kernel hosts in network
//! namespaces (or, without root, hosts in memory), every datagram checked at every receiver.
//!
//! *Invariant:* whatever it makes is gone when it ends, also when it is killed; it ends in bounded
//! time; it succeeds only if every datagram arrived intact.
#![allow(clippy::disallowed_methods)] // hosts around the gateway, not its path

mod account;
pub mod exchange;
pub mod frame;
pub mod gateway;
pub mod host;
mod kernel;
pub mod mdns;
mod memory;
pub mod namespace;
mod numbers;
pub mod plan;
pub mod tap;
pub mod topology;
pub mod traffic;
pub mod window;

pub use account::{Account, EndingAccount, ReplayAccount, Stage, StreamAccount};
pub use numbers::Numbers;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;

use exchange::{Outcome, Stream};

/// Datagrams per second of each of the eight streams, at most: what kernel hosts on the second of
/// two quiet cores take at once.
const RATE: u32 = 2000;
/// How long traffic flows if nobody says.
pub const DEFAULT_SECONDS: u32 = 5;
/// The longest traffic may flow: sequence numbers are kept for all of it.
pub const MAX_SECONDS: u32 = 3600;

/// What a stage found out.
struct Findings {
    streams: Vec<Stream>,
    outcome: Outcome,
    numbers: Numbers,
    ending: EndingAccount,
    replay: ReplayAccount,
    /// What the stage itself found wrong.
    faults: Vec<String>,
}

/// Runs the demonstration with traffic for `seconds`, or until `stop` is set. `executable` is this
/// program: `gateway run` is a child process of it.
///
/// # Errors
/// What could not be set up. Loss and damage are no errors but faults in the account.
pub fn run(executable: &Path, seconds: u32, stop: &AtomicBool) -> Result<Account> {
    let start = Instant::now();
    let duration = Duration::from_secs(seconds.clamp(1, MAX_SECONDS).into());
    let lab = if cfg!(feature = "dpdk") {
        kernel::lab().map_err(|error| format!("{error:#}"))
    } else {
        Err("this program was built without DPDK".to_owned())
    };
    let (stage, because, findings) = match lab {
        Ok(lab) => (Stage::Namespaces, None, kernel::run(&lab, executable, duration, stop)?),
        Err(why) => (Stage::Memory, Some(why), memory::run(duration, stop)?),
    };
    let Findings { streams, outcome, numbers, ending, replay, mut faults } = findings;
    let names: Vec<_> = plan::hosts().iter().map(|host| host.name.to_owned()).collect();
    faults.extend(outcome.faults(&streams, &names));
    faults.extend(numbers.faults());
    if stop.load(Ordering::Relaxed) {
        faults.push("interrupted".to_owned());
    }
    let has_part = |host| streams.iter().any(|s| s.from == host || s.receivers.contains(&host));
    let outsiders = names.iter().zip(&outcome.strayed).enumerate();
    let outsiders = outsiders.filter(|&(host, _)| !has_part(host));
    Ok(Account {
        stage,
        because,
        took_s: start.elapsed().as_secs_f64(),
        streams: Account::streams(&streams, &names, &outcome),
        outsiders: outsiders.map(|(_, (name, &seen))| (name.clone(), seen)).collect(),
        numbers,
        ending,
        replay,
        faults,
    })
}
