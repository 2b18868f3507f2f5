//! The mailbox: who is answered gets a copy made after it asked, and a whole one.

#[path = "../../src/worker/mailbox.rs"]
mod file;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering::Relaxed};
use loom::thread;

use file::Mailbox;

/// Both are written at every poll.
type Numbers = (u64, u64);

fn poll(mailbox: &Mailbox<Numbers>, number: u64) {
    if mailbox.is_asked() {
        mailbox.answer(|copy| {
            copy.0 = number;
            copy.1 = number;
        });
    }
}

#[test]
fn an_answer_is_whole_and_not_older_than_the_question() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::<Numbers>::default());
        let polls = Arc::new(AtomicU64::new(0));
        // The control side is the spawned one: loom then explores its loads against all stores.
        let control = {
            let (mailbox, polls) = (Arc::clone(&mailbox), Arc::clone(&polls));
            thread::spawn(move || {
                let before = polls.load(Relaxed);
                let number = mailbox.ask();
                for _ in 0..2 {
                    if let Some((first, second)) = mailbox.collect(number) {
                        assert_eq!(first, second, "torn");
                        assert!(first >= before.max(1), "{first} answers a question of {before}");
                    }
                }
                number
            })
        };
        for number in 1..=2 {
            polls.store(number, Relaxed);
            poll(&mailbox, number);
        }
        let number = control.join().unwrap();
        poll(&mailbox, 3);
        assert!(mailbox.collect(number).is_some(), "nobody answers");
    });
}

#[test]
fn two_who_ask_at_once_are_both_answered() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::<Numbers>::default());
        let other = Arc::clone(&mailbox);
        let rival = thread::spawn(move || other.ask());
        let first = mailbox.ask();
        poll(&mailbox, 1);
        let second = rival.join().unwrap();
        assert_ne!(first, second);
        poll(&mailbox, 2);
        for number in [first, second] {
            assert!(mailbox.collect(number).is_some_and(|(a, b)| a == b && a >= 1));
        }
    });
}
