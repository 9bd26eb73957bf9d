//! The `sops` program, for the recipients and formats that are not read in process.
//!
//! It gets the file's path and nothing secret in its arguments. Its output comes through a pipe into memory that is
//! wiped. What it writes to stderr is thrown away: on a MAC mismatch it prints a hash of the plaintext. Its exit code
//! tells enough.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use globset::GlobSet;

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

/// What keeps the AWS SDK in the program from finding credentials.
const OFFLINE: [(&str, &str); 3] = [
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("AWS_CONFIG_FILE", EMPTY_CONFIG),
    ("AWS_SHARED_CREDENTIALS_FILE", EMPTY_CONFIG),
];

/// The `sops` program, which a person has allowed with `--allow-sops-program`.
#[derive(Clone, Debug)]
pub struct SopsProgram {
    program: PathBuf,
    environment: BTreeMap<OsString, OsString>,
}

/// The variables that the program needs to find keys and to reach AWS. Anything else of ours may be a credential for
/// something that a file could name: a Vault address in a file gets no token that nobody meant for it.
const GIVEN: [&str; 26] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "SYSTEMROOT",
    "TMPDIR",
    "TEMP",
    "TMP",
    "LANG",
    "LC_ALL",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "GNUPGHOME",
    "GPG_TTY",
    "GPG_AGENT_INFO",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

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
    ///
    /// Of `environment` it is given what it needs to run and to find keys (`SOPS_*`), what reaches AWS (`AWS_*`, unless
    /// `offline`), and what `allowed` names.
    pub fn new(
        program: impl Into<PathBuf>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        allowed: &GlobSet,
        offline: bool,
    ) -> Self {
        let given = |name: &str| {
            GIVEN.contains(&name)
                || name.starts_with("SOPS_")
                || name.starts_with("AWS_") && !offline
                || allowed.is_match(name)
        };
        let kept = environment.into_iter().filter(|(name, _)| name.to_str().is_some_and(given));
        let mut environment: BTreeMap<OsString, OsString> = kept.collect();
        environment.insert("SOPS_DISABLE_VERSION_CHECK".into(), "1".into());
        if offline {
            for (name, value) in OFFLINE {
                environment.insert(name.into(), value.into());
            }
        }
        Self { program: program.into(), environment }
    }

    /// Decrypts a file that was parsed before. This waits for the program: not to be called where other tasks run.
    pub(super) fn decrypt(&self, file: &SopsFile) -> Result<Plain, Failure> {
        let failed = |code| Failure::Other(ValueError::ProgramFailed { file: file.shown.clone(), code });
        let output_type = if file.format == Format::Binary { "binary" } else { "json" };
        let mut child = Command::new(&self.program)
            .args(["--config", EMPTY_CONFIG, "decrypt"])
            .args(["--input-type", file.format.name(), "--output-type", output_type, "--"])
            .arg(file.path.absolute())
            .env_clear()
            .envs(&self.environment)
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
        if now.as_slice() != file.bytes {
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
