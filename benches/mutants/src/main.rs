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

const USAGE: &str = "mutants [--work FOLDER] [--test TARGET]… [--at-most N] [--again] [--report] GLOB…

  GLOB…          files below the current folder, as cargo-mutants takes them: 'src/plan/**'
  --test TARGET  an integration test that is run beside the unit tests of the library
  --work FOLDER  where the copy of the tree and the results are (default target/mutants)
  --at-most N    processes that are run for one mutant; what none of them catches counts as missed
  --again        mutants that were missed are tried once more
  --report       only print what was found so far";

/// What is asked for on the command line.
struct Asked {
    globs: Vec<String>,
    tests: Vec<String>,
    work: PathBuf,
    again: bool,
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
    let mutants = list::list(&root, &asked.globs)?;
    let mut results = Results::open(&root.join(&asked.work))?;
    if !asked.report {
        let tree = tree::copy(&root, &root.join(&asked.work), &compile::with_switches(&mutants))?;
        let unviable = compile::until_it_compiles(&tree, &mutants, results.not_viable(&mutants))?;
        results.unviable(&mutants, &unviable)?;
        let programs = compile::tests(&tree, &asked.tests)?;
        let reached = reach::reached(&tree, &programs, &root.join(&asked.work))?;
        judge::judge(&tree, &mutants, &reached, &mut results, asked.again, asked.at_most)?;
    }
    print!("{}", report::report(&mutants, &results));
    Ok(())
}
