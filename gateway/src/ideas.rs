//! What makes the path faster and changes nothing that leaves it. Every idea is on; a build can be
//! without some, so that `make ideas` can measure what each is worth:
//!
//! ```text
//! GATEWAY_WITHOUT=runs,memo cargo build        # or all
//! GATEWAY_PREFETCH=4 cargo build
//! ```
//!
//! *Invariant:* decided when compiling, so that a choice costs the path nothing; the way taken without
//! an idea is the one for what is no case of it. Absent: what a file or an argument switches (`mode`,
//! `adaptive`, `copy_up_to`, hugepages, the kind of pool).

/// A switch for each idea, and their names.
macro_rules! ideas {
    ($($(#[$what:meta])+ $idea:ident),+ $(,)?) => {
        $($(#[$what])+ pub const $idea: bool = is_in(stringify!($idea));)+
        const NAMES: &[&str] = &[$(stringify!($idea)),+];
    };
}

ideas! {
    /// The next datagrams of a train are compared with the one before and join it together, before
    /// any is parsed; without, one by one.
    RUNS,
    /// Plain datagrams have a way of their own; without, that of all others.
    PLAIN,
    /// Plain datagrams of a burst are looked at, looked up and sent on in loops of their own; without,
    /// each is sent on before the next is looked at.
    STEPS,
    /// A pair of hosts, or of stations, is looked up once in a row.
    MEMO,
    /// A train goes into the transmit buffer, which is the array that `tx_burst` gets, at once;
    /// without, frame by frame.
    ARRAYS,
    /// The IPv4 checksum is corrected for one hop less; without, computed anew.
    INCREMENTAL,
    /// The buffers for a train's copies come from the pool at once; without, one by one.
    BULK,
    /// What is rewritten alike for several ports, which have one address, is written once and then
    /// shared.
    EQUAL,
}

/// How many datagrams ahead the headers of plain ones are fetched into the cache; 0: not.
pub const PREFETCH: usize = match option_env!("GATEWAY_PREFETCH") {
    Some(distance) => match usize::from_str_radix(distance, 10) {
        Ok(distance) => distance,
        Err(_) => panic!("GATEWAY_PREFETCH is no number"),
    },
    None => 0,
};

/// What this build is without, as it was asked for.
pub const WITHOUT: &str = match option_env!("GATEWAY_WITHOUT") {
    Some(names) if are_known(names) => names,
    Some(_) => panic!("GATEWAY_WITHOUT names what is no idea of ideas.rs"),
    None => "",
};

const fn is_in(idea: &str) -> bool {
    !lists(WITHOUT, idea) && !lists(WITHOUT, "all")
}

/// Whether `word` is one of these comma separated words, in letters of either case.
const fn lists(words: &str, word: &str) -> bool {
    let mut rest = Some(words.as_bytes());
    while let Some(words) = rest {
        let (first, behind) = next(words);
        if are_equal(first, word.as_bytes()) {
            return true;
        }
        rest = behind;
    }
    false
}

/// Whether every one of these comma separated words is a name, or `all`.
const fn are_known(words: &str) -> bool {
    let mut rest = if words.is_empty() { None } else { Some(words.as_bytes()) };
    while let Some(words) = rest {
        let (first, behind) = next(words);
        let mut known = are_equal(first, b"all");
        let mut at = 0;
        while at < NAMES.len() {
            known |= are_equal(first, NAMES[at].as_bytes());
            at += 1;
        }
        if !known {
            return false;
        }
        rest = behind;
    }
    true
}

/// The first of comma separated words, and the others.
const fn next(words: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut at = 0;
    while at < words.len() {
        if words[at] == b',' {
            let (first, rest) = words.split_at(at);
            return (first, Some(rest.split_at(1).1));
        }
        at += 1;
    }
    (words, None)
}

const fn are_equal(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at].eq_ignore_ascii_case(&other[at]) {
        at += 1;
    }
    at == one.len() && at == other.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_what_it_names() {
        for list in ["runs", "RUNS", "memo,runs", "runs,memo", "steps,Runs,bulk"] {
            assert!(lists(list, "RUNS") && are_known(list), "{list}");
        }
        for list in ["", "run", "runss", "memo", "steps,bulk"] {
            assert!(!lists(list, "RUNS"), "{list}");
        }
    }

    #[test]
    fn a_name_that_means_nothing_is_refused() {
        for list in ["run", "runs,", ",", "runs,,memo", "runs memo", "prefetch"] {
            assert!(!are_known(list), "{list}");
        }
        assert!(are_known("") && are_known("all") && are_known("bulk,all"));
    }

    /// An ordinary build has everything.
    #[test]
    fn without_a_word_every_idea_is_in() {
        let all = [RUNS, PLAIN, STEPS, MEMO, ARRAYS, INCREMENTAL, BULK, EQUAL];
        assert_eq!(all.len(), NAMES.len());
        assert!(!WITHOUT.is_empty() || all.iter().all(|&is_in| is_in));
    }
}
