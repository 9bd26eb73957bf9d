//! `keywright validate`: checks manifests offline.

use clap::{Args, ValueEnum};

use super::args::ProjectArgs;
use super::shell::Shell;
use crate::exit_code::ExitCode;
use crate::manifest::{Expand, LoadOptions, Loaded, load};
use crate::render::{Artifact, Escaped, Terminal, count, diagnostics, escaped, expanded};

/// Check manifests offline.
///
/// Reports every mistake of the project in one run, each with file, line and column. Needs no credentials and no
/// network.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  keywright validate\n  keywright validate --format github   # annotations in \
        GitHub Actions\n  keywright validate --expanded --target 'stage=prod'   # what it all comes to\n  \
    keywright validate --format sarif > keywright.sarif"
)]
pub(super) struct ValidateArgs {
    #[command(flatten)]
    project: ProjectArgs,
    /// Only this target, or those that a glob (prod-*) or a label selector (stage=prod) fits; may be given several
    /// times [default: all]
    #[arg(short, long = "target", value_name = "TARGETS")]
    targets: Vec<String>,
    /// Print the secrets as they are once matrices, lists, defaults, overrides and variables are expanded, with literal
    /// values masked: as manifests, or as JSON
    #[arg(long)]
    expanded: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
}

pub(super) fn validate(args: &ValidateArgs, shell: &Shell) -> ExitCode {
    let expand = args.expanded.then_some(Expand::All);
    let options = LoadOptions { targets: args.targets.clone(), expand, ..LoadOptions::default() };
    let loaded = load(&args.project.folder, &options);
    let diagnostics = &loaded.diagnostics;
    let targets = loaded.outline.as_ref().map_or(&[][..], |outline| &outline.targets);
    let shows_expanded = args.expanded && !diagnostics.has_errors();
    let text: Artifact = match args.format {
        Format::Text if shows_expanded => {
            shell.err.write(diagnostics::text(diagnostics, shell.err.colour()));
            expanded::manifests(targets, &loaded.expanded).into()
        }
        Format::Json if shows_expanded => expanded::json(targets, &loaded.expanded).into(),
        Format::Text => diagnostics::text(diagnostics, shell.out.colour()).into(),
        Format::Json => diagnostics::json(diagnostics).into(),
        Format::Sarif => diagnostics::sarif(diagnostics, &args.project.folder_from_here()).into(),
        Format::Github => diagnostics::github(diagnostics, &args.project.folder_from_here()).into(),
    };
    shell.out.write(text);
    if args.format == Format::Text {
        shell.err.line(summary(&loaded));
    }
    if diagnostics.has_errors() { ExitCode::Error } else { ExitCode::Success }
}

fn summary(loaded: &Loaded) -> Escaped<Terminal> {
    let diagnostics = &loaded.diagnostics;
    let found: Escaped<Terminal> = match (diagnostics.error_count(), diagnostics.warning_count()) {
        (0, 0) => "no mistakes found".into(),
        (0, warnings) => escaped!("{}", count(warnings, "warning")),
        (errors, 0) => escaped!("{}", count(errors, "error")),
        (errors, warnings) => escaped!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    escaped!("{} in {}: {}", count(loaded.secrets, "secret"), count(loaded.files, "file"), found)
}
