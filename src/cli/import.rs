//! `keywright import`: writes manifests for secrets that are live already, and proves them by planning them.

mod files;
mod new_project;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;

use self::files::{Destination, write_all};
use self::new_project::{NewProjectArgs, is_project, write_project};
use super::args::{AwsArgs, ProjectArgs, select};
use super::interrupt;
use super::report::tell_calls;
use super::shell::Shell;
use super::telling::Telling;
use crate::desired::Desired;
use crate::domain::SecretName;
use crate::exit_code::ExitCode;
use crate::import::tfstate::removed_blocks;
use crate::import::{Importable, ImportedFile, Layout, Proof, import as write_manifests, shared_tags};
use crate::live::Live;
use crate::manifest::{Outline, TargetOutline};
use crate::plan::Selection;
use crate::render::{escape, escaped, import_text};
use crate::workflow::{
    Error, ErrorKind, Hint, ImportSource, Importing, judge_import, one_target, read_state, unless_stopped,
};

/// Write manifests for live secrets.
///
/// Reads the secrets in scope that nobody manages yet, or a Terraform state, and writes manifests for them: files by
/// prefix of the names, and comments that say what is not managed. No value is ever read, and nothing that exists is
/// overwritten. Then it plans the new manifests: the only change must be the owner tag by which the next apply adopts
/// the secrets.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  keywright import --select 'prod/payments/*'\n  keywright import --dry-run\n  \
    keywright import --init payments --target prod --region eu-west-1 --prefix prod/payments/\n  \
    keywright import --from-tfstate terraform.tfstate --removed ../infra/removed.tf"
)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    project: ProjectArgs,
    /// The target to import from; may be left out when the project has one
    #[arg(short, long, value_name = "NAME")]
    target: Option<String>,
    /// Only secrets whose name matches; may be given several times. `*` also matches `/`
    #[arg(short, long, value_name = "GLOB")]
    select: Vec<String>,
    /// Also write manifests for secrets that this project owns and whose manifests are gone
    #[arg(long)]
    all: bool,
    /// The folder for the files, in the project [default: the first folder of spec.manifests, else secrets]
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<String>,
    /// Print the files instead of writing them
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    aws: AwsArgs,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    new: NewProjectArgs,
}

/// From a Terraform state.
#[derive(Debug, Args)]
#[command(next_help_heading = "From Terraform")]
struct StateArgs {
    /// Take the secrets from this Terraform state instead of AWS; no credentials are needed, and values in it are
    /// skipped
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sandbox", "endpoint_url"])]
    from_tfstate: Option<PathBuf>,
    /// Where to write the `removed` blocks by which Terraform lets go of the secrets [default: removed.tf in the
    /// project]
    #[arg(long, value_name = "FILE", requires = "from_tfstate")]
    removed: Option<PathBuf>,
}

pub(super) async fn import(args: &ImportArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    let selection = select(&args.select)?;
    let mut added = args.new.files(&args.project.folder, args.target.as_deref(), &BTreeMap::new())?;
    let (desired, outline) = load(args, &added)?;
    let destination = Destination::choose(&args.project.folder, args.output.as_deref(), &outline)?;

    let found = find(args, &desired, &selection, verbose, shell).await?;
    if args.new.is_asked_for() {
        found.check_new_name(&desired.project)?;
    }
    shell.err.write(import_text::left_out(&found.choice.left_out));
    if found.choice.imported.is_empty() {
        shell.out.line("Nothing to import.");
        return Ok(ExitCode::Success);
    }
    let importable: Vec<Importable> = found
        .choice
        .imported
        .iter()
        .filter_map(|name| found.live.secrets.get(name))
        .map(|secret| Importable { secret: secret.clone(), deletion: found.deletions.get(&secret.name).copied() })
        .collect();

    // A project file that people wrote is never changed; one that is made here says at once what all have in common.
    let shared = shared_tags(&importable, &desired.ignore_tags);
    let (desired, outline) = if added.is_empty() {
        (desired, outline)
    } else {
        added = args.new.files(&args.project.folder, args.target.as_deref(), &shared)?;
        load(args, &added)?
    };
    let target = target_outline(&outline, &desired);
    if !shared.is_empty()
        && shared.iter().any(|(key, value)| target.defaults.tags.get(key) != Some(&Some(value.clone())))
    {
        shell.err.line(import_text::shared_tags(&shared));
    }
    let taken = |path: &str| destination.root.join(path).exists();
    let files = write_manifests(
        &importable,
        &Layout {
            folder: &destination.folder,
            schema: args.new.is_asked_for() || taken("schemas/secret.schema.json"),
            target: &target,
            name_target: outline.targets.len() > 1,
            ignore_tags: &desired.ignore_tags,
            from_state: found.state.is_some(),
            account: found.live.account.as_ref(),
            region: &found.live.region,
            taken: &taken,
        },
    );

    let names: BTreeSet<SecretName> = found.choice.imported.iter().cloned().collect();
    let removed = found.state.as_ref().map(|state| {
        let theirs = importable.iter().map(|importable| importable.secret.arn.as_str()).collect();
        removed_blocks(state, &theirs)
    });
    let proof = finish(args, &destination, added, &files, removed.as_deref(), (&names, &found.live), shell)?;
    shell.out.write(import_text::proof(shell.out.paint(), &proof, found.state.is_some()));
    Ok(if proof.holds() { ExitCode::Success } else { ExitCode::Error })
}

