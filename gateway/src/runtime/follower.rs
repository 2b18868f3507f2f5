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
use crate::host::{Kernel, Mirror};

/// Between two looks for changes.
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
    dirty: bool,
    not_before: Instant,
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
            dirty: true,
            not_before: now,
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
                thread::sleep(LOOK);
            }
        });
        stop
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Asks the kernel if it said that something changed, and publishes what is new.
    fn follow(&mut self, running: &Running) {
        let began = Instant::now();
        self.dirty |= self.kernel.has_changed();
        if began >= self.groups_at {
            self.groups_at = began + LOOK_AT_GROUPS;
            self.dirty |= self.missing;
            self.dirty |= self.mirror.memberships_changed();
            self.dirty |= self.mirror.queriers_changed(&mut self.kernel);
        }
        if !self.dirty || began < self.not_before {
            return;
        }
        let restored = self.restore(&running.config());
        self.missing = restored.is_err();
        let asked = self.mirror.refresh(&mut self.kernel);
        self.dirty = asked.is_err();
        // The tables stay as they are; it is tried again.
        let trouble = restored.err().map(|error| error.problem);
        let trouble = trouble.or(asked.as_ref().err().map(ToString::to_string));
        match trouble {
            Some(trouble) if !self.complained => eprintln!("gateway: {trouble}"),
            _ => {}
        }
        self.complained = self.missing || self.dirty;
        if let Ok(Some(known)) = asked {
            running.adopt(known);
        }
        self.not_before = Instant::now() + began.elapsed() * ASKING_SHARE;
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
