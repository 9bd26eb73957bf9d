//! The `sops` program, for the recipients and formats that are not read in process.
//!
//! It gets the file's path and nothing secret in its arguments. Its output comes through a pipe into memory that is
//! wiped. What it writes to stderr is thrown away: on a MAC mismatch it prints a hash of the plaintext. Its exit code
//! tells enough.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::file::{Format, SopsFile};
use super::tree::Node;
use super::{MAX_SOPS_BYTES, json};
use crate::value::buffer::SecretBuffer;
use crate::value::error::ValueError;
use crate::value::read;

/// Exit codes of sops 3.11.
mod exit_code {
    pub(super) const ERROR_DECRYPTING_TREE: i32 = 25;
    pub(super) const MAC_MISMATCH: i32 = 51;
    pub(super) const MAC_NOT_FOUND: i32 = 52;
    pub(super) const NO_FILE: i32 = 100;
    pub(super) const COULD_NOT_RETRIEVE_KEY: i32 = 128;
}

/// A file without anything in it. A broken `.sops.yaml` in the folder would fail even a decryption, and there is none
/// to be found when the configuration is named.
const EMPTY_CONFIG: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// The `sops` program, which a person has allowed with `--allow-sops-program`.
#[derive(Clone, Debug)]
pub struct SopsProgram {
    program: PathBuf,
}

/// What the program decrypted.
pub(super) enum Plain {
    Tree(Node),
    Bytes(SecretBuffer),
}

/// Why the program did not decrypt a file.
pub(super) enum Failure {
    NotInstalled,
    NoKey,
    Other(ValueError),
}

impl SopsProgram {
    /// A program by its path, or by its name, which is then looked for in PATH.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into() }
    }

    /// Decrypts a file that was parsed before. This waits for the program: not to be called where other tasks run.
    pub(super) fn decrypt(&self, file: &SopsFile) -> Result<Plain, Failure> {
        let failed = |code| Failure::Other(ValueError::ProgramFailed { file: file.shown.clone(), code });
        let output_type = if file.format == Format::Binary { "binary" } else { "json" };
        let mut child = Command::new(&self.program)
            .args(["--config", EMPTY_CONFIG, "decrypt"])
            .args(["--input-type", file.format.name(), "--output-type", output_type, "--"])
            .arg(&file.path)
            .env("SOPS_DISABLE_VERSION_CHECK", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Failure::NotInstalled,
                _ => failed(None),
            })?;
        let output = child
            .stdout
            .take()
            .map_or_else(|| Ok(SecretBuffer::new()), |mut pipe| SecretBuffer::read_to_limit(&mut pipe, MAX_SOPS_BYTES));
        if !output.as_ref().is_ok_and(|output| output.len() <= MAX_SOPS_BYTES) {
            // Nobody reads the rest: let it go rather than wait for it.
            let _ = child.kill();
        }
        let status = child.wait().map_err(|_| failed(None))?;
        if !status.success() {
            return Err(Self::failure(file, status.code()));
        }
        let output = output.ok().filter(|output| output.len() <= MAX_SOPS_BYTES).ok_or_else(|| failed(None))?;
        // The version id was made from what was read before. It must name what the program has read.
        let now = read::read(&file.path, &file.shown, MAX_SOPS_BYTES).map_err(Failure::Other)?;
        if now.as_slice() != file.text.as_bytes() {
            return Err(Failure::Other(ValueError::Changed { file: file.shown.clone() }));
        }
        if file.format == Format::Binary {
            return Ok(Plain::Bytes(output));
        }
        let text = output.as_str().ok_or_else(|| failed(None))?;
        json::read(text).map(Plain::Tree).map_err(|_| failed(None))
    }

    fn failure(file: &SopsFile, code: Option<i32>) -> Failure {
        let file = file.shown.clone();
        Failure::Other(match code {
            Some(exit_code::COULD_NOT_RETRIEVE_KEY) => return Failure::NoKey,
            Some(exit_code::MAC_MISMATCH) => ValueError::MacMismatch { file },
            Some(exit_code::MAC_NOT_FOUND) => ValueError::MacMissing { file },
            Some(exit_code::ERROR_DECRYPTING_TREE) => {
                ValueError::Tampered { file, path: "a place that the program does not tell".to_owned() }
            }
            Some(exit_code::NO_FILE) => ValueError::MissingFile { file },
            code => ValueError::ProgramFailed { file, code },
        })
    }
}
