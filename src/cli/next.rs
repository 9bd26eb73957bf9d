//! `keywright` alone: what to do next in this folder.

use std::path::Path;

use super::shell::{Shell, quoted};
use crate::exit_code::ExitCode;
use crate::render::next;
use crate::workflow::{NextStep, next_step};

pub(super) async fn next(folder: Option<&Path>, shell: &Shell) -> ExitCode {
    let step = next_step(folder.unwrap_or(Path::new("."))).await;
    let project = if let NextStep::Above(above) = &step { Some(above.as_path()) } else { folder };
    let there = project.map_or_else(String::new, |folder| format!(" -C {}", quoted(folder)));
    shell.out.write(next::text(shell.out.paint(), &step, &there));
    ExitCode::Success
}
