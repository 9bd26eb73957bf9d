//! What became of each file of a new project, for people.

use std::path::Path;

use super::shell::Shell;
use crate::render::{escape, escaped};
use crate::workflow::scaffold::Scaffolded;

/// Says what became of a file.
pub(super) fn told(what: Scaffolded, path: &Path, shell: &Shell) {
    let word = match what {
        Scaffolded::Wrote => "wrote",
        Scaffolded::Kept => "kept ",
        Scaffolded::AddedTo => "added to",
    };
    shell.err.line(escaped!("{} {}", word, escape::path(path)));
}
