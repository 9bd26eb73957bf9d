//! What a watch remembers of its targets between rounds that read everything, and when each was looked at.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::aws::Connection;
use crate::desired::{Desired, Scope, Target};
use crate::live::Memory;

/// The targets' memories, by their names.
pub struct Memories {
    /// After so long everything is read again.
    full_interval: SignedDuration,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    remembered: BTreeMap<String, Remembered>,
    looks: BTreeMap<String, Looks>,
}

/// What is remembered of one target.
pub(super) struct Remembered {
    pub(super) memory: Memory,
    pub(super) connection: Connection,
    target: Target,
    scope: Scope,
}

/// When a target was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looks {
    /// When the last look began that read everything.
    pub full: Timestamp,
    /// When the last look began.
    pub last: Timestamp,
    /// Whether the last look read everything.
    pub is_full: bool,
}

impl Memories {
    /// Nothing is remembered yet, and nothing will be where the interval is none.
    pub fn new(full_interval: SignedDuration) -> Self {
        Self { full_interval, known: Mutex::default() }
    }

    /// When each target was looked at, as far as it could be.
    pub fn looks(&self) -> BTreeMap<String, Looks> {
        self.known().looks.clone()
    }

    /// Whether the last look at every target read everything.
    pub fn looked_in_full(&self) -> bool {
        self.known().looks.values().all(|looks| looks.is_full)
    }

    /// Forgets targets that are there no more.
    pub(super) fn only_of(&self, targets: &[Desired]) {
        let is_there = |name: &String| targets.iter().any(|desired| desired.target.name == *name);
        let mut known = self.known();
        known.looks.retain(|name, _| is_there(name));
        known.remembered.retain(|name, _| is_there(name));
    }

    /// Everything is to be read again.
    pub fn forget(&self) {
        self.known().remembered.clear();
    }

    /// What is remembered of a target, when that is still good at `now`. Whoever takes it gives back what it becomes.
    pub(super) fn take(&self, desired: &Desired, now: Timestamp) -> Option<Remembered> {
        let mut known = self.known();
        let remembered = known.remembered.remove(&desired.target.name)?;
        let since = now.duration_since(known.looks.get(&desired.target.name)?.full);
        let is_due = since.is_negative() || since >= self.full_interval;
        let is_same = remembered.target == desired.target && remembered.scope == desired.scope;
        (is_same && !is_due).then_some(remembered)
    }

    /// Notes a look that began at `begun`, and what it found; nothing where it cannot be told by which clock.
    pub(super) fn keep(
        &self,
        desired: &Desired,
        connection: &Connection,
        memory: Option<Memory>,
        begun: Timestamp,
        full: bool,
    ) {
        let name = desired.target.name.clone();
        let mut known = self.known();
        let before = known.looks.get(&name).map(|looks| looks.full).filter(|_| !full);
        known.looks.insert(name.clone(), Looks { full: before.unwrap_or(begun), last: begun, is_full: full });
        if let Some(memory) = memory.filter(|_| !self.full_interval.is_zero()) {
            let (target, scope) = (desired.target.clone(), desired.scope.clone());
            known.remembered.insert(name, Remembered { memory, connection: connection.clone(), target, scope });
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // The maps are whole even if another task died while it held the lock.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
