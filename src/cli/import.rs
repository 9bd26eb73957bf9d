//! `keywright import`: writes manifests for secrets that are live already, and proves them by planning them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::args::{AwsArgs, ProjectArgs, account, file_to_write, region, select};
use super::event_printer::EventPrinter;
use super::interrupt;
use super::report::{print_calls, print_warning};
use super::shell::Shell;
use crate::collect::CollectSet as _;
use crate::exit_code::ExitCode;
use crate::import::ImportField;
use crate::render::{count, escaped, import_text};
use crate::workflow::{self, Error, ImportFrom, ImportRequest, NewProject, Unmanaged, project_name};

/// Write manifests for live secrets.
///
/// Reads the secrets in scope of all targets that no project manages yet, or Terraform states, and writes manifests for
/// them: one for what is the same in several targets, lists of like secrets, Defaults for what a folder has in common,
/// files by prefix of the names, and comments that say what is not managed. No value is ever read, and nothing that
/// exists is overwritten. Then it plans the new manifests: the only change must be the owner tag by which the next
/// apply adopts the secrets. A target that cannot be reached is left out, and the others are imported (exit code 5).
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  keywright import --select 'prod/payments/*'\n  keywright import --dry-run\n  \
    keywright import --fields tags,policy\n  \
    keywright import --from-inventory inventory.json --select 'prod/*'\n  \
    keywright import --init payments --target prod --region eu-west-1 --prefix prod/payments/\n  \
    keywright import --from-tfstate terraform.tfstate --removed ../infra/removed.tf"
)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    project: ProjectArgs,
    /// The target to import from, a glob or a selector of labels; may be given several times [default: all]
    #[arg(short, long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// Only secrets whose name matches; may be given several times. `*` also matches `/`
    #[arg(short, long, value_name = "GLOB")]
    select: Vec<String>,
    /// Only secrets that this inventory (`keywright inventory --format json`) calls unmanaged, in the targets in which
    /// it has any
    #[arg(long, value_name = "FILE", conflicts_with_all = ["all", "from_tfstate", "init"])]
    from_inventory: Option<PathBuf>,
    /// Also write manifests for secrets that this project owns and whose manifests are gone
    #[arg(long)]
    all: bool,
    /// Only these fields, the others stay unmanaged; separated by commas
    #[arg(long, value_name = "FIELDS", value_enum, value_delimiter = ',')]
    fields: Vec<FieldArg>,
    /// Write each secret out: neither lists of like secrets, nor Defaults of folders, nor policies as files
    #[arg(long)]
    expanded: bool,
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

/// A field of `spec` that can be imported alone.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "camelCase")]
enum FieldArg {
    Description,
    Type,
    KmsKeyId,
    Tags,
    Policy,
    Rotation,
    Replicas,
    CrossAccount,
}

impl From<FieldArg> for ImportField {
    fn from(field: FieldArg) -> Self {
        match field {
            FieldArg::Description => Self::Description,
            FieldArg::Type => Self::Type,
            FieldArg::KmsKeyId => Self::KmsKeyId,
            FieldArg::Tags => Self::Tags,
            FieldArg::Policy => Self::Policy,
            FieldArg::Rotation => Self::Rotation,
            FieldArg::Replicas => Self::Replicas,
            FieldArg::CrossAccount => Self::CrossAccount,
        }
    }
}

/// From a Terraform state.
#[derive(Debug, Args)]
#[command(next_help_heading = "From Terraform")]
struct StateArgs {
    /// Take the secrets from this Terraform state instead of AWS, or from several; no credentials are needed, and
    /// values in it are skipped
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sandbox", "endpoint_url"])]
    from_tfstate: Vec<PathBuf>,
    /// Where to write the `removed` blocks by which Terraform lets go of the secrets, a file for each state in the same
    /// order [default: removed.tf in the project; of several states, removed-STATE.tf]
    #[arg(long, value_name = "FILE", requires = "from_tfstate", value_parser = file_to_write())]
    removed: Vec<PathBuf>,
}

