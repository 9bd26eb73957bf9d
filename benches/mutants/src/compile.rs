//! Writes switches into the copy and compiles it, without the mutants that do not compile.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use crate::list::{self, Mutant};
use crate::rewrite::{self, Rewritten, Written};
use crate::tree::Tree;

/// Rounds of compiling. The borrow checker speaks only when types are right, so there are a few.
const ROUNDS: usize = 30;

/// The crate's first file, which has the switch as a module.
const LIBRARY: &str = "src/lib.rs";

/// Where the switch is put.
const SWITCH: &str = "src/mutant.rs";

/// The files of the copy that are not those of the original.
pub fn with_switches(mutants: &[Mutant]) -> BTreeSet<&str> {
    list::files(mutants).into_iter().chain([LIBRARY, SWITCH]).collect()
}

/// Mutants that are not judged.
#[derive(Debug, Default)]
pub struct Unviable {
    /// Those that do not compile.
    pub not_viable: BTreeSet<usize>,
    /// Those that cannot be written behind a switch.
    pub not_expressed: BTreeSet<usize>,
}

/// Writes all mutants that compile together. Those that did not compile in an earlier run are not tried again.
pub fn until_it_compiles(tree: &Tree, mutants: &[Mutant], known: BTreeSet<usize>) -> Result<Unviable, String> {
    let mut unviable = Unviable { not_viable: known, not_expressed: BTreeSet::new() };
    let library = tree.read(LIBRARY)?;
    let by_file: BTreeMap<&str, Vec<&Mutant>> = list::files(mutants)
        .into_iter()
        .map(|file| (file, mutants.iter().filter(|mutant| mutant.file == file).collect()))
        .collect();
    tree.write(SWITCH, include_str!("switch.rs"))?;
    for round in 1..=ROUNDS {
        let mut written = BTreeMap::new();
        for (file, mutants) in &by_file {
            let of_file: Vec<&Mutant> =
                mutants.iter().copied().filter(|mutant| !unviable.not_viable.contains(&mutant.id)).collect();
            let rewritten =
                rewrite::rewrite(&tree.read(file)?, &of_file).map_err(|error| format!("{file}: {error}"))?;
            if *file != LIBRARY {
                tree.write(file, &rewritten.text)?;
            }
            unviable.not_viable.extend(&rewritten.forbidden);
            unviable.not_expressed.extend(&rewritten.not_expressed);
            written.insert((*file).to_owned(), rewritten);
        }
        let library = written.get(LIBRARY).map_or(&library, |written| &written.text);
        tree.write(LIBRARY, &format!("{library}\nmod mutant;\n"))?;
        let errors = check(tree)?;
        eprintln!("round {round}: {} errors, {} not viable", errors.len(), unviable.not_viable.len());
        if errors.is_empty() {
            return Ok(unviable);
        }
        let mut new = BTreeSet::new();
        for error in &errors {
            let guilty = guilty(error, &written);
            if guilty.is_empty() && error.code.is_some() {
                eprintln!("of no mutant: {}", error.rendered.as_deref().unwrap_or(&error.text));
            }
            new.extend(guilty);
        }
        for mutant in mutants.iter().filter(|mutant| new.contains(&mutant.id)) {
            eprintln!("not viable: {}", mutant.name);
        }
        if new.is_empty() {
            return Err("the copy does not compile, and no mutant is the cause".to_owned());
        }
        unviable.not_viable.extend(new);
    }
    Err(format!("the copy does not compile after {ROUNDS} rounds"))
}

