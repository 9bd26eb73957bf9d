//! What somebody would do next in a folder, by what is in it. Nothing but files and the environment is looked at.

use std::path::{Path, PathBuf};

use crate::aws::credentials_in_sight;
use crate::manifest::{LoadOptions, codes, load, project_above};

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// There is no such folder.
    Nowhere,
    /// There is no project: make one.
    Begin,
    /// There is no project, and the nearest folder above that has one is this.
    Above(PathBuf),
    /// The project has mistakes, so many: look at them.
    Mend(usize),
    /// The project is valid, and no credentials are in sight: try it in the sandbox.
    Try,
    /// The project is valid, and there are credentials: plan.
    Plan,
}

/// The next step for the project in `folder`.
pub async fn next_step(folder: &Path) -> NextStep {
    if !folder.is_dir() {
        return NextStep::Nowhere;
    }
    let loaded = load(folder, &LoadOptions::default());
    let found = &loaded.diagnostics;
    if found.iter().any(|found| found.code.id == codes::PROJECT_MISSING.id) {
        let above = std::path::absolute(folder).ok().and_then(|folder| project_above(&folder).map(Path::to_owned));
        return above.map_or(NextStep::Begin, NextStep::Above);
    }
    if found.has_errors() {
        return NextStep::Mend(found.error_count());
    }
    for desired in &loaded.desired {
        if credentials_in_sight(desired.target.profile.as_deref()).await {
            return NextStep::Plan;
        }
    }
    NextStep::Try
}
