//! Runs every file in `tests/scenarios`: each tells a scenario of manifests, what is live, commands, and what came of
//! them.
//!
//! The format is described in `tests/scenarios/README.md`. `KEYWRIGHT_BLESS=1 cargo test --test scenarios` writes what
//! really happened into the files; read the difference before committing it.

#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test says what is wrong by panicking, or on stderr")]

mod scenario;
mod support;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of scenarios")
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "scenario"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are scenarios");
    let trials = files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().expect("a file name").to_string_lossy().into_owned();
            Trial::test(name, move || scenario::run(&path).map_err(Failed::from))
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    // A part of the scenarios reaches a part of the operations.
    let all_ran = arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list;
    if all_ran
        && !conclusion.has_failed()
        && let Err(missing) = scenario::operations::all_reached()
    {
        eprintln!("{missing}");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}
