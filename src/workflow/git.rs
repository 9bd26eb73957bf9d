//! Asking the program `git` about the repository that a project lies in, when there is one and the program is there.
//!
//! Nothing of the repository's own configuration is run: no external diff, no text conversion, no monitor of the file
//! system, no fetch of what is missing. An answer that takes longer than a few seconds is none.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// How long git is waited for.
const LONGEST: Duration = Duration::from_secs(3);

/// How much of its answer is read, in bytes.
const MOST: u64 = 16 << 20;

/// What `git` with these arguments answers in a folder; none where it fails, or answers late or at too great length.
pub(super) async fn ask(folder: &Path, arguments: &[&str]) -> Option<String> {
    let mut child = Command::new("git")
        .args(["-c", "core.fsmonitor=false", "-c", "log.showSignature=false", "-c", "core.quotePath=true", "-C"])
        .arg(folder)
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let stdout = child.stdout.take()?;
    let read = async {
        let mut bytes = Vec::new();
        stdout.take(MOST + 1).read_to_end(&mut bytes).await.ok()?;
        // What was cut off may hold newer commits' other halves: no half is believed.
        let whole = u64::try_from(bytes.len()).is_ok_and(|length| length <= MOST);
        (whole && child.wait().await.ok()?.success()).then_some(bytes)
    };
    let bytes = tokio::time::timeout(LONGEST, read).await.ok()??;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