/// The project, when there is none yet.
#[derive(Debug, Args)]
#[command(next_help_heading = "A new project")]
struct NewProjectArgs {
    /// Write the project file too, for a project of this name; tags that all of the secrets share become its defaults
    #[arg(long, value_name = "NAME", value_parser = project_name, requires = "prefix")]
    init: Option<String>,
    /// What the names of the new project's secrets begin with; may be given several times
    #[arg(long, value_name = "PREFIX", requires = "init")]
    prefix: Vec<String>,
    /// The region of the new project's target
    #[arg(long, value_name = "REGION", requires = "init", default_value = "eu-west-1", value_parser = region)]
    region: String,
    /// The account of the new project's target; credentials of any other are refused then
    #[arg(long, value_name = "TWELVE DIGITS", requires = "init", value_parser = account)]
    account: Option<String>,
}

impl NewProjectArgs {
    fn project(&self, target: Option<&str>) -> Option<NewProject> {
        Some(NewProject {
            name: self.init.clone()?,
            target: target.unwrap_or("main").to_owned(),
            account: self.account.clone(),
            region: self.region.clone(),
            vars: BTreeMap::new(),
            tags: BTreeMap::new(),
            prefixes: self.prefix.iter().map(|prefix| NewProject::literal_prefix(prefix)).collect(),
        })
    }
}

/// Warns of what an inventory calls unmanaged and no manifest of this project can name.
fn warn_of(unmanaged: &Unmanaged, shell: &Shell) {
    if unmanaged.out_of_scope > 0 {
        let secrets = count(unmanaged.out_of_scope, "unmanaged secret");
        print_warning(escaped!("{} outside the scope: `spec.scope` says what this project may touch", secrets), shell);
    }
}

pub(super) async fn import(args: &ImportArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    let selection = select(&args.select)?;
    let from = match args.state.from_tfstate.as_slice() {
        [] => ImportFrom::Live { reach: args.aws.reach(shell), stop: interrupt::listen() },
        files => ImportFrom::States { files, removed: &args.state.removed },
    };
    let unmanaged = args.from_inventory.as_deref().map(Unmanaged::read).transpose()?;
    let targets = match &unmanaged {
        Some(unmanaged) if args.targets.is_empty() => unmanaged.targets(),
        _ => args.targets.clone(),
    };
    if let Some(unmanaged) = &unmanaged {
        warn_of(unmanaged, shell);
        if unmanaged.targets().is_empty() {
            shell.out.write(import_text::nothing());
            return Ok(ExitCode::Success);
        }
    }
    let fields: BTreeSet<ImportField> = args.fields.iter().copied().map(Into::into).collect_set();
    let printer = EventPrinter::reading(shell);
    let request = ImportRequest {
        folder: &args.project.folder,
        targets: &targets,
        selection: &selection,
        unmanaged: unmanaged.as_ref(),
        orphans: args.all,
        expanded: args.expanded,
        fields: (!fields.is_empty()).then_some(&fields),
        from,
        output: args.output.as_deref(),
        dry_run: args.dry_run,
        new_project: args.new.project(args.targets.first().map(String::as_str)),
        listener: &|event| printer.print(event),
    };
    let imported = Box::pin(workflow::import(&request)).await?;
    let holds = imported.targets.iter().all(|target| target.proof.holds());
    let code = match (imported.targets.is_empty(), imported.unread.is_empty()) {
        (true, true) => ExitCode::Success,
        (false, false) => ExitCode::Partial,
        (false, true) if holds => ExitCode::Success,
        (true, false) | (false, true) => ExitCode::Error,
    };
    shell.out.write(import_text::imported(shell.out.paint(), &imported));
    if let Some(aws) = &imported.aws {
        print_calls(aws, verbose, shell);
    }
    Ok(code)
}
