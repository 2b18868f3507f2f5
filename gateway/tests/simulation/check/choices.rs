//! Which of several equal paths a flow took: what left tells, and it must be one.

use std::collections::{HashMap, HashSet};

use crate::model::{Arrival, Fate};

/// The fates that what left leaves possible. Of a flow of which nothing left (all of it too big,
/// say, and the errors limited) any path may be the one.
pub(super) fn resolve<'a>(
    arrivals: &'a [Arrival],
    sent: &[Vec<Vec<u8>>],
) -> Result<Vec<Vec<&'a Fate>>, String> {
    let left: Vec<HashSet<&[u8]>> =
        sent.iter().map(|sent| sent.iter().map(|frame| &frame[..]).collect()).collect();
    let mut chosen = HashMap::new();
    for fate in arrivals.iter().flat_map(|arrival| &arrival.fates) {
        let Some(path) = &fate.path else { continue };
        let has_left = fate.leaves.iter().any(|(port, frame)| left[*port].contains(&frame[..]));
        if has_left && *chosen.entry(&path.choice).or_insert(path.index) != path.index {
            return Err(format!("a flow took two of its equal paths: {:?}", path.choice));
        }
    }
    let is_possible = |fate: &&Fate| match &fate.path {
        Some(path) => chosen.get(&path.choice).is_none_or(|index| *index == path.index),
        None => true,
    };
    Ok(arrivals.iter().map(|arrival| arrival.fates.iter().filter(is_possible).collect()).collect())
}
