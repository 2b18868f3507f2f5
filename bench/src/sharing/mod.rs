//! Cache lines that threads share, hunted without hardware counters: every instruction of the polling
//! threads of a running program is stepped through in turn, and what it loads and stores is noted.
//!
//! *Absent:* what the kernel and threads that are not stepped touch, and how long a miss takes.

mod lines;
mod places;
mod steps;

pub use lines::{Access, LINE, Line, Lines, Verdict};
pub use places::Places;
pub use steps::Stepper;
