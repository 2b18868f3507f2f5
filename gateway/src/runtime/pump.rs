//! The thread that moves frames between shadows and workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::shadow_bridges::Made;
use crate::dpdk::{Clock, Mbuf, Tap};
use crate::host::{Interface, Shadow};

/// Turns without a frame before the thread sleeps between them.
const IDLE_TURNS: u32 = 64;
/// What a frame waits at most for a thread that sleeps.
const NAP: Duration = Duration::from_micros(200);

/// Made anew, in the place of what somebody has removed.
pub(super) enum Replacement {
    /// A shadow's interface.
    Interface(usize, Tap),
    /// A bridge over them; it goes after them.
    Bridge(Made),
}

/// All shadows, while they are pumped.
pub(super) struct Pumped {
    pub(super) shadows: Vec<Shadow<Mbuf, Tap>>,
    /// Of what each stands for; `None`: a bridge, which is always up.
    pub(super) links: Vec<Option<Arc<AtomicBool>>>,
    /// What the kernel was told of them.
    carriers: Vec<Option<bool>>,
    replacements: Receiver<Replacement>,
    /// Over the shadows; dropped after them.
    bridges: Vec<Made>,
}

/// Moves frames until it is stopped and nothing waits any more.
pub(super) struct Pump {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Pump {
    pub(super) fn start(mut pumped: Pumped, clock: Clock) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut idle = 0;
            loop {
                let stopping = stopped.load(Ordering::Relaxed);
                pumped.replace();
                let now = clock.now();
                let turn = if stopping { Shadow::drain } else { Shadow::pump };
                let moved: usize = pumped.shadows.iter_mut().map(|shadow| turn(shadow, now)).sum();
                if stopping && moved == 0 {
                    break;
                }
                idle = if moved == 0 { idle + 1 } else { 0 };
                if idle >= IDLE_TURNS {
                    pumped.follow_links();
                    thread::sleep(NAP);
                }
            }
        });
        Self { stop, thread }
    }

    /// After the workers have stopped: what they sent up is delivered, then all buffers are back.
    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.join(); // a panic of its own is reported already
    }
}

impl Pumped {
    pub(super) fn new(
        shadows: Vec<Shadow<Mbuf, Tap>>,
        links: Vec<Option<Arc<AtomicBool>>>,
        replacements: Receiver<Replacement>,
        bridges: Vec<Made>,
    ) -> Self {
        let carriers = vec![None; links.len()];
        Self { shadows, links, carriers, replacements, bridges }
    }

    fn replace(&mut self) {
        while let Ok(replacement) = self.replacements.try_recv() {
            match replacement {
                Replacement::Bridge(made) => self.bridges.push(made),
                Replacement::Interface(place, tap) => {
                    if let Some(shadow) = self.shadows.get_mut(place) {
                        *shadow.interface() = tap;
                        self.carriers[place] = None;
                    }
                }
            }
        }
    }

    /// The kernel, and the daemons that watch it, see a port lose its link.
    fn follow_links(&mut self) {
        let Self { shadows, links, carriers, .. } = self;
        for ((shadow, link), carrier) in shadows.iter_mut().zip(links).zip(carriers) {
            let up = link.as_ref().is_none_or(|link| link.load(Ordering::Relaxed));
            if *carrier != Some(up) && shadow.interface().set_carrier(up).is_ok() {
                *carrier = Some(up);
            }
        }
    }
}
