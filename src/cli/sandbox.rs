//! `keywright sandbox`: the embedded Secrets Manager, served to other clients or emptied.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::args::ProjectArgs;
use super::interrupt;
use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::render::escape;
use crate::sandbox::Server;
use crate::sandbox::{Options, Sandbox};

/// The folder in a project for files that are nobody else's business.
pub(super) const PRIVATE_FOLDER: &str = ".keywright";

/// The embedded Secrets Manager.
///
/// It speaks the protocol of AWS Secrets Manager and keeps its data in one file. Nothing in it ever reaches AWS.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  keywright sandbox serve --memory")]
pub(super) struct SandboxArgs {
    #[command(subcommand)]
    verb: SandboxVerb,
}

#[derive(Debug, Subcommand)]
enum SandboxVerb {
    /// Serve it on 127.0.0.1, for the AWS CLI, boto3 and other clients
    #[command(after_long_help = SERVE_HELP)]
    Serve(ServeArgs),
    /// Make secrets that exist in it, from a YAML file
    #[command(after_long_help = SEED_HELP)]
    Seed {
        /// The YAML file: a list of account, region, name, description, kmsKeyId, tags, policy, value, …
        #[arg(value_name = "FILE")]
        fixtures: PathBuf,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Move its clock forward: recovery windows end, rotations fall due
    #[command(after_long_help = "Example:\n  keywright sandbox advance P31D && keywright drift --sandbox")]
    Advance {
        /// How far, for example PT36H or P30D
        #[arg(value_name = "DURATION")]
        by: jiff::Span,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Forget everything in it
    #[command(after_long_help = "Example:\n  keywright sandbox reset --project examples/payments")]
    Reset {
        #[command(flatten)]
        place: PlaceArgs,
    },
}

const SEED_HELP: &str = "Example:
  cat > live.yaml <<'END'
  - { account: \"111111111111\", region: eu-west-1, name: dev/shop/db, value: x }
  END
  keywright sandbox seed live.yaml && keywright plan --sandbox";

const SERVE_HELP: &str = "Example:
  keywright sandbox serve --port 4566
  AWS_ACCESS_KEY_ID=111111111111 AWS_SECRET_ACCESS_KEY=x \\
    aws --endpoint-url http://127.0.0.1:4566 --region eu-west-1 secretsmanager list-secrets

An access key id of twelve digits is the account. GET /_keywright/health answers when it is ready; POST
/_keywright/reset, /clock, /faults, /policy and /seed, and GET /_keywright/calls, control it.";

/// Which sandbox.
#[derive(Debug, Args)]
struct PlaceArgs {
    #[command(flatten)]
    project: ProjectArgs,
    /// The sandbox's file [default: .keywright/sandbox.redb in the project]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl PlaceArgs {
    fn open(&self, shell: &Shell) -> Result<Sandbox, ExitCode> {
        open(self.file.as_deref(), &self.project.folder, shell)
    }
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Keep everything in memory, and forget it at the end
    #[arg(long, conflicts_with = "file")]
    memory: bool,
    /// The port; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 4566)]
    port: u16,
    /// The address to listen on. Anybody who reaches it may do everything
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    listen: IpAddr,
    /// Allow an address that other machines can reach
    #[arg(long)]
    beyond_loopback: bool,
    /// Make these secrets first, from a YAML file
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Inject the faults of this JSON file: errors, lost answers, latency, quotas, a list that lags
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Enforce this identity policy, such as one that `keywright iam-policy` prints
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// Injects the faults of a file.
pub(super) fn inject_faults(sandbox: &Sandbox, file: &Path, shell: &Shell) -> Result<(), ExitCode> {
    let text = read(file, shell)?;
    sandbox.apply_fault_file(&text).map_err(|error| {
        let shown = file.display().to_string();
        shell.error(&format!("{}: {}", escape::line(&shown), escape::line(&error.to_string())), None);
        ExitCode::Error
    })
}

/// Makes a sandbox enforce the policy of a file.
pub(super) fn enforce(sandbox: &Sandbox, file: &Path, shell: &Shell) -> Result<(), ExitCode> {
    sandbox.enforce_policy(&read(file, shell)?).map_err(|error| {
        let shown = file.display().to_string();
        shell.error(&format!("{}: {}", escape::line(&shown), escape::line(&error.to_string())), None);
        ExitCode::Error
    })
}

fn read(file: &Path, shell: &Shell) -> Result<String, ExitCode> {
    std::fs::read_to_string(file).map_err(|error| {
        let shown = file.display().to_string();
        shell.error(&format!("{} cannot be read: {error}", escape::line(&shown)), None);
        ExitCode::Error
    })
}

/// Makes the secrets of a file; how many were new is said on standard error.
fn make_fixtures(sandbox: &Sandbox, file: &Path, shell: &Shell) -> Result<(), ExitCode> {
    let text = read(file, shell)?;
    let made = sandbox.make_fixtures(&text).map_err(|error| {
        let shown = file.display().to_string();
        shell.error(&format!("{}: {}", escape::line(&shown), escape::line(&error.to_string())), None);
        ExitCode::Error
    })?;
    shell.err.line(&format!("{made} secret{} made", if made == 1 { "" } else { "s" }));
    Ok(())
}

/// Opens the sandbox of a project, or in a given file.
pub(super) fn open(file: Option<&Path>, root: &Path, shell: &Shell) -> Result<Sandbox, ExitCode> {
    if let Some(sandbox) = &shell.sandbox {
        return Ok(sandbox.clone());
    }
    let path = file.map_or_else(|| root.join(PRIVATE_FOLDER).join("sandbox.redb"), Path::to_path_buf);
    if file.is_none() {
        keep_out_of_git(root, shell)?;
    }
    Sandbox::open(&path, Options::default()).map_err(|error| {
        let shown = path.display().to_string();
        shell.error(
            &format!("the sandbox {} cannot be opened: {}", escape::line(&shown), escape::line(&error.to_string())),
            None,
        );
        ExitCode::Error
    })
}

/// Makes the private folder with a .gitignore of its own, so that a sandbox is not committed by accident.
fn keep_out_of_git(root: &Path, shell: &Shell) -> Result<(), ExitCode> {
    let folder = root.join(PRIVATE_FOLDER);
    let ignore = folder.join(".gitignore");
    if ignore.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&ignore, "*\n")).map_err(|error| {
        let shown = folder.display().to_string();
        shell.error(
            &format!("{} cannot be made: {error}", escape::line(&shown)),
            Some("give a file with --sandbox=FILE"),
        );
        ExitCode::Error
    })
}

pub(super) async fn sandbox(args: &SandboxArgs, shell: &Shell) -> ExitCode {
    match run(args, shell).await {
        Ok(()) => ExitCode::Success,
        Err(code) => code,
    }
}

async fn run(args: &SandboxArgs, shell: &Shell) -> Result<(), ExitCode> {
    let failed = |what: &str, error: &dyn std::error::Error| {
        shell.error(&format!("the sandbox could not be {what}: {}", escape::line(&error.to_string())), None);
        ExitCode::Error
    };
    match &args.verb {
        SandboxVerb::Serve(args) => {
            let sandbox = if args.memory { Sandbox::in_memory(Options::default()) } else { args.place.open(shell)? };
            if let Some(file) = &args.seed {
                make_fixtures(&sandbox, file, shell)?;
            }
            if let Some(file) = &args.faults {
                inject_faults(&sandbox, file, shell)?;
            }
            if let Some(file) = &args.policy {
                enforce(&sandbox, file, shell)?;
            }
            serve(sandbox, args, shell).await
        }
        SandboxVerb::Seed { fixtures, place } => make_fixtures(&place.open(shell)?, fixtures, shell),
        SandboxVerb::Advance { by, place } => {
            let sandbox = place.open(shell)?;
            // Days are of 24 hours: the sandbox's clock knows no time zone.
            let days = jiff::SpanRelativeTo::days_are_24_hours();
            let seconds = by.total((jiff::Unit::Second, days)).map_err(|error| failed("moved in time", &error))?;
            if seconds < 0.0 {
                shell.error("the clock only goes forward", None);
                return Err(ExitCode::Usage);
            }
            let by =
                std::time::Duration::try_from_secs_f64(seconds).map_err(|error| failed("moved in time", &error))?;
            sandbox.advance(by).map_err(|error| failed("moved in time", &error))?;
            shell.out.line(&format!("The sandbox's clock shows {}.", sandbox.now()));
            Ok(())
        }
        SandboxVerb::Reset { place } => {
            place.open(shell)?.reset().map_err(|error| failed("emptied", &error))?;
            shell.out.line("The sandbox is empty.");
            Ok(())
        }
    }
}

async fn serve(sandbox: Sandbox, args: &ServeArgs, shell: &Shell) -> Result<(), ExitCode> {
    let address = SocketAddr::new(args.listen, args.port);
    if !args.listen.is_loopback() && !args.beyond_loopback {
        let hint = "anybody who reaches it may do everything: say --beyond-loopback when that is what you want";
        shell.error(&format!("{address} can be reached from other machines"), Some(hint));
        return Err(ExitCode::Usage);
    }
    let bound = if args.beyond_loopback {
        Server::bind_beyond_loopback(sandbox, address).await
    } else {
        Server::bind(sandbox, address).await
    };
    let server = bound.map_err(|error| {
        shell.error(&format!("{address} cannot be listened on: {error}"), Some("choose another port with --port"));
        ExitCode::Error
    })?;
    let stop = interrupt::listen();
    // The ready line: clients may connect from here on, and whoever started it may stop it.
    shell.out.line(&format!("keywright sandbox ready on http://{}", server.local_addr()));
    server.run(async move { interrupt::stopped(&stop).await }).await;
    Ok(())
}
