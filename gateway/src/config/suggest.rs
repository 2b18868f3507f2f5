//! "Did you mean": the nearest of the known words by edit distance.

/// Longer than any word we know: not worth comparing.
const TYPED_BYTES: usize = 128;

/// A hint naming the known word that `typed` is a slip of.
pub(super) fn did_you_mean(typed: &str, known: &[&str]) -> Option<String> {
    if typed.len() > TYPED_BYTES {
        return None;
    }
    let slips = (typed.chars().count() / 3).min(4);
    known
        .iter()
        .map(|word| (strsim::damerau_levenshtein(&typed.to_lowercase(), word), word))
        .filter(|(distance, _)| *distance <= slips)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| format!("did you mean `{word}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["max_segments", "max_hold_us", "mode"];
        assert_eq!(
            did_you_mean("max_segmets", &known).as_deref(),
            Some("did you mean `max_segments`?")
        );
        assert_eq!(did_you_mean("Mode", &known).as_deref(), Some("did you mean `mode`?"));
        assert_eq!(did_you_mean("adress", &known), None);
        assert_eq!(did_you_mean("", &known), None);
    }
}
