//! `keywright graph`: draws which secrets need which.

use clap::{Args, ValueEnum};

use super::args::ReadArgs;
use super::interrupt;
use super::prepare::{Prepared, Reading, load_project, prepare, reach, selection, tell_calls, tell_target_error};
use super::shell::Shell;
use super::values::{NoPasswords, RunValues, ValueArgs, ValueSources};
use crate::exit_code::ExitCode;
use crate::plan::{GuardOverrides, Rules, Selection};
use crate::render::graph::{Extent, Graph, GraphTarget, MERMAID_MAX_CHARACTERS, MERMAID_MAX_EDGES, dot, mermaid, svg};

/// Draw which secrets need which.
///
/// An arrow leads from a secret to the ones that need it, through dependsOn or ${secret:NAME:arn}. The colour and the
/// word on a secret say what an apply would do to it. Secrets that need none, are needed by none and would stay as they
/// are are left out, unless --all is given.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright graph --offline\n  keywright graph --format svg > secrets.svg\n  \
    keywright graph --sandbox --format dot | dot -Tpdf > secrets.pdf")]
pub(super) struct GraphArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// What to draw for
    #[arg(long, value_name = "FORMAT", default_value = "mermaid")]
    format: GraphFormat,
    /// Draw the manifests alone, without colours: needs no credentials and no network
    #[arg(long, conflicts_with_all = ["sandbox", "endpoint_url"])]
    offline: bool,
    /// Draw every secret, also those that need none, are needed by none and would stay as they are
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GraphFormat {
    /// Mermaid, which GitHub and GitLab draw in Markdown
    Mermaid,
    /// The language of Graphviz
    Dot,
    /// A picture for browsers, light and dark
    Svg,
}

pub(super) async fn graph(args: &GraphArgs, verbose: u8, shell: &mut Shell) -> ExitCode {
    match run(args, verbose, shell).await {
        Ok(code) | Err(code) => code,
    }
}

async fn run(args: &GraphArgs, verbose: u8, shell: &mut Shell) -> Result<ExitCode, ExitCode> {
    let selection = selection(&args.read.choice, shell)?;
    let extent = if args.all { Extent::All } else { Extent::Involved };
    let loaded = load_project(&args.read.project, &args.read.choice.targets, shell)?;
    if args.offline {
        let project = loaded.project.unwrap_or_default();
        let targets = loaded.desired.iter().map(|desired| GraphTarget::declared(desired, &selection, extent)).collect();
        write(args.format, &Graph { project, targets }, shell);
        return Ok(ExitCode::Success);
    }
    let aws = reach(&args.read.aws, &loaded.root, shell)?;
    let stop = interrupt::listen();
    let sources = ValueSources::new(&ValueArgs::default(), &aws, &loaded.root, shell)?;
    let decryptor = sources.decryptor();
    let values = RunValues { sources: &sources, decryptor: &decryptor, passwords: NoPasswords };
    let rules = Rules { selection };
    let reading = Reading::default();
    let overrides = GuardOverrides::default();
    let prepared = tokio::select! {
        prepared = prepare(&aws, loaded, &rules, &overrides, &values, reading, shell) => prepared,
        () = interrupt::stopped(&stop) => return Err(ExitCode::Interrupted),
    };
    write(args.format, &drawn(&prepared, &rules.selection, extent), shell);
    let mut code = ExitCode::Success;
    for target in &prepared.targets {
        if let Err(error) = &target.planned {
            tell_target_error(&target.desired.target.name, error, shell);
            code = ExitCode::Error;
        }
    }
    tell_calls(&aws, verbose, shell);
    Ok(code)
}

/// Every target as its plan has it; one that could not be planned as its manifests have it.
pub(super) fn drawn(prepared: &Prepared, selection: &Selection, extent: Extent) -> Graph {
    let targets = prepared
        .targets
        .iter()
        .map(|target| match &target.planned {
            Ok(planned) => {
                let (plan, report) = (&planned.target.plan, &planned.target.report);
                GraphTarget::planned(&target.desired, plan, report, selection, extent)
            }
            Err(_) => GraphTarget::declared(&target.desired, selection, extent)
                .with_note("could not be planned: drawn as the manifests have it"),
        })
        .collect();
    Graph { project: prepared.project.clone(), targets }
}

fn write(format: GraphFormat, graph: &Graph, shell: &Shell) {
    let text = match format {
        GraphFormat::Mermaid => mermaid(graph),
        GraphFormat::Dot => dot(graph),
        GraphFormat::Svg => svg(graph),
    };
    shell.out.write(&text);
    let edges: usize = graph.targets.iter().map(|target| target.edges.len()).sum();
    if format == GraphFormat::Mermaid && (edges > MERMAID_MAX_EDGES || text.len() > MERMAID_MAX_CHARACTERS) {
        let label = shell.err.paint().warning("warning");
        shell.err.line(&format!(
            "{label}: mermaid draws at most {MERMAID_MAX_EDGES} arrows and {MERMAID_MAX_CHARACTERS} characters unless it is \
             configured otherwise, and this has {edges} and {}: --select or --target narrows it, and --format svg has no \
             such limit",
            text.len()
        ));
    }
}
