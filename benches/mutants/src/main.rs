//! Mutation testing with all mutants in one build.
//!
//! `cargo mutants` says what could be changed; here each change is written into a copy of the tree behind a switch, so
//! that the tree is compiled once and not once for each. Then each test is run once to see which mutants it reaches,
//! and each mutant is on while the tests that reach it are run, until one fails. `docs/mutants.md` says how it is used.

mod compile;
mod judge;
mod list;
mod order;
mod process;
mod reach;
mod report;
mod rewrite;
mod tree;

use std::path::PathBuf;
use std::process::ExitCode;

use judge::Results;
use list::Mutant;
use reach::Test;
use tree::Tree;

const USAGE: &str = "mutants [--work FOLDER] [--test TARGET]… [--at-most N] [--again] [--as-built] [--report] GLOB…

  GLOB…          files below the current folder, as cargo-mutants takes them: 'src/plan/**'
  --test TARGET  an integration test that is run beside the unit tests of the library
  --work FOLDER  where the copy of the tree and the results are (default target/mutants)
  --at-most N    processes that are run for one mutant; what none of them catches counts as missed
  --again        mutants that were missed are tried once more, and no others
  --as-built     goes on with what the last run compiled, whatever the tree says now
  --report       only print what was found so far";

/// What is asked for on the command line.
struct Asked {
    globs: Vec<String>,
    tests: Vec<String>,
    work: PathBuf,
    again: bool,
    as_built: bool,
    at_most: usize,
    report: bool,
}

fn main() -> ExitCode {
    match asked().and_then(|asked| run(&asked)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn asked() -> Result<Asked, String> {
    let mut asked = Asked {
        globs: Vec::new(),
        tests: Vec::new(),
        work: "target/mutants".into(),
        again: false,
        as_built: false,
        at_most: usize::MAX,
        report: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--work" => asked.work = arguments.next().ok_or(USAGE)?.into(),
            "--test" => asked.tests.push(arguments.next().ok_or(USAGE)?),
            "--at-most" => {
                let number = arguments.next().and_then(|number| number.parse().ok());
                asked.at_most = number.ok_or(USAGE)?;
            }
            "--as-built" => asked.as_built = true,
            "--again" => asked.again = true,
            "--report" => asked.report = true,
            flag if flag.starts_with('-') => return Err(USAGE.to_owned()),
            glob => asked.globs.push(glob.to_owned()),
        }
    }
    if asked.globs.is_empty() { Err(USAGE.to_owned()) } else { Ok(asked) }
}

fn run(asked: &Asked) -> Result<(), String> {
    let root = std::env::current_dir().map_err(|error| error.to_string())?;
    let work = root.join(&asked.work);
    let mut results = Results::open(&work)?;
    let mutants = if asked.as_built { list::kept(&work)? } else { list::list(&root, &asked.globs)? };
    if !asked.report {
        let tree = Tree::new(&root, &work)?;
        let tests = if asked.as_built { reach::kept(&work)? } else { build(asked, &tree, &mutants, &mut results)? };
        judge::judge(&tree, &mutants, &tests, &mut results, asked.again, asked.at_most)?;
    }
    print!("{}", report::report(&mutants, &results));
    Ok(())
}

/// Compiles the copy with all mutants, and finds which tests reach which.
fn build(asked: &Asked, tree: &Tree, mutants: &[Mutant], results: &mut Results) -> Result<Vec<Test>, String> {
    tree.copy(&compile::with_switches(mutants))?;
    let unviable = compile::until_it_compiles(tree, mutants, results.not_viable(mutants))?;
    results.unviable(mutants, &unviable)?;
    list::keep(mutants, &tree.work)?;
    let programs = compile::tests(tree, &asked.tests)?;
    reach::reached(tree, &programs)
}