/// A line of cargo's JSON.
#[derive(Deserialize)]
struct Line {
    message: Option<Message>,
    executable: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// What rustc says.
#[derive(Debug, Deserialize)]
struct Message {
    #[serde(rename = "message")]
    text: String,
    level: String,
    code: Option<serde_json::Value>,
    spans: Vec<Span>,
    children: Vec<Message>,
    rendered: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Span {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    is_primary: bool,
}

fn cargo(tree: &Tree, arguments: &[&str]) -> Result<Vec<Line>, String> {
    let output = Command::new("cargo")
        .args(arguments)
        .args(["--message-format", "json"])
        .current_dir(&tree.copy)
        .env("CARGO_TARGET_DIR", &tree.target)
        .env("CARGO_INCREMENTAL", "1")
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<Line> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let said = lines.iter().filter_map(|line| line.message.as_ref()).any(|message| message.level == "error");
    if !output.status.success() && !said {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(lines)
}

fn check(tree: &Tree) -> Result<Vec<Message>, String> {
    let lines = cargo(tree, &["check", "--lib"])?;
    Ok(lines.into_iter().filter_map(|line| line.message).filter(|message| message.level == "error").collect())
}

/// The mutants that an error is about: those whose text its first place is in, else those whose text another place is
/// in, else the last of the iterators that are within a place, else those that are written around its first place, the
/// innermost.
fn guilty(error: &Message, written: &BTreeMap<String, Rewritten>) -> BTreeSet<usize> {
    let of_file = |span: &Span| written.get(&span.file_name).map_or(&[][..], |file| &file.written);
    let touched = |span: &&Span| -> BTreeSet<usize> {
        let about = |written: &&Written| written.range.start <= span.byte_start && span.byte_end <= written.range.end;
        of_file(span).iter().filter(about).flat_map(|written| written.mutants.clone()).collect()
    };
    let last_iterator = |span: &&Span| -> BTreeSet<usize> {
        let within = |written: &&Written| {
            written.is_iterator && span.byte_start <= written.range.start && written.range.end <= span.byte_end
        };
        of_file(span).iter().filter(within).flat_map(|written| written.mutants.clone()).max().into_iter().collect()
    };
    let around = |span: &&Span| -> BTreeSet<usize> {
        let all = of_file(span);
        let closes =
            |opens: &&Written| all.iter().any(|end| end.range.start >= span.byte_end && end.mutants == opens.mutants);
        let before = all.iter().rev().filter(|opens| opens.range.end <= span.byte_start && !opens.is_iterator);
        before.into_iter().find(closes).into_iter().flat_map(|opens| opens.mutants.clone()).collect()
    };
    let children = error.children.iter().flat_map(|child| &child.spans);
    let all: Vec<&Span> = error.spans.iter().chain(children).collect();
    let first: Vec<&Span> = all.iter().copied().filter(|span| span.is_primary).collect();
    let collect =
        |spans: &[&Span], mutants: &dyn Fn(&&Span) -> BTreeSet<usize>| spans.iter().flat_map(mutants).collect();
    let steps: [BTreeSet<usize>; 4] =
        [collect(&first, &touched), collect(&all, &touched), collect(&all, &last_iterator), collect(&first, &around)];
    steps.into_iter().find(|mutants| !mutants.is_empty()).unwrap_or_default()
}

/// A program of tests.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its target: `lib`, or the name of an integration test.
    pub target: String,
    /// The file.
    pub path: PathBuf,
}

/// Builds the tests of the library and those that are named.
pub fn tests(tree: &Tree, names: &[String]) -> Result<Vec<Program>, String> {
    let mut arguments = vec!["test", "--no-run", "--lib"];
    arguments.extend(names.iter().flat_map(|name| ["--test", name.as_str()]));
    let lines = cargo(tree, &arguments)?;
    if let Some(error) = lines.iter().filter_map(|line| line.message.as_ref()).find(|said| said.level == "error") {
        return Err(error.rendered.clone().unwrap_or_default());
    }
    let program = |line: Line| {
        let (target, path) = (line.target?, line.executable?);
        let is_library = target.kind.iter().any(|kind| kind == "lib" || kind == "rlib");
        let is_test = line.profile.is_some_and(|profile| profile.test);
        let name = if is_library { "lib".to_owned() } else { target.name };
        (is_test && (name == "lib" || names.contains(&name))).then_some(Program { target: name, path })
    };
    Ok(lines.into_iter().filter_map(program).collect())
}
