//! Follows the kernel: makes shadows anew that somebody has removed, asks for what the kernel knows and
//! publishes it, on a thread of its own. A kernel that takes long to answer, or does not, keeps nobody
//! waiting, not even the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use super::outline::Outline;
use super::pump::Replacement;
use super::shadow_bridges::ShadowBridges;
use super::shadows::ShadowError;
use super::{Observer, Running};
use crate::config::Config;
use crate::host::{Changes, Kernel, Mirror};

/// From asking the kernel to asking it again, at least.
const LOOK: Duration = Duration::from_millis(20);
/// Between two looks at the groups programs have joined, which netlink does not tell, and two attempts
/// to make what is missing.
const LOOK_AT_GROUPS: Duration = Duration::from_millis(100);
/// Asking the kernel takes at most this share of the time.
const ASKING_SHARE: u32 = 4;

pub(super) struct Follower {
    kernel: Kernel,
    mirror: Mirror,
    /// In the order of the pump's.
    shadows: Vec<Outline>,
    bridges: ShadowBridges,
    pump: Sender<Replacement>,
    stop: Arc<AtomicBool>,
    dirty: Changes,
    not_before: Instant,
    /// Likewise for routes: while it rests from them, it does not from groups.
    routes_not_before: Instant,
    groups_at: Instant,
    /// Somebody has removed what could not be made anew yet.
    missing: bool,
    complained: bool,
}

impl Follower {
    pub(super) fn new(
        kernel: Kernel,
        mirror: Mirror,
        shadows: Vec<Outline>,
        bridges: ShadowBridges,
        pump: Sender<Replacement>,
    ) -> Self {
        let now = Instant::now();
        Self {
            kernel,
            mirror,
            shadows,
            bridges,
            pump,
            stop: Arc::default(),
            dirty: Changes::ALL,
            not_before: now,
            routes_not_before: now,
            groups_at: now,
            missing: false,
            complained: false,
        }
    }

    /// Follows until the flag is set.
    pub(super) fn start(mut self, observer: Arc<Observer>) -> Arc<AtomicBool> {
        let stop = Arc::clone(&self.stop);
        thread::spawn(move || {
            while !self.is_stopped() {
                self.follow(observer.running());
                self.wait();
            }
        });
        stop
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Until the kernel says something, or until it may be asked about what it has said.
    fn wait(&self) {
        let now = Instant::now();
        if self.dirty.any() {
            // A burst is heard whole, and of a group in the middle of it not too late.
            let light = self.dirty.but_routes().any();
            let next = if light { self.not_before } else { self.routes_not_before };
            thread::sleep(next.saturating_duration_since(now).min(LOOK));
        } else {
            self.kernel.wait(self.groups_at.saturating_duration_since(now));
        }
    }

    /// Asks the kernel about what it said has changed, and publishes what is new.
    fn follow(&mut self, running: &Running) {
        let began = Instant::now();
        self.dirty = self.dirty.and(self.kernel.changes());
        if began >= self.groups_at {
            self.groups_at = began + LOOK_AT_GROUPS;
            self.dirty = self.dirty.and(self.mirror.untold_changes(&mut self.kernel));
            if self.missing {
                self.dirty = Changes::ALL;
            }
        }
        let rests = |until: Instant| began < until;
        let due = if rests(self.routes_not_before) { self.dirty.but_routes() } else { self.dirty };
        if !due.any() || rests(self.not_before) {
            return;
        }
        let mut restored = Ok(());
        if due.has_links() {
            restored = self.restore(&running.config());
            self.missing = restored.is_err();
        }
        let asked = self.mirror.refresh(&mut self.kernel, due);
        if asked.is_ok() {
            self.dirty = self.dirty.but(due);
        }
        // The tables stay as they are; it is tried again.
        let trouble = restored.err().map(|error| error.problem);
        let trouble = trouble.or(asked.as_ref().err().map(ToString::to_string));
        match trouble {
            Some(trouble) if !self.complained => eprintln!("gateway: {trouble}"),
            _ => {}
        }
        self.complained = self.missing || asked.is_err();
        if let Ok(Some(known)) = asked {
            running.adopt(known);
        }
        let rest = (began.elapsed() * ASKING_SHARE).max(LOOK);
        let asked_long =
            if due.has_routes() { &mut self.routes_not_before } else { &mut self.not_before };
        *asked_long = Instant::now() + rest;
    }

    /// What somebody has removed is made anew, and with it what the file says of it. What others had
    /// given it they must give again.
    fn restore(&mut self, config: &Config) -> Result<(), ShadowError> {
        let Self { kernel, mirror, shadows, bridges, pump, stop, .. } = self;
        // The end removes them too.
        let is_wanted =
            |kernel: &mut Kernel, index| kernel.is_gone(index) && !stop.load(Ordering::Relaxed);
        for bridge in 0..bridges.len() {
            let before = bridges.interface(bridge);
            if is_wanted(kernel, before) {
                let made = bridges.make_again(kernel, config, bridge)?;
                mirror.renumber(before, bridges.interface(bridge));
                // One that cannot be sent has nobody to go with: it goes now.
                let _ = made.map(|made| pump.send(Replacement::Bridge(made)));
            }
        }
        for (place, shadow) in shadows.iter_mut().enumerate() {
            let before = shadow.interface;
            if is_wanted(kernel, before) {
                let tap = shadow.make(kernel, config, bridges)?;
                mirror.renumber(before, shadow.interface);
                let (name, new) = (config.port_name(shadow.id), shadow.interface);
                eprintln!("gateway: shadow {name} was removed, and is made anew, interface {new}");
                let _ = pump.send(Replacement::Interface(place, tap));
            }
        }
        Ok(())
    }
}
