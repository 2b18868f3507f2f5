//! The control side against a gateway that is not there.

mod http;
mod render;
mod sample;
mod socket;

use std::sync::Arc;

use super::observe::Observe;

fn sample() -> Arc<dyn Observe> {
    Arc::new(sample::Sample { live: true })
}
