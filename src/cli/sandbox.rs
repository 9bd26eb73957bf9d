//! `keywright sandbox`: the embedded Secrets Manager, served to other clients or emptied.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::args::ProjectArgs;
use super::interrupt;
use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::render::escape;
use crate::sandbox::server::Server;
use crate::sandbox::{Options, Sandbox};

/// The folder in a project for files that are nobody else's business.
pub(super) const PRIVATE_FOLDER: &str = ".keywright";

/// The embedded Secrets Manager.
///
/// It speaks the protocol of AWS Secrets Manager and keeps its data in one file. Nothing in it ever reaches AWS.
#[derive(Debug, Args)]
pub(super) struct SandboxArgs {
    #[command(subcommand)]
    verb: SandboxVerb,
}

#[derive(Debug, Subcommand)]
enum SandboxVerb {
    /// Serve it on 127.0.0.1, for the AWS CLI, boto3 and other clients
    #[command(after_long_help = "Example:\n  keywright sandbox serve --port 4566\n  \
        AWS_ACCESS_KEY_ID=111111111111 AWS_SECRET_ACCESS_KEY=x \\\n    aws --endpoint-url http://127.0.0.1:4566 --region eu-west-1 secretsmanager list-secrets\n\n\
        An access key id of twelve digits is the account.")]
    Serve {
        #[command(flatten)]
        project: ProjectArgs,
        /// The sandbox's file [default: .keywright/sandbox.redb in the project]
        #[arg(long, value_name = "FILE", conflicts_with = "memory")]
        file: Option<PathBuf>,
        /// Keep everything in memory, and forget it at the end
        #[arg(long)]
        memory: bool,
        /// The port on 127.0.0.1; 0 takes a free one
        #[arg(long, value_name = "PORT", default_value_t = 4566)]
        port: u16,
    },
    /// Forget everything in it
    Reset {
        #[command(flatten)]
        project: ProjectArgs,
        /// The sandbox's file [default: .keywright/sandbox.redb in the project]
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
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
    match &args.verb {
        SandboxVerb::Serve { project, file, memory, port } => {
            let sandbox = if *memory {
                Sandbox::in_memory(Options::default())
            } else {
                open(file.as_deref(), &project.folder, shell)?
            };
            serve(sandbox, *port, shell).await
        }
        SandboxVerb::Reset { project, file } => {
            let sandbox = open(file.as_deref(), &project.folder, shell)?;
            sandbox.reset().map_err(|error| {
                shell.error(&format!("the sandbox could not be emptied: {}", escape::line(&error.to_string())), None);
                ExitCode::Error
            })?;
            shell.out.line("The sandbox is empty.");
            Ok(())
        }
    }
}

async fn serve(sandbox: Sandbox, port: u16, shell: &Shell) -> Result<(), ExitCode> {
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let server = Server::bind(sandbox, address).await.map_err(|error| {
        shell.error(&format!("{address} cannot be listened on: {error}"), Some("choose another port with --port"));
        ExitCode::Error
    })?;
    // The ready line: clients may connect from here on.
    shell.out.line(&format!("keywright sandbox ready on http://{}", server.local_addr()));
    let stop = interrupt::listen();
    server.run(async move { interrupt::stopped(&stop).await }).await;
    Ok(())
}
