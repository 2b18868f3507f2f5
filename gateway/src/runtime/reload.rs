use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::{self, Change, Config};
use crate::control::{ChangeReport, ReloadReport};
use crate::forward::{PortFacts, Tables};
use crate::host::Known;
use crate::published::Published;

/// The configuration that runs, and what becomes of a changed file: all of it, or nothing.
///
/// A worker takes the new tables over between two polls, whole; what it held was decided on by the
/// old ones.
pub struct Running {
    file: PathBuf,
    /// By which ports are open and memory is set up.
    opened: Config,
    facts: Vec<PortFacts>,
    seed: u64,
    tables: Arc<Published<Tables>>,
    /// What the kernel knows beside the file. Held while tables are built: two changes at once would
    /// each build on what the other replaces.
    known: Mutex<Known>,
    /// Held for moments: whoever asks does not wait for tables.
    state: Mutex<State>,
}

#[derive(Clone)]
struct State {
    /// The file's.
    config: Arc<Config>,
    /// What the kernel knows too.
    effective: Arc<Config>,
    generation: u64,
    last: LastReload,
}

/// What became of the last reload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LastReload {
    None,
    Applied,
    Unchanged,
    NeedsRestart,
    BadFile,
}

impl Running {
    /// `config` of `file` runs on `tables`, which were built with `facts` and `seed`.
    pub fn new(
        config: &Config,
        file: &Path,
        facts: Vec<PortFacts>,
        seed: u64,
        tables: Arc<Published<Tables>>,
    ) -> Self {
        // A gateway that changes its folder still finds its file.
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let config = Arc::new(config.clone());
        let state =
            State { effective: Arc::clone(&config), config, generation: 1, last: LastReload::None };
        let opened = Config::clone(&state.config);
        let known = Mutex::default();
        Self { file, opened, facts, seed, tables, known, state: Mutex::new(state) }
    }

    /// The file that runs.
    pub fn config(&self) -> Arc<Config> {
        self.state().config
    }

    /// What workers decide by: the file, and what the kernel adds.
    pub(super) fn effective(&self) -> Arc<Config> {
        self.state().effective
    }

    /// Workers decide by what the kernel knows now.
    pub fn adopt(&self, known: Known) {
        let mut current = lock(&self.known);
        *current = known;
        self.publish(&current, self.state());
    }

    /// 1 at start, one more with every applied reload.
    pub(super) fn generation(&self) -> u64 {
        self.state().generation
    }

    pub(super) fn last(&self) -> LastReload {
        self.state().last
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn tables(&self) -> &Arc<Published<Tables>> {
        &self.tables
    }

    /// Reads the file again and, if nothing in it needs a restart, applies it.
    pub fn reload(&self) -> ReloadReport {
        let known = lock(&self.known);
        let report = match config::load(&self.file, false) {
            Ok(wanted) => self.apply(&known, wanted),
            Err(errors) => {
                lock(&self.state).last = LastReload::BadFile;
                ReloadReport { errors: Some(errors), ..ReloadReport::default() }
            }
        };
        let state = self.state();
        ReloadReport {
            file: self.file.display().to_string(),
            generation: state.generation,
            result: state.last.text().to_owned(),
            ..report
        }
    }

    fn apply(&self, known: &Known, wanted: Config) -> ReloadReport {
        let mut state = self.state();
        let changes = state.config.changes(&wanted, &self.opened);
        state.last = if changes.is_empty() {
            LastReload::Unchanged
        } else if changes.iter().any(|change| change.restart.is_some()) {
            LastReload::NeedsRestart
        } else {
            LastReload::Applied
        };
        let applied = matches!(state.last, LastReload::Applied | LastReload::Unchanged);
        if state.last == LastReload::Applied {
            state.config = Arc::new(wanted);
            state.generation += 1;
            self.publish(known, state);
        } else {
            *lock(&self.state) = state;
        }
        let changes = changes.into_iter().map(report).collect();
        ReloadReport { applied, changes, ..ReloadReport::default() }
    }

    /// Builds the tables of `next` and lets it take the present state's place.
    fn publish(&self, known: &Known, next: State) {
        let effective = Arc::new(known.overlay(&next.config));
        let old = self.tables.current();
        self.tables.publish(Tables::rebuild(&effective, &self.facts, self.seed, &old));
        *lock(&self.state) = State { effective, ..next };
    }

    fn state(&self) -> State {
        lock(&self.state).clone()
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LastReload {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::None => "as started",
            Self::Applied => "the last reload was applied",
            Self::Unchanged => "the last reload changed nothing",
            Self::NeedsRestart => "the last reload was refused: it needs a restart",
            Self::BadFile => "the last reload was refused: the file has errors",
        }
    }

    pub(super) const fn is_refused(self) -> bool {
        matches!(self, Self::NeedsRestart | Self::BadFile)
    }
}

fn report(change: Change) -> ChangeReport {
    ChangeReport { change: change.text, restart: change.restart.map(str::to_owned) }
}
