//! One file a verb: its arguments and its handler, side by side.
//!
//! What may not enter: anything that another front end would need too. Handlers put rooms together; they do not plan,
//! diff or make sentences about plans.

mod apply;
mod args;
mod begin;
mod completions;
mod confirm;
mod core_dump;
mod doctor;
mod drift;
mod event_printer;
mod explain;
mod graph;
mod guard_flags;
mod iam_policy;
mod import;
mod init;
mod interrupt;
mod inventory;
mod journal;
mod line;
mod log;
mod look;
mod man;
mod next;
mod one_secret;
mod open_files;
mod plan;
mod progress;
mod promote;
mod release;
mod report;
mod restore;
mod rollback;
mod rotate;
mod sandbox;
mod schema;
mod shell;
mod validate;
mod values;
mod versions;
mod watch;
mod who;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgAction, CommandFactory, Parser, Subcommand};

pub use shell::{ColorChoice, Output, Shell};

use crate::exit_code::ExitCode;
use crate::render::escape;
use crate::workflow::{self, Error, Problem};

/// Keeps AWS Secrets Manager in step with git.
///
/// keywright reads YAML manifests of the secrets that should exist, compares them with what is live, shows a plan that
/// a reviewer can trust, and applies it in dependency order. It keeps no state file.
#[derive(Debug, Parser)]
#[command(name = "keywright", version, max_term_width = 100, propagate_version = true)]
#[command(after_help = "Without a command, keywright says what to do next in this folder.\n\n\
    First steps:\n  keywright init payments\n  keywright plan --sandbox --project payments   # no \
        account needed\n\n\
    Exit codes: 0 done or no changes, 1 error, 2 changes or drift, 3 a guard refused, 4 the plan is stale, \
    5 applied in part, 64 wrong usage, 130 interrupted.")]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// End with the number of API calls; -vv logs debug, -vvv everything of keywright's own
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// The folder that holds keywright.yaml, for every verb that reads a project: before the verb, as here, or behind
    /// it
    #[arg(short = 'C', long, value_name = "FOLDER")]
    project: Option<PathBuf>,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

/// The verbs. Their help stands on their arguments, so that short and long help come from one place.
#[derive(Debug, Subcommand)]
enum Command {
    Init(init::InitArgs),
    Validate(validate::ValidateArgs),
    Doctor(doctor::DoctorArgs),
    Plan(plan::PlanArgs),
    Apply(apply::ApplyArgs),
    Drift(drift::DriftArgs),
    Inventory(inventory::InventoryArgs),
    Watch(watch::WatchArgs),
    Graph(graph::GraphArgs),
    Release(release::ReleaseArgs),
    Versions(versions::VersionsArgs),
    Rollback(rollback::RollbackArgs),
    Rotate(rotate::RotateArgs),
    Restore(restore::RestoreArgs),
    Promote(promote::PromoteArgs),
    IamPolicy(iam_policy::IamPolicyArgs),
    Import(import::ImportArgs),
    Explain(explain::ExplainArgs),
    Schema(schema::SchemaArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Sandbox(sandbox::SandboxArgs),
}

/// Runs one command line, `args[0]` included, and returns what the process should end with.
///
/// Not generic: otherwise whoever calls it would compile all that it leads to once more.
pub fn run(args: Vec<OsString>, shell: &mut Shell) -> ExitCode {
    let args = line::project_behind_the_verb(args);
    let parsed = line::sandbox_file_apart(&args).map_or_else(|| Cli::try_parse_from(&args), Err);
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return usage(&line::with_tip(error, &args), shell),
    };
    shell.set_color(cli.color);
    log::start(cli.verbose);
    core_dump::forbid();
    open_files::raise_limit();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let error = Error::from(workflow::ErrorKind::Local(Problem::Runtime)).because(error);
            return report::report(&error, shell);
        }
    };
    let ended = runtime.block_on(Box::pin(dispatch(&cli, shell)));
    let code = ended.unwrap_or_else(|error| report::report(&error, shell));
    // A prompt that waits for input must not keep the process alive.
    runtime.shutdown_background();
    shell.finish(code)
}

/// Hands a verb its arguments. Without one, what to do next is said.
async fn dispatch(cli: &Cli, shell: &mut Shell) -> Result<ExitCode, Error> {
    let Cli { command, verbose, project, color: _ } = cli;
    let Some(command) = command else { return Ok(next::next(project.as_deref(), shell).await) };
    let verbose = *verbose;
    match command {
        Command::Init(args) => init::init(args, shell),
        Command::Validate(args) => Ok(validate::validate(args, shell)),
        Command::Doctor(args) => Box::pin(doctor::doctor(args, verbose, shell)).await,
        Command::Plan(args) => Box::pin(plan::plan(args, verbose, shell)).await,
        Command::Apply(args) => Box::pin(apply::apply(args, verbose, shell)).await,
        Command::Inventory(args) => Box::pin(inventory::inventory(args, verbose, shell)).await,
        Command::Drift(args) => Box::pin(drift::drift(args, verbose, shell)).await,
        Command::Graph(args) => Box::pin(graph::graph(args, verbose, shell)).await,
        Command::Watch(args) => Box::pin(watch::watch(args, verbose, shell)).await,
        Command::Release(args) => Box::pin(release::release(args, verbose, shell)).await,
        Command::Versions(args) => Box::pin(versions::versions(args, verbose, shell)).await,
        Command::Rollback(args) => Box::pin(rollback::rollback(args, verbose, shell)).await,
        Command::Rotate(args) => Box::pin(rotate::rotate(args, verbose, shell)).await,
        Command::Restore(args) => Box::pin(restore::restore(args, verbose, shell)).await,
        Command::Promote(args) => Box::pin(promote::promote(args, verbose, shell)).await,
        Command::IamPolicy(args) => iam_policy::iam_policy(args, shell),
        Command::Import(args) => Box::pin(import::import(args, verbose, shell)).await,
        Command::Explain(args) => explain::explain(args, shell),
        Command::Schema(args) => Ok(schema::schema(args, shell)),
        Command::Completions(args) => Ok(completions::completions(args, shell)),
        Command::Man(args) => man::man(args, shell),
        Command::Sandbox(args) => sandbox::sandbox(args, shell).await,
    }
}

/// The command line's grammar, for documentation and tests.
pub fn command() -> clap::Command {
    Cli::command()
}

/// `--help` and `--version` are answers; everything else is wrong usage.
fn usage(error: &clap::Error, shell: &Shell) -> ExitCode {
    let (output, code) = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => (&shell.out, ExitCode::Success),
        _ => (&shell.err, ExitCode::Usage),
    };
    // It quotes the arguments.
    let text = error.render();
    output.write(if output.colour() {
        escape::painted_block(&text.ansi().to_string())
    } else {
        escape::block(&text.to_string())
    });
    code
}
