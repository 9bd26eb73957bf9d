//! In which order the tests of a mutant are run: the likeliest to catch it first.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use crate::list::Mutant;
use crate::reach::Test;

/// Unit tests that take less than this are run together, by one process.
const QUICK: Duration = Duration::from_millis(500);

/// Mutants so many lines away belong to the same piece of code.
const NEAR: usize = 12;

/// Tests that caught most of the other mutants of the file and are tried before any others.
const PROVEN: usize = 2;

/// What is known of the tests.
pub struct Order<'a> {
    mutants: &'a [Mutant],
    tests: &'a [Test],
    /// How many tests reach each mutant.
    reached: BTreeMap<usize, usize>,
    /// How many mutants of each file each test has caught.
    caught: Mutex<BTreeMap<String, BTreeMap<String, usize>>>,
}

impl<'a> Order<'a> {
    /// Nothing was caught yet.
    pub fn new(mutants: &'a [Mutant], tests: &'a [Test]) -> Self {
        let mut reached = BTreeMap::new();
        for mutant in tests.iter().flat_map(|test| &test.reaches) {
            *reached.entry(*mutant).or_default() += 1;
        }
        Self { mutants, tests, reached, caught: Mutex::default() }
    }

    /// Notes that a test caught a mutant.
    pub fn note(&self, mutant: &Mutant, test: &Test) {
        let mut caught = self.caught.lock().expect("no worker panicked");
        *caught.entry(mutant.file.clone()).or_default().entry(test.name.clone()).or_default() += 1;
    }

    /// The tests that reach a mutant, by processes: the quick unit tests share one, the others have one each. First
    /// those that have proven themselves, then those that go where few others go near the mutant, for their time.
    pub fn of(&self, mutant: &Mutant) -> Vec<Vec<&'a Test>> {
        let reaching = self.tests.iter().filter(|test| test.reaches.contains(&mutant.id));
        let is_quick = |test: &&Test| test.target == "lib" && test.time < QUICK;
        let (quick, others): (Vec<&Test>, Vec<&Test>) = reaching.partition(is_quick);
        let caught = self.caught.lock().expect("no worker panicked").get(&mutant.file).cloned().unwrap_or_default();
        let near = self.near(mutant);
        let mut others: Vec<(Reverse<usize>, f64, &Test)> = others
            .into_iter()
            .map(|test| {
                let rare: f64 = near.iter().filter(|(id, _)| test.reaches.contains(id)).map(|(_, rare)| rare).sum();
                let proven = caught.get(&test.name).copied().unwrap_or(0);
                (Reverse(proven), -rare / test.time.as_secs_f64(), test)
            })
            .collect();
        others.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        if let Some(rest) = others.get_mut(PROVEN..) {
            rest.sort_by(|a, b| a.1.total_cmp(&b.1));
        }
        let others = others.into_iter().map(|(_, _, test)| vec![test]);
        [quick].into_iter().filter(|quick| !quick.is_empty()).chain(others).collect()
    }

    /// The mutants near one, and how rare it is that a test reaches them.
    fn near(&self, mutant: &Mutant) -> Vec<(usize, f64)> {
        let line = mutant.span.start.line;
        let is_near = |other: &&Mutant| other.file == mutant.file && other.span.start.line.abs_diff(line) <= NEAR;
        let near = self.mutants.iter().filter(is_near);
        near.filter_map(|other| Some((other.id, 1.0 / f64::from(u32::try_from(*self.reached.get(&other.id)?).ok()?))))
            .collect()
    }
}
