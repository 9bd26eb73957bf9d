//! In which order the tests of a mutant are run: the likeliest to catch it first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use crate::list::Mutant;
use crate::reach::Test;

/// Unit tests that take less than this are run together, by one process.
const QUICK: Duration = Duration::from_millis(500);

/// Mutants so many lines away belong to the same piece of code.
const NEAR: usize = 12;

/// Tests that caught most of the other mutants of the file and are run first.
const PROVEN: usize = 2;

/// Tests that go where few others go near the mutant and are run next.
const CLOSE: usize = 4;

/// What is known of the tests.
pub struct Order<'a> {
    mutants: &'a [Mutant],
    /// The tests: each reaches the most of what few tests reach and none before it has reached, for its time.
    tests: Vec<&'a Test>,
    /// How rare it is that a test reaches a mutant: 1 when there is one such test, a half when there are two.
    rare: BTreeMap<usize, f64>,
    /// How many mutants of each file each test has caught.
    caught: Mutex<BTreeMap<String, BTreeMap<String, usize>>>,
}

impl<'a> Order<'a> {
    /// Nothing was caught yet.
    pub fn new(mutants: &'a [Mutant], tests: &'a [Test]) -> Self {
        let mut reached: BTreeMap<usize, u32> = BTreeMap::new();
        for mutant in tests.iter().flat_map(|test| &test.reaches) {
            *reached.entry(*mutant).or_default() += 1;
        }
        let rare = reached.into_iter().map(|(mutant, tests)| (mutant, 1.0 / f64::from(tests))).collect();
        Self { mutants, tests: by_what_they_add(tests, &rare), rare, caught: Mutex::default() }
    }

    /// Notes that a test caught a mutant.
    pub fn note(&self, mutant: &Mutant, test: &Test) {
        let mut caught = self.caught.lock().expect("no worker panicked");
        *caught.entry(mutant.file.clone()).or_default().entry(test.name.clone()).or_default() += 1;
    }

    /// The tests that reach a mutant, by processes: the quick unit tests share one, the others have one each.
    pub fn of(&self, mutant: &Mutant) -> Vec<Vec<&'a Test>> {
        let reaching = self.tests.iter().copied().filter(|test| test.reaches.contains(&mutant.id));
        let is_quick = |test: &&Test| test.target == "lib" && test.time < QUICK;
        let (quick, mut others): (Vec<&Test>, Vec<&Test>) = reaching.partition(is_quick);
        let caught = self.caught.lock().expect("no worker panicked").get(&mutant.file).cloned().unwrap_or_default();
        let near = self.near(mutant);
        let close = |test: &Test| score(test, |id| if near.contains(&id) { self.rare[&id] } else { 0.0 });
        let mut first: Vec<&Test> = others.iter().copied().filter(|test| caught.contains_key(&test.name)).collect();
        first.sort_by_key(|test| Reverse(caught[&test.name]));
        first.truncate(PROVEN);
        let mut closest: Vec<(f64, &Test)> = others.iter().map(|test| (close(test), *test)).collect();
        closest.sort_by(|a, b| b.0.total_cmp(&a.0));
        first.extend(closest.into_iter().take(CLOSE).map(|(_, test)| test));
        let mut named = BTreeSet::new();
        first.append(&mut others);
        first.retain(|test| named.insert((&test.target, &test.name)));
        let others = first.into_iter().map(|test| vec![test]);
        [quick].into_iter().filter(|quick| !quick.is_empty()).chain(others).collect()
    }

    /// The mutants near one that a test reaches.
    fn near(&self, mutant: &Mutant) -> BTreeSet<usize> {
        let line = mutant.span.start.line;
        let is_near = |other: &&Mutant| other.file == mutant.file && other.span.start.line.abs_diff(line) <= NEAR;
        let near = self.mutants.iter().filter(is_near);
        near.map(|other| other.id).filter(|id| self.rare.contains_key(id)).collect()
    }
}

/// What the mutants are worth that a test reaches, for each second that it takes.
fn score(test: &Test, worth: impl Fn(usize) -> f64) -> f64 {
    test.reaches.iter().map(|id| worth(*id)).sum::<f64>() / test.time.as_secs_f64()
}

fn by_what_they_add<'a>(tests: &'a [Test], rare: &BTreeMap<usize, f64>) -> Vec<&'a Test> {
    let mut left: Vec<&Test> = tests.iter().collect();
    let mut worth = rare.clone();
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let scores = left.iter().enumerate().map(|(at, test)| (score(test, |id| worth[&id]), at));
        let Some((_, best)) = scores.max_by(|a, b| a.0.total_cmp(&b.0)) else { break };
        let best = left.remove(best);
        // A test that goes the same way may still see what this one does not.
        best.reaches.iter().for_each(|id| *worth.entry(*id).or_default() /= 4.0);
        ordered.push(best);
    }
    ordered
}
