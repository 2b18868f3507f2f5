//! What ends a command from outside.

use std::sync::atomic::{AtomicBool, Ordering};

use super::output::complain;

/// Set by the first signal.
static STOP: AtomicBool = AtomicBool::new(false);

/// A flag that SIGINT, SIGTERM and SIGHUP set.
pub(super) fn stop_on_signal() -> &'static AtomicBool {
    let handler = ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed));
    if let Err(error) = handler {
        complain(format_args!("gateway: signals end the program at once: {error}"));
    }
    &STOP
}
