use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

use super::capture::{CaptureRequest, Capturing};
use super::report::{
    ConfigReport, DropsReport, FanoutReport, FdbReport, FibEntry, FilterReport, GroReport, Health,
    HostReport, LatencyReport, MdbEntry, MfibEntry, NeighborEntry, PoolReport, PortReport,
    ReloadReport, TableUse, WorkerReport,
};

/// What the control side can ask of a running gateway, from any thread. Answers are moments'
/// copies; an implementation bounds how long it waits for a worker's.
pub trait Observe: Send + Sync {
    /// In the order of the file.
    fn ports(&self) -> Vec<PortReport>;
    /// In the order of `runtime.lcores`.
    fn workers(&self) -> Vec<WorkerReport>;
    /// One per port.
    fn gro(&self) -> Vec<GroReport>;
    /// Replication.
    fn fanout(&self) -> FanoutReport;
    /// Shadows, in the order of the ports they stand for.
    fn host(&self) -> Vec<HostReport>;
    /// Drops.
    fn drops(&self) -> DropsReport;
    /// One per bridge.
    fn fdb(&self) -> Vec<FdbReport>;
    /// Groups of bridges.
    fn mdb(&self) -> Vec<MdbEntry>;
    /// Unicast routes.
    fn fib(&self) -> Vec<FibEntry>;
    /// Multicast routes.
    fn mfib(&self) -> Vec<MfibEntry>;
    /// Neighbors.
    fn neighbors(&self) -> Vec<NeighborEntry>;
    /// In the order of the file.
    fn filters(&self) -> Vec<FilterReport>;
    /// Pairs of ports with traffic between them.
    fn latency(&self) -> Vec<LatencyReport>;
    /// Packet pools.
    fn pools(&self) -> Vec<PoolReport>;
    /// Tables of fixed size.
    fn tables(&self) -> Vec<TableUse>;
    /// The configuration that runs.
    fn config(&self) -> ConfigReport;
    /// Whether the gateway does its work.
    fn health(&self) -> Health;
}

/// What the gateway's user may do beyond asking; only over the control socket.
pub trait Operate: Observe {
    /// Reads the file again and applies it, whole or not at all.
    fn reload(&self) -> ReloadReport;
    /// Begins to copy what a port receives and sends.
    ///
    /// # Errors
    /// Why not, in words.
    fn capture(&self, request: &CaptureRequest) -> Result<Box<dyn Capturing>, String>;
}

macro_rules! topics {
    ($($(#[$doc:meta])* $variant:ident = $name:ident,)*) => {
        /// What can be asked for: the WHAT of `gateway show WHAT`.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Topic { $($(#[$doc])* $variant,)* }

        impl Topic {
            /// All topics.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As it is typed.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($name),)* }
            }

            /// What `observe` says of it now.
            pub fn report(self, observe: &(impl Observe + ?Sized)) -> Value {
                match self { $(Self::$variant => json(observe.$name()),)* }
            }
        }
    };
}

topics! {
    /// [`PortReport`]s.
    Ports = ports,
    /// [`WorkerReport`]s.
    Workers = workers,
    /// [`GroReport`]s.
    Gro = gro,
    /// [`FanoutReport`].
    Fanout = fanout,
    /// [`HostReport`]s.
    Host = host,
    /// [`DropsReport`].
    Drops = drops,
    /// [`FdbReport`]s.
    Fdb = fdb,
    /// [`MdbEntry`]s.
    Mdb = mdb,
    /// [`FibEntry`]s.
    Fib = fib,
    /// [`MfibEntry`]s.
    Mfib = mfib,
    /// [`NeighborEntry`]s.
    Neighbors = neighbors,
    /// [`FilterReport`]s.
    Filters = filters,
    /// [`LatencyReport`]s.
    Latency = latency,
    /// [`PoolReport`]s.
    Pools = pools,
    /// [`TableUse`]s.
    Tables = tables,
    /// [`ConfigReport`].
    Config = config,
    /// [`Health`].
    Health = health,
}

/// Reports have string keys and finite sizes, so this does not fail; a number that is not finite
/// is null.
pub(super) fn json(report: impl Serialize) -> Value {
    serde_json::to_value(report).unwrap_or(Value::Null)
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Topic {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|topic| topic.name() == text).ok_or(())
    }
}
