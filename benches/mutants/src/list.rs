//! The mutants, as `cargo mutants --list --json` names them, and what each is called from one run to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// The kinds that are written in different ways; cargo-mutants' own words.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Genre {
    /// The body of a function becomes one value.
    FnValue,
    /// An operator between two operands becomes another.
    BinaryOperator,
    /// `!` or `-` is taken away.
    UnaryOperator,
    /// An arm of a `match` with a wildcard is taken away.
    MatchArm,
    /// A guard of an arm becomes `true` or `false`.
    MatchArmGuard,
    /// A field of a structure with a base is taken from the base.
    StructField,
}

/// A line and a column in characters, both counted from one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// From one position to another, which no longer belongs to it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Place {
    /// Where it begins.
    pub start: Position,
    /// Where it has ended.
    pub end: Position,
}

/// What cargo-mutants says of one mutant.
#[derive(Debug, Deserialize)]
struct Listed {
    file: String,
    genre: Genre,
    name: String,
    replacement: String,
    span: Place,
}

/// One change to the code.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Mutant {
    /// Its number in this run; the switch is thrown by it. Counted from one.
    pub id: usize,
    /// Its name from one run to the next, also when lines above it come and go: file, words, and which of those that
    /// are called the same in the file.
    pub key: String,
    /// Its file, from the root of the tree.
    pub file: String,
    /// What kind of change it is.
    pub genre: Genre,
    /// What is replaced.
    pub span: Place,
    /// What stands there instead.
    pub replacement: String,
    /// cargo-mutants' whole name: file, line, column and words.
    pub name: String,
}

impl Mutant {
    /// The part of the code that it is counted with: the folder or the file below `src`.
    pub fn room(&self) -> &str {
        let below = self.file.strip_prefix("src/").unwrap_or(&self.file);
        below.split('/').next().map_or(below, |first| first.trim_end_matches(".rs"))
    }
}

/// The mutants of the files that the globs name.
pub fn list(tree: &Path, globs: &[String]) -> Result<Vec<Mutant>, String> {
    let mut command = Command::new("cargo");
    command.args(["mutants", "--list", "--json"]).current_dir(tree);
    for glob in globs {
        command.args(["--file", glob]);
    }
    let output = command.output().map_err(|error| format!("cargo mutants: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo mutants --list: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let listed: Vec<Listed> = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    Ok(named(listed))
}

/// Where the mutants of a run are kept.
const FILE: &str = "mutants.json";

/// Keeps the mutants of this run.
pub fn keep(mutants: &[Mutant], work: &Path) -> Result<(), String> {
    let text = serde_json::to_vec(mutants).map_err(|error| error.to_string())?;
    fs::write(work.join(FILE), text).map_err(|error| format!("{FILE}: {error}"))
}

/// The mutants of the last run.
pub fn kept(work: &Path) -> Result<Vec<Mutant>, String> {
    let text = fs::read(work.join(FILE)).map_err(|error| format!("{FILE}: {error}"))?;
    serde_json::from_slice(&text).map_err(|error| format!("{FILE}: {error}"))
}

/// Numbers them, and gives each the key that it keeps.
fn named(listed: Vec<Listed>) -> Vec<Mutant> {
    let mut same_words: BTreeMap<String, usize> = BTreeMap::new();
    let mut mutants = Vec::new();
    for (at, Listed { file, genre, name, replacement, span }) in listed.into_iter().enumerate() {
        let words = name.splitn(4, ':').nth(3).unwrap_or(&name).trim().to_owned();
        let nth = same_words.entry(format!("{file}: {words}")).and_modify(|seen| *seen += 1).or_insert(1);
        let key = format!("{file}: {words} #{nth}");
        mutants.push(Mutant { id: at + 1, key, file, genre, span, replacement, name });
    }
    mutants
}

/// The files that have mutants.
pub fn files(mutants: &[Mutant]) -> BTreeSet<&str> {
    mutants.iter().map(|mutant| mutant.file.as_str()).collect()
}
