//! `keywright import`: writes manifests for secrets that are live already, and proves them by planning them.

mod files;
mod new_project;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;

use self::files::{Destination, write_all};
use self::new_project::{NewProjectArgs, is_project, write_project};
use self::state::read_state;
use super::args::{AwsArgs, ProjectArgs};
use super::interrupt;
use super::prepare::{TargetError, reach, tell_calls};
use super::progress::ReadingLine;
use super::shell::Shell;
use crate::desired::{Deletion, Desired, SecretName};
use crate::exit_code::ExitCode;
use crate::import::tfstate::{State, removed_blocks};
use crate::import::{
    Choice, Importable, ImportedFile, Layout, LeftOut, Proof, choose, import as write_manifests, prove, shared_tags,
};
use crate::live::{self, Live, ReadProgress, Wanted};
use crate::manifest::{LoadOptions, Loaded, Outline, TargetOutline, load};
use crate::plan::{Rules, Selection, ValueFacts, plan};
use crate::reconcile::PlanError;
use crate::render::{diagnostics, escape, import_text};

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

/// What there is to import.
struct Found {
    live: Live,
    /// How Terraform would have deleted them.
    deletions: BTreeMap<SecretName, Deletion>,
    choice: Choice,
    state: Option<State>,
}

pub(super) async fn import(args: &ImportArgs, verbose: u8, shell: &mut Shell) -> ExitCode {
    match Box::pin(run(args, verbose, shell)).await {
        Ok(code) | Err(code) => code,
    }
}

