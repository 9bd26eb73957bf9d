//! What commands that read targets begin with: their selection, the project, the way to its targets, and Ctrl-C.

use super::args::{ProjectArgs, ReadArgs};
use super::interrupt;
use super::one_secret::OneSecretArgs;
use super::report::{print_warning, print_warnings};
use super::shell::Shell;
use super::values::ValueArgs;
use crate::manifest::Loaded;
use crate::plan::Selection;
use crate::render::day_two;
use crate::workflow::{Error, OneSecret, Session, Stop, load_for_one_secret, load_project};

/// The beginning of a run.
pub(super) struct Begun {
    pub(super) selection: Selection,
    pub(super) session: Session,
    pub(super) stop: Stop,
}

/// Begins a run. `identify` asks for the caller of every target, as approvals do.
pub(super) fn begin(read: &ReadArgs, values: &ValueArgs, identify: bool, shell: &Shell) -> Result<Begun, Error> {
    let selection = read.choice.selection()?;
    let values = values.rules()?;
    let loaded = load(&read.project, &read.choice.targets, shell)?;
    let session = Session::open(loaded, &read.aws.reach(shell), &values, identify)?;
    Ok(Begun { selection, session, stop: interrupt::listen() })
}

/// Loads a project, and tells its warnings.
pub(super) fn load(project: &ProjectArgs, targets: &[String], shell: &Shell) -> Result<Loaded, Error> {
    let loaded = load_project(&project.folder, targets)?;
    print_warnings_of(&loaded, shell);
    Ok(loaded)
}

fn print_warnings_of(loaded: &Loaded, shell: &Shell) {
    if loaded.diagnostics.warning_count() > 0 {
        print_warnings(&loaded.diagnostics, shell);
    }
}

/// Finds one secret of one target.
pub(super) async fn find(args: &OneSecretArgs, shell: &Shell) -> Result<OneSecret, Error> {
    let loaded = load(&args.project, args.target.as_slice(), shell)?;
    Box::pin(OneSecret::find(loaded, &args.aws.reach(shell), &args.name)).await
}

/// The same, also where the manifests have mistakes: then what they say of it is not known, which is told.
pub(super) async fn find_despite_mistakes(args: &OneSecretArgs, shell: &Shell) -> Result<OneSecret, Error> {
    let (loaded, mistakes) = load_for_one_secret(&args.project.folder, args.target.as_slice())?;
    match &mistakes {
        Some(mistakes) => print_warning(day_two::manifests_not_read(&args.name, mistakes), shell),
        None => print_warnings_of(&loaded, shell),
    }
    let found = Box::pin(OneSecret::find(loaded, &args.aws.reach(shell), &args.name)).await?;
    Ok(OneSecret { manifests_read: mistakes.is_none(), ..found })
}
