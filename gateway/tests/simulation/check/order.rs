//! Order, class by class: what left is what must and may leave, in the order of arrival.

use std::collections::BTreeMap;

use super::{Item, hex};
use crate::model::Class;

pub(super) fn check(items: &[Item<'_>], sent: &[(&[u8], &Class)]) -> Result<(), String> {
    let mut classes: BTreeMap<&Class, (Vec<&Item<'_>>, Vec<&[u8]>)> = BTreeMap::new();
    for item in items {
        classes.entry(item.class).or_default();
    }
    for (class, (owed, left)) in &mut classes {
        let fragments = class.fragments();
        let counts = |other: &Class| other == *class || fragments.as_ref() == Some(other);
        owed.extend(items.iter().filter(|item| counts(item.class)));
        left.extend(sent.iter().filter(|(_, of)| counts(of)).map(|(frame, _)| frame));
        if matches!(class, Class::Loose | Class::Own) {
            owed.sort_by_key(|item| item.bytes);
            left.sort_unstable();
        }
        matches(owed, left).map_err(|error| format!("{class:?}: {error}"))?;
    }
    Ok(())
}

/// Whether `left` is `owed` without some that need not leave.
fn matches(owed: &[&Item<'_>], left: &[&[u8]]) -> Result<(), String> {
    // how many of `owed` may have been passed when a frame has left
    let mut passed = vec![false; owed.len() + 1];
    passed[0] = true;
    skip(owed, &mut passed);
    for (n, frame) in left.iter().enumerate() {
        let mut next = vec![false; owed.len() + 1];
        for (at, item) in owed.iter().enumerate() {
            next[at + 1] = passed[at] && item.bytes == *frame;
        }
        skip(owed, &mut next);
        if !next.contains(&true) {
            let place = passed.iter().rposition(|&p| p).unwrap_or(0);
            let expected = owed.get(place).map_or("nothing".into(), |item| hex(item.bytes));
            return Err(format!(
                "frame {n} of {}:\n  {}\nowed {place} of {}:\n  {expected}",
                left.len(),
                hex(frame),
                owed.len()
            ));
        }
        passed = next;
    }
    if passed[owed.len()] {
        return Ok(());
    }
    let place = passed.iter().rposition(|&p| p).unwrap_or(0);
    let missing = owed.get(place).map_or("nothing".into(), |item| hex(item.bytes));
    Err(format!("{} left, {} owed; missing: {missing}", left.len(), owed.len()))
}

/// What need not leave can be passed over.
fn skip(owed: &[&Item<'_>], passed: &mut [bool]) {
    for (at, item) in owed.iter().enumerate() {
        passed[at + 1] |= passed[at] && !item.must;
    }
}
