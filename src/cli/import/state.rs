//! Opens a Terraform state. Its text holds values: it is wiped as soon as it is parsed.

use std::fs::File;
use std::path::Path;

use crate::cli::shell::Shell;
use crate::exit_code::ExitCode;
use crate::import::tfstate::{State, parse};
use crate::render::escape;
use crate::value::SecretBuffer;

/// Largest state, in bytes. Terraform itself becomes unbearably slow long before.
const MAX_STATE: usize = 512 * 1024 * 1024;

/// Reads the secrets of a state.
pub(super) fn read_state(path: &Path, shell: &Shell) -> Result<State, ExitCode> {
    let refuse = |why: &str, hint: Option<&str>| {
        shell.error(&format!("the state {}: {why}", escape::line(&path.display().to_string())), hint);
        ExitCode::Error
    };
    // A pipe would do; a folder would not.
    let mut file = File::open(path).map_err(|error| refuse(&format!("cannot be opened: {error}"), None))?;
    let buffer = SecretBuffer::read_to_limit(&mut file, MAX_STATE)
        .map_err(|error| refuse(&format!("cannot be read: {error}"), None))?;
    if buffer.len() > MAX_STATE {
        return Err(refuse("is larger than 512 MiB", None));
    }
    parse(buffer.as_slice()).map_err(|error| {
        let hint = "`terraform state pull > FILE` writes the state of any backend into a file";
        refuse(&error.to_string(), Some(hint))
    })
}
