//! Which mutants each test reaches, and how long it takes.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::compile::Program;
use crate::process::{self, Ended};
use crate::tree::Tree;

/// Processes at a time.
pub const SIDE_BY_SIDE: usize = 2;

/// How long a test may take while no mutant is on.
const LIMIT: Duration = Duration::from_mins(5);

/// What was found, and of which programs.
#[derive(Deserialize, Serialize)]
struct Found {
    programs: BTreeSet<(PathBuf, u64, Option<SystemTime>)>,
    tests: Vec<Test>,
}

/// One test.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Test {
    /// The program that it is in.
    pub program: PathBuf,
    /// The target of the program.
    pub target: String,
    /// Its name there.
    pub name: String,
    /// How long it took.
    pub time: Duration,
    /// The mutants that it reaches.
    pub reaches: BTreeSet<usize>,
}

/// Where it is kept.
const FILE: &str = "reached.json";

fn found(work: &Path) -> Result<Found, String> {
    let text = fs::read(work.join(FILE)).map_err(|error| format!("{FILE}: {error}"))?;
    serde_json::from_slice(&text).map_err(|error| format!("{FILE}: {error}"))
}

/// What the last run found.
pub fn kept(work: &Path) -> Result<Vec<Test>, String> {
    Ok(found(work)?.tests)
}

/// What an earlier run found of the same programs, or what [`run`] finds now, which is kept.
pub fn reached(tree: &Tree, programs: &[Program]) -> Result<Vec<Test>, String> {
    let stamp = |program: &Program| {
        let known = fs::metadata(&program.path).ok();
        let (length, time) = (known.as_ref().map_or(0, Metadata::len), known.and_then(|known| known.modified().ok()));
        (program.path.clone(), length, time)
    };
    let programs_now = programs.iter().map(stamp).collect();
    if let Ok(found) = found(&tree.work)
        && found.programs == programs_now
    {
        return Ok(found.tests);
    }
    let found = Found { programs: programs_now, tests: run(tree, programs)? };
    let text = serde_json::to_vec(&found).map_err(|error| error.to_string())?;
    fs::write(tree.work.join(FILE), text).map_err(|error| error.to_string())?;
    Ok(found.tests)
}

/// Runs every test once. One that fails without a mutant says nothing of any, and is left out.
fn run(tree: &Tree, programs: &[Program]) -> Result<Vec<Test>, String> {
    let mut tests = Vec::new();
    for program in programs {
        let names = names(tree, program)?;
        eprintln!("{}: {} tests", program.target, names.len());
        tests.extend(names.into_iter().map(|name| (program, name)));
    }
    let (next, found, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for worker in 0..SIDE_BY_SIDE {
            let (tests, next, found, wrong) = (&tests, &next, &found, &wrong);
            scope.spawn(move || {
                while let Some((program, name)) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match one(tree, program, name, worker) {
                        Ok(test) => found.lock().expect("no worker panicked").push(test),
                        Err(error) => wrong.lock().expect("no worker panicked").push(error),
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no worker panicked");
    for wrong in &wrong {
        eprintln!("left out: {wrong}");
    }
    if found.lock().expect("no worker panicked").is_empty() {
        return Err("no test passes without a mutant".to_owned());
    }
    let mut found = found.into_inner().expect("no worker panicked");
    found.sort_by(|a, b| a.time.cmp(&b.time).then_with(|| a.name.cmp(&b.name)));
    Ok(found)
}

fn names(tree: &Tree, program: &Program) -> Result<Vec<String>, String> {
    let output = Command::new(&program.path)
        .args(["--list", "--format", "terse"])
        .current_dir(&tree.copy)
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}

fn one(tree: &Tree, program: &Program, name: &str, worker: usize) -> Result<Test, String> {
    let trace = tree.temporary.join(format!("reached-{worker}"));
    drop(fs::remove_file(&trace));
    let mut command = process::command(tree, &program.path);
    command.args(["--exact", name]).env("MUTANT_TRACE", &trace);
    let (ended, time) = process::run(command, LIMIT)?;
    if ended != Ended::Well {
        return Err(format!("{}: {name} fails without a mutant", program.target));
    }
    let reaches = fs::read_to_string(&trace).unwrap_or_default();
    let reaches = reaches.lines().filter_map(|line| line.parse().ok()).collect();
    Ok(Test { program: program.path.clone(), target: program.target.clone(), name: name.to_owned(), time, reaches })
}
