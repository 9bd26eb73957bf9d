//! Asking before something is written.

use std::sync::PoisonError;

use super::shell::Shell;
use crate::render::question::Question;
use crate::render::{Escaped, Terminal, escaped};
use crate::workflow::{Error, ErrorKind, Hint, NothingDone, Problem, Stop, stopped};

/// Asks a question on the terminal; anything but the answer that it wants ends the run without a write. Without a
/// terminal, that is an error.
pub(super) async fn ask(question: &Question, stop: &Stop, shell: &Shell) -> Result<(), Error> {
    let input = shell.input.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut input) = input.filter(|_| shell.interactive) else {
        return Err(Error::from(ErrorKind::NothingDone(NothingDone::NobodyToAsk)).hint(Hint::GiveYes));
    };
    let text: Escaped<Terminal> = escaped!("\n{}", question.text);
    shell.err.write(text);
    let answer = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        input.read_line(&mut line).map(|_| line)
    });
    let answer = tokio::select! {
        answer = answer => answer,
        () = stopped(stop) => {
            // Ctrl-C is shown on the line of the question.
            shell.err.line("");
            return Err(ErrorKind::Interrupted { what: Some(Problem::InterruptedBefore) }.into());
        }
    };
    if matches!(answer, Ok(Ok(line)) if line.trim() == question.yes) {
        return Ok(());
    }
    Err(ErrorKind::NothingDone(NothingDone::Declined).into())
}
