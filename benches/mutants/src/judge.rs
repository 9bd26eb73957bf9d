//! Runs the tests that reach a mutant while it is on, until one fails; what came of it is kept in a file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::compile::Unviable;
use crate::list::Mutant;
use crate::order::Order;
use crate::process::{self, Ended};
use crate::reach::{SIDE_BY_SIDE, Test};
use crate::tree::Tree;

/// What came of a mutant.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It does not compile.
    NotViable,
    /// It cannot be written behind a switch.
    NotExpressed,
    /// A test failed.
    Caught,
    /// A test did not end.
    TimedOut,
    /// All tests that reach it pass, or so many of them as may be run.
    Missed,
    /// No test reaches it.
    Unreached,
}

/// One line of the file.
#[derive(Debug, Deserialize, Serialize)]
struct Entry {
    mutant: String,
    outcome: Outcome,
    /// The first of the tests that were run by the process that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// What is known of each mutant, by its key; a later line of the file goes before an earlier one.
pub struct Results {
    known: BTreeMap<String, Outcome>,
    file: File,
}

impl Results {
    /// Reads what an earlier run found.
    pub fn open(work: &Path) -> Result<Self, String> {
        fs::create_dir_all(work).map_err(|error| error.to_string())?;
        let path = work.join("results.jsonl");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let entries = text.lines().filter_map(|line| serde_json::from_str::<Entry>(line).ok());
        let known = entries.map(|entry| (entry.mutant, entry.outcome)).collect();
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(|error| error.to_string())?;
        Ok(Self { known, file })
    }

    /// What came of a mutant.
    pub fn of(&self, mutant: &Mutant) -> Option<Outcome> {
        self.known.get(&mutant.key).copied()
    }

    /// The mutants that did not compile in an earlier run.
    pub fn not_viable(&self, mutants: &[Mutant]) -> BTreeSet<usize> {
        let is_one = |mutant: &&Mutant| self.of(mutant) == Some(Outcome::NotViable);
        mutants.iter().filter(is_one).map(|mutant| mutant.id).collect()
    }

    /// Takes up the mutants that are not judged. One that was not expressed in another state of the code is judged now.
    pub fn unviable(&mut self, mutants: &[Mutant], unviable: &Unviable) -> Result<(), String> {
        for mutant in mutants {
            if unviable.not_expressed.contains(&mutant.id) {
                self.note(mutant, Outcome::NotExpressed, None)?;
            } else if unviable.not_viable.contains(&mutant.id) {
                self.note(mutant, Outcome::NotViable, None)?;
            } else if self.of(mutant) == Some(Outcome::NotExpressed) {
                self.known.remove(&mutant.key);
            }
        }
        Ok(())
    }

    fn note(&mut self, mutant: &Mutant, outcome: Outcome, by: Option<String>) -> Result<(), String> {
        if self.of(mutant) == Some(outcome) {
            return Ok(());
        }
        let entry = Entry { mutant: mutant.key.clone(), outcome, by };
        let line = serde_json::to_string(&entry).map_err(|error| error.to_string())?;
        writeln!(self.file, "{line}").map_err(|error| error.to_string())?;
        self.known.insert(entry.mutant, outcome);
        Ok(())
    }
}

/// Judges what is not judged yet; with `again` what was missed instead. Not more than `at_most` processes are run for
/// one mutant.
pub fn judge(
    tree: &Tree,
    mutants: &[Mutant],
    tests: &[Test],
    results: &mut Results,
    again: bool,
    at_most: usize,
) -> Result<(), String> {
    let is_open = |mutant: &&Mutant| match results.of(mutant) {
        None => !again,
        Some(Outcome::Missed | Outcome::Unreached) => again,
        Some(Outcome::NotViable | Outcome::NotExpressed | Outcome::Caught | Outcome::TimedOut) => false,
    };
    let mut open: Vec<&Mutant> = mutants.iter().filter(is_open).collect();
    // In no order, so that a run that is ended early has tried a sample of each room. The same order each time.
    open.sort_by_key(|mutant| BuildHasherDefault::<DefaultHasher>::default().hash_one(&mutant.key));
    let (next, results, wrong) = (AtomicUsize::new(0), Mutex::new(results), Mutex::new(BTreeSet::new()));
    let order = Order::new(mutants, tests);
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(mutant) = open.get(at) else { return };
                    let noted = one(tree, mutant, &order, at_most).and_then(|(outcome, by)| {
                        eprintln!("{}/{} {outcome:?} {}", at + 1, open.len(), mutant.name);
                        results.lock().expect("no worker panicked").note(mutant, outcome, by)
                    });
                    if let Err(error) = noted {
                        wrong.lock().expect("no worker panicked").insert(error);
                        return;
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no worker panicked");
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into_iter().collect::<Vec<_>>().join("\n")) }
}

fn one(tree: &Tree, mutant: &Mutant, order: &Order, at_most: usize) -> Result<(Outcome, Option<String>), String> {
    let batches = order.of(mutant);
    if batches.is_empty() {
        return Ok((Outcome::Unreached, None));
    }
    for batch in batches.into_iter().take(at_most) {
        let first = batch[0];
        let mut command = process::command(tree, &first.program);
        command.arg("--exact").args(batch.iter().map(|test| &test.name)).env("MUTANT", mutant.id.to_string());
        let usual: Duration = batch.iter().map(|test| test.time).sum();
        let (ended, _) = process::run(command, usual * 10 + Duration::from_secs(10))?;
        let outcome = match ended {
            Ended::Well => continue,
            Ended::Badly => Outcome::Caught,
            Ended::TooLate => Outcome::TimedOut,
        };
        if batch.len() == 1 {
            order.note(mutant, first);
        }
        return Ok((outcome, Some(format!("{}: {}", first.target, first.name))));
    }
    Ok((Outcome::Missed, None))
}
