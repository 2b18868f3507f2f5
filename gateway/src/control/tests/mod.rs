//! The control side against a gateway that is not there.

mod http;
mod render;
mod sample;
mod socket;

use std::sync::Arc;

use sample::Sample;

fn sample() -> Arc<Sample> {
    Arc::new(Sample { live: true })
}