/// Checks the new manifests beside the others before anything is written, writes everything, and plans what is there
/// then.
fn finish(
    args: &ImportArgs,
    destination: &Destination,
    mut added: BTreeMap<PathBuf, String>,
    files: &[ImportedFile],
    removed: Option<&str>,
    (names, live): (&BTreeSet<SecretName>, &Live),
    shell: &Shell,
) -> Result<Proof, Error> {
    let removed_path = args.state.removed.clone().unwrap_or_else(|| destination.root.join("removed.tf"));
    let new_project = added.clone();
    added.extend(files.iter().map(|file| (PathBuf::from(&file.path), file.text.clone())));
    if args.dry_run {
        for (path, text) in &new_project {
            show(&path.display().to_string(), text, shell);
        }
        for file in files {
            show(&file.path, &file.text, shell);
        }
        if let Some(text) = removed {
            show(&removed_path.display().to_string(), text, shell);
        }
    }
    // What the project's own rules refuse must not get into it.
    let (rehearsed, _) = load(args, &added).map_err(|error| {
        let hints = [Some(Hint::NothingWritten), (!args.dry_run).then_some(Hint::DryRunShows)];
        hints.into_iter().flatten().fold(error, Error::hint)
    })?;
    if args.dry_run {
        return Ok(judge_import(&rehearsed, live, names));
    }
    write_all(destination, files, removed.map(|text| (removed_path.as_path(), text)), shell)?;
    write_project(&args.project.folder, &new_project, shell)?;
    let (written, _) = load(args, &BTreeMap::new())?;
    Ok(judge_import(&written, live, names))
}

fn show(path: &str, text: &str, shell: &Shell) {
    shell.out.line(escaped!("==> {}\n{}", escape::line(path), escape::block(text)));
}

/// Loads the project, with files that are not written yet, for the one target that is asked for.
fn load(args: &ImportArgs, added: &BTreeMap<PathBuf, String>) -> Result<(Desired, Outline), Error> {
    let folder = &args.project.folder;
    one_target(folder, args.target.as_deref(), added).map_err(|error| {
        let is_new = !args.new.is_asked_for() && !is_project(folder);
        if is_new && matches!(error.kind, ErrorKind::Manifests(_)) { error.hint(Hint::InitWithImport) } else { error }
    })
}

/// Looks for what can be imported: in a state, or in what is live.
async fn find(
    args: &ImportArgs,
    desired: &Desired,
    selection: &Selection,
    verbose: u8,
    shell: &Shell,
) -> Result<Importing, Error> {
    let source = ImportSource { desired, selection, orphans: args.all };
    if let Some(file) = &args.state.from_tfstate {
        return source.from_state(read_state(file)?);
    }
    let aws = args.aws.reach(shell).open(&args.project.folder)?;
    let telling = Telling::reading(shell);
    let stop = interrupt::listen();
    let found = unless_stopped(&stop, Box::pin(source.from_live(&aws, &|event| telling.tell(event)))).await?;
    telling.clear();
    tell_calls(&aws, verbose, shell);
    found
}

fn target_outline(outline: &Outline, desired: &Desired) -> TargetOutline {
    outline.targets.iter().find(|target| target.name == desired.target.name).cloned().unwrap_or_default()
}
