//! Stepping through another process finds what is planted there.
#![cfg(target_arch = "x86_64")]
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use std::fs;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bench::sharing::{LINE, Line, Lines, Stepper, Verdict};

/// A line that two threads write to, one word each, or the same.
#[repr(align(64))]
struct Words([AtomicU64; 8]);

static APART: Words = Words([const { AtomicU64::new(0) }; 8]);
static COMMON: Words = Words([const { AtomicU64::new(0) }; 8]);
static ENDED: AtomicBool = AtomicBool::new(false);
static OWN: Words = Words([const { AtomicU64::new(0) }; 8]);

#[test]
fn what_is_planted_in_a_process_is_found() -> anyhow::Result<()> {
    let mut planted = Planted::start()?;
    let [apart, common, own] = planted.addresses()?;
    let threads = [planted.thread("left")?, planted.thread("right")?];
    let mut lines = Lines::default();
    Stepper::stop(planted.0.id(), &threads)?.run(4000, 200, &mut lines)?;
    let shared = lines.shared();
    let of = |at: u64| shared.iter().find(|(line, ..)| *line == at).map(|(_, v, line)| (*v, *line));
    let stored = |line: &Line| -> Vec<_> { line.uses.iter().map(|used| used.stored).collect() };
    let (verdict, line) = of(apart).expect("the line with words apart");
    assert_eq!((verdict, stored(line)), (Verdict::Apart, vec![0xff, 0xff << 8]));
    assert!(line.moves >= 20, "{}", line.moves);
    let (verdict, line) = of(common).expect("the line with one word");
    assert_eq!((verdict, stored(line)), (Verdict::Common, vec![0xff << 16, 0xff << 16]));
    assert!(of(own).is_none());
    Ok(())
}

/// The program of [`planted`]; killed when dropped.
struct Planted(Child);

impl Planted {
    fn start() -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--exact", "planted", "--nocapture"]);
        Ok(Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?))
    }

    fn addresses(&mut self) -> anyhow::Result<[u64; 3]> {
        let stdout = self.0.stdout.take().expect("piped");
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            let Some((_, list)) = line.split_once("lines at ") else { continue };
            let addresses = list.split(' ').map(str::parse).collect::<Result<Vec<_>, _>>()?;
            return Ok(addresses.try_into().expect("three"));
        }
        anyhow::bail!("it said nothing")
    }

    /// By name, which a new thread gives itself.
    fn thread(&self, name: &str) -> anyhow::Result<u32> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(10) {
            for entry in fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
                let path = entry?.path();
                if fs::read_to_string(path.join("comm"))?.trim() == name {
                    return Ok(path.file_name().expect("a number").to_string_lossy().parse()?);
                }
            }
            thread::sleep(Duration::from_millis(1));
        }
        anyhow::bail!("no thread {name}")
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program that is stepped through, too: busy until its input ends, and for at most ten seconds.
#[test]
fn planted() {
    let [apart, common, own] = [&APART, &COMMON, &OWN].map(|words| &raw const *words as u64);
    assert!([apart, common, own].iter().all(|at| at % LINE == 0));
    thread::scope(|scope| {
        for (word, name) in ["left", "right"].into_iter().enumerate() {
            let work = move || write(word, &ENDED);
            thread::Builder::new().name(name.into()).spawn_scoped(scope, work).expect("a thread");
        }
        println!("\nlines at {apart} {common} {own}");
        thread::spawn(|| {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            ENDED.store(true, Ordering::Relaxed);
        });
        let began = Instant::now();
        while !ENDED.load(Ordering::Relaxed) && began.elapsed() < Duration::from_secs(10) {
            thread::sleep(Duration::from_millis(1));
        }
        ENDED.store(true, Ordering::Relaxed);
    });
    assert_eq!([0, 1].map(|word| APART.0[word].load(Ordering::Relaxed)), [999; 2]);
}

fn write(word: usize, ended: &AtomicBool) {
    loop {
        for n in 0..1000 {
            black_box(&APART).0[word].store(n, Ordering::Relaxed);
            black_box(&COMMON).0[2].store(n, Ordering::Relaxed);
            if word == 0 {
                black_box(&OWN).0[3].store(n, Ordering::Relaxed);
            }
        }
        if ended.load(Ordering::Relaxed) {
            break;
        }
    }
}
