//! A process with a limit of time and memory.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::tree::Tree;

/// Address space of one test process, in KiB. A mutant that never stops growing ends here.
const MEMORY: u32 = 6_000_000;

/// How a process ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// With 0.
    Well,
    /// With another code, or by a signal.
    Badly,
    /// By us, since its time was over.
    TooLate,
}

/// A command that runs a test program in the copy of the tree.
pub fn command(tree: &Tree, program: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"")])
        .arg(program)
        .current_dir(&tree.copy)
        .env("TMPDIR", &tree.temporary)
        // A backtrace of a large program takes longer than most tests.
        .env("RUST_BACKTRACE", "0")
        .env_remove("MUTANT")
        .env_remove("MUTANT_TRACE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Runs it to its end, or to the end of its time with all processes that it began.
pub fn run(mut command: Command, limit: Duration) -> Result<(Ended, Duration), String> {
    let begin = Instant::now();
    let mut child = command.process_group(0).spawn().map_err(|error| error.to_string())?;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok((if status.success() { Ended::Well } else { Ended::Badly }, begin.elapsed()));
        }
        if begin.elapsed() > limit {
            let group = format!("-{}", child.id());
            Command::new("kill").args(["-KILL", "--", &group]).status().map_err(|error| error.to_string())?;
            child.wait().map_err(|error| error.to_string())?;
            return Ok((Ended::TooLate, begin.elapsed()));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}
