//! What happens in one run: worlds on the same ports, settings, and steps.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::packet::{Train, train};
use crate::world::{Settings, World, settings, worlds};

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The first is configured at the start.
    pub(crate) worlds: Vec<World>,
    pub(crate) settings: Settings,
    pub(crate) steps: Vec<Step>,
    /// At the end wait, all faults mended, until all is received and nothing is held; else stop at
    /// once, with what is held and blocked.
    pub(crate) linger: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A train is on its way, and this happens to it.
    Send(Train, Vec<Noise>),
    Poll(usize),
    PollAll,
    /// Microseconds.
    Wait(u64),
    /// Longer than a bridge remembers.
    Age,
    /// The control side publishes the tables of a world.
    Publish(usize),
    /// The control side lets bridges forget a port.
    Forget(usize),
    /// A port keeps so many of the frames it sends.
    Ring(usize, usize),
    // ── faults ──
    /// A port takes so many more frames; `None`: any number.
    Room(usize, Option<usize>),
    Link(usize, bool),
    /// The control side restarts a port; in no strategy, as it would give kept seeds another meaning.
    Restart(usize),
    /// Somebody takes all buffers but so many.
    Dry(usize),
    Refill,
    /// One allocation fails, behind so many others.
    Fail(u64),
}

/// What a network does to the frame at an index (modulo their number) of a train.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Noise {
    Lose(usize),
    Double(usize),
    /// With the next one.
    Swap(usize),
    /// Of the first bytes, where the headers are, or anywhere.
    Flip {
        frame: usize,
        bit: usize,
    },
    Cut {
        frame: usize,
        len: usize,
    },
}

impl Step {
    /// Whether it can make the gateway lose what it would forward.
    pub(crate) fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::Room(..)
                | Self::Link(..)
                | Self::Restart(_)
                | Self::Dry(_)
                | Self::Refill
                | Self::Fail(_)
        )
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Send(..) => "trains",
            Self::Poll(_) | Self::PollAll => "polls",
            Self::Wait(_) => "waits",
            Self::Age => "ageings",
            Self::Publish(_) => "tables published",
            Self::Forget(_) => "ports forgotten",
            Self::Ring(..) => "rings resized",
            Self::Room(..) => "ports blocked",
            Self::Link(..) => "link changes",
            Self::Restart(_) => "restarts",
            Self::Dry(_) => "dry spells",
            Self::Refill => "refills",
            Self::Fail(_) => "failed allocations",
        }
    }
}

impl Plan {
    /// Whether frames may be lost inside the gateway.
    pub(crate) fn is_faulty(&self) -> bool {
        self.settings.tx_buffer < 4096 || self.steps.iter().any(Step::is_fault)
    }

    /// The same with another form of super-packets.
    pub(crate) fn with_mode(&self, mode: &'static str) -> Self {
        Self { settings: Settings { mode, ..self.settings.clone() }, ..self.clone() }
    }
}

/// Traffic and table changes, nothing lost: what leaves is known exactly.
pub(crate) fn exact() -> impl Strategy<Value = Plan> {
    plans(false, 1..40)
}

/// Every fault too.
pub(crate) fn faulty() -> impl Strategy<Value = Plan> {
    plans(true, 5..60)
}

fn plans(with_faults: bool, steps: core::ops::Range<usize>) -> impl Strategy<Value = Plan> {
    (worlds(), settings(with_faults), prop::bool::weighted(0.5)).prop_flat_map(
        move |(worlds, settings, linger)| {
            let step = step(worlds[0].ports.len(), with_faults);
            prop::collection::vec(step, steps.clone()).prop_map(move |steps| Plan {
                worlds: worlds.clone(),
                settings: settings.clone(),
                steps,
                linger,
            })
        },
    )
}

fn step(ports: usize, with_faults: bool) -> BoxedStrategy<Step> {
    let send = (train(ports), prop::collection::vec(noise(), 0..2));
    let usual = prop_oneof![
        8 => send.prop_map(|(train, noise)| Step::Send(train, noise)),
        3 => (0..2usize).prop_map(Step::Poll),
        6 => Just(Step::PollAll),
        2 => prop_oneof![1..5u64, 50..500u64].prop_map(Step::Wait),
        1 => prop_oneof![
            Just(Step::Age),
            (0..3usize).prop_map(Step::Publish),
            (0..ports).prop_map(Step::Forget),
            (0..ports, 0..40usize).prop_map(|(port, frames)| Step::Ring(port, frames)),
        ],
    ];
    if !with_faults {
        return usual.boxed();
    }
    prop_oneof![
        6 => usual,
        1 => prop_oneof![
            (0..ports, prop::option::of(0..8usize)).prop_map(|(port, room)| Step::Room(port, room)),
            (0..ports, any::<bool>()).prop_map(|(port, up)| Step::Link(port, up)),
            (0..12usize).prop_map(Step::Dry),
            Just(Step::Refill),
            Just(Step::Refill),
            (0..60u64).prop_map(Step::Fail),
        ],
    ]
    .boxed()
}

fn noise() -> impl Strategy<Value = Noise> {
    let index = || 0..70usize;
    prop_oneof![
        index().prop_map(Noise::Lose),
        index().prop_map(Noise::Double),
        index().prop_map(Noise::Swap),
        (index(), prop_oneof![3 => 0..8 * 80usize, 1 => 0..8 * 1500usize])
            .prop_map(|(frame, bit)| Noise::Flip { frame, bit }),
        (index(), 0..100usize).prop_map(|(frame, len)| Noise::Cut { frame, len }),
    ]
}

/// The plan of a seed, in a form that can be made simpler.
pub(crate) fn of_seed(seed: u64) -> impl ValueTree<Value = Plan> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    faulty().new_tree(&mut runner).expect("nothing is filtered")
}
