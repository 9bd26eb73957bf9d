//! The binary: parse, run, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut shell = keywright::cli::Shell::from_process();
    keywright::cli::run(std::env::args_os().collect(), &mut shell).into()
}