async fn run(args: &ImportArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, ExitCode> {
    let selection = Selection::matching(&args.select).map_err(|error| {
        shell.error(&format!("--select: {}", escape::line(&error.to_string())), None);
        ExitCode::Usage
    })?;
    let mut added = args.new.files(&args.project.folder, args.target.as_deref(), &BTreeMap::new(), shell)?;
    let (desired, outline) = one_target(args, &added, shell)?;
    let destination = Destination::choose(&args.project.folder, args.output.as_deref(), &outline, shell)?;

    let found = match &args.state.from_tfstate {
        Some(file) => from_state(file, &desired, &selection, args.all, shell)?,
        None => from_live(args, &desired, &selection, verbose, shell).await?,
    };
    shell.err.write(&import_text::left_out(&found.choice.left_out));
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
        added = args.new.files(&args.project.folder, args.target.as_deref(), &shared, shell)?;
        one_target(args, &added, shell)?
    };
    let target = target_outline(&outline, &desired);
    if !shared.is_empty()
        && shared.iter().any(|(key, value)| target.defaults.tags.get(key) != Some(&Some(value.clone())))
    {
        shell.err.line(&import_text::shared_tags(&shared));
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
            account: found.live.account.as_deref(),
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
    shell.out.write(&import_text::proof(shell.out.paint(), &proof, found.state.is_some()));
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
) -> Result<Proof, ExitCode> {
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
    let (rehearsed, _) = one_target(args, &added, shell).inspect_err(|_| {
        let hint = if args.dry_run { "" } else { "; --dry-run shows the manifests" };
        shell.err.line(&format!("nothing was written{hint}"));
    })?;
    if args.dry_run {
        return Ok(judge(&rehearsed, live, names));
    }
    write_all(destination, files, removed.map(|text| (removed_path.as_path(), text)), shell)?;
    write_project(&args.project.folder, &new_project, shell)?;
    let (written, _) = one_target(args, &BTreeMap::new(), shell)?;
    Ok(judge(&written, live, names))
}

fn show(path: &str, text: &str, shell: &Shell) {
    // The texts quote what is hostile in them by themselves.
    shell.out.write(&format!("==> {}\n{text}\n", escape::line(path)));
}

fn judge(desired: &Desired, live: &Live, names: &BTreeSet<SecretName>) -> Proof {
    // Names are matched as they are, so this choice is always well-formed.
    let rules = Rules { selection: Selection::exactly(names).unwrap_or_default() };
    let (planned, report) = plan(desired, live, &ValueFacts::default(), &rules);
    prove(names, desired, &planned, &report)
}

/// Loads the project, with files that are not written yet, for the one target that is asked for.
fn one_target(
    args: &ImportArgs,
    added: &BTreeMap<PathBuf, String>,
    shell: &Shell,
) -> Result<(Desired, Outline), ExitCode> {
    let options =
        LoadOptions { targets: args.target.iter().cloned().collect(), added: added.clone(), folders_to_come: true };
    let Loaded { mut desired, outline, diagnostics, .. } = load(&args.project.folder, &options);
    if diagnostics.has_errors() {
        shell.err.write(&diagnostics::text(&diagnostics, shell.err.colour()));
        if !args.new.is_asked_for() && !is_project(&args.project.folder) {
            shell.err.line("or `keywright import --init NAME --prefix PREFIX` writes one along with the manifests");
        }
        return Err(ExitCode::Error);
    }
    if desired.len() > 1 {
        let names: Vec<_> = desired.iter().map(|desired| escape::line(&desired.target.name)).collect();
        let hint = format!("say which with --target: {}", names.join(", "));
        shell.error("the project has several targets, and manifests are imported from one", Some(&hint));
        return Err(ExitCode::Usage);
    }
    desired.pop().zip(outline).ok_or(ExitCode::Error)
}

fn target_outline(outline: &Outline, desired: &Desired) -> TargetOutline {
    outline.targets.iter().find(|target| target.name == desired.target.name).cloned().unwrap_or_default()
}

/// Lists what is live, and reads what is to be imported in full.
async fn from_live(
    args: &ImportArgs,
    desired: &Desired,
    selection: &Selection,
    verbose: u8,
    shell: &Shell,
) -> Result<Found, ExitCode> {
    let aws = reach(&args.aws, &args.project.folder, shell)?;
    let stop = interrupt::listen();
    let reading = async {
        let progress = ReadingLine::new(shell);
        let tell = |step: ReadProgress| progress.advance(step);
        let connection = aws.connect(&desired.target).await?;
        let plain = selection.plain_names();
        let in_scope = |name: &SecretName| desired.scope.contains(name.as_str());
        let wanted = Wanted {
            scope: &desired.scope,
            names: plain.iter().flatten().filter(|name| in_scope(name)).cloned().collect(),
            policies: BTreeSet::new(),
            replicated: BTreeSet::new(),
            owned_by: None,
            names_only: plain.is_some(),
            cache: None,
        };
        let region = &desired.target.region;
        let mut live = live::read(connection.reader(), region, &wanted, &tell).await.map_err(PlanError::from)?;
        live.account.clone_from(&connection.account);
        let listed = choose(desired, &live, selection, args.all);
        live::read_in_full(connection.reader(), &mut live, &listed.imported, &tell).await.map_err(PlanError::from)?;
        Ok::<Live, TargetError>(live)
    };
    let live = tokio::select! {
        live = reading => live,
        () = interrupt::stopped(&stop) => return Err(ExitCode::Interrupted),
    };
    tell_calls(&aws, verbose, shell);
    let live = live.map_err(|error| {
        let target = escape::line(&desired.target.name);
        shell.error(&format!("{target}: {}", error.text()), error.hint().as_deref());
        ExitCode::Error
    })?;
    // The list may have lagged: who owns a secret is known from its description.
    let choice = choose(desired, &live, selection, args.all);
    Ok(Found { live, deletions: BTreeMap::new(), choice, state: None })
}

/// Takes what a state says for what is live.
fn from_state(
    file: &std::path::Path,
    desired: &Desired,
    selection: &Selection,
    orphans: bool,
    shell: &Shell,
) -> Result<Found, ExitCode> {
    let state = read_state(file, shell)?;
    let accounts: BTreeSet<&str> = state
        .secrets
        .iter()
        .filter(|found| found.region == desired.target.region)
        .map(|found| found.account.as_str())
        .collect();
    let account = match (&desired.target.account, accounts.iter().next()) {
        (Some(account), _) => Some(account.clone()),
        (None, first) if accounts.len() < 2 => first.map(|account| (*account).to_owned()),
        (None, _) => {
            let hint = format!("name the account of target {} in the project file", escape::line(&desired.target.name));
            shell.error("the state holds secrets of several accounts in this region", Some(&hint));
            return Err(ExitCode::Error);
        }
    };
    let mut live = Live { account, region: desired.target.region.clone(), ..Live::default() };
    let mut deletions = BTreeMap::new();
    let mut left_out = Vec::new();
    for found in state.secrets.iter().filter(|found| selection.contains(&found.secret.name)) {
        let name = found.secret.name.clone();
        if found.region != live.region || Some(&found.account) != live.account.as_ref() {
            let place = format!("{} {}", found.account, found.region);
            left_out.push(LeftOut { name, reason: crate::import::Reason::OtherPlace { place } });
            continue;
        }
        if let Some(deletion) = found.deletion {
            deletions.insert(name.clone(), deletion);
        }
        live.secrets.insert(name, found.secret.clone());
    }
    let mut choice = choose(desired, &live, selection, orphans);
    choice.left_out.extend(left_out);
    Ok(Found { live, deletions, choice, state: Some(state) })
}
