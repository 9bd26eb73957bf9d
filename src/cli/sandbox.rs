//! `keywright sandbox`: the embedded Secrets Manager, served to other clients or emptied.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::args::ProjectArgs;
use super::interrupt;
use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::render::{count, escape, escaped};
use crate::sandbox::{Options, Sandbox};
use crate::workflow::{
    Error, advance_sandbox, bind_sandbox, empty_sandbox, enforce, inject_faults, make_fixtures, open_sandbox, stopped,
};

/// The embedded Secrets Manager.
///
/// It speaks the protocol of AWS Secrets Manager and keeps its data in one file. Nothing in it ever reaches AWS.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright sandbox serve --memory\n  \
    keywright sandbox seed live.yaml && keywright plan --sandbox\n  \
    keywright sandbox advance P31D && keywright drift --sandbox")]
pub(super) struct SandboxArgs {
    #[command(subcommand)]
    verb: SandboxVerb,
}

#[derive(Debug, Subcommand)]
enum SandboxVerb {
    /// Serve it on 127.0.0.1, for the AWS CLI, boto3 and other clients
    #[command(after_long_help = SERVE_HELP)]
    Serve(ServeArgs),
    /// Create secrets in it, from a YAML file
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
    /// Delete everything in it
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

An access key id of twelve digits is the account. GET /_keywright/health answers when it is ready.
POST /_keywright/reset, /clock, /faults, /policy and /seed control it, GET /_keywright/calls lists
the calls.";

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
    fn open(&self, shell: &Shell) -> Result<Sandbox, Error> {
        match &shell.sandbox {
            Some(sandbox) => Ok(sandbox.clone()),
            None => open_sandbox(self.file.as_deref(), &self.project.folder),
        }
    }
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Keep everything in memory; it is gone at the end
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
    /// Create these secrets first, from a YAML file
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Inject the faults of this JSON file: errors, lost responses, latency, quotas, a list that lags
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Enforce this identity policy, such as one that `keywright iam-policy` prints
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

pub(super) async fn sandbox(args: &SandboxArgs, shell: &Shell) -> Result<ExitCode, Error> {
    match &args.verb {
        SandboxVerb::Serve(args) => {
            let sandbox = if args.memory { Sandbox::in_memory(Options::default()) } else { args.place.open(shell)? };
            if let Some(file) = &args.seed {
                fixtures_of(&sandbox, file, shell)?;
            }
            if let Some(file) = &args.faults {
                inject_faults(&sandbox, file)?;
            }
            if let Some(file) = &args.policy {
                enforce(&sandbox, file)?;
            }
            serve(sandbox, args, shell).await?;
        }
        SandboxVerb::Seed { fixtures, place } => fixtures_of(&place.open(shell)?, fixtures, shell)?,
        SandboxVerb::Advance { by, place } => {
            let sandbox = place.open(shell)?;
            advance_sandbox(&sandbox, *by)?;
            shell.out.line(escaped!("The sandbox's clock shows {}.", escape::line(&sandbox.now().to_string())));
        }
        SandboxVerb::Reset { place } => {
            empty_sandbox(&place.open(shell)?)?;
            shell.out.line("The sandbox is empty.");
        }
    }
    Ok(ExitCode::Success)
}

/// Makes the secrets of a file; how many were new is said on standard error.
fn fixtures_of(sandbox: &Sandbox, file: &Path, shell: &Shell) -> Result<(), Error> {
    let made = make_fixtures(sandbox, file)?;
    shell.err.line(escaped!("{} made", count(made, "secret")));
    Ok(())
}

async fn serve(sandbox: Sandbox, args: &ServeArgs, shell: &Shell) -> Result<(), Error> {
    let server = bind_sandbox(sandbox, SocketAddr::new(args.listen, args.port), args.beyond_loopback).await?;
    let stop = interrupt::listen();
    // The ready line: clients may connect from here on, and whoever started it may stop it.
    shell.out.line(escaped!("keywright sandbox ready on http://{}", escape::address(server.local_addr())));
    server.run(async move { stopped(&stop).await }).await;
    Ok(())
}
