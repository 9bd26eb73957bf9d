//! `keywright graph`: draws which secrets need which.

use clap::{Args, ValueEnum};

use super::args::ReadArgs;
use super::begin::{Begun, begin, load};
use super::event_printer::EventPrinter;
use super::report::{print_calls, print_warning, report_all};
use super::shell::Shell;
use super::values::ValueArgs;
use crate::exit_code::ExitCode;
use crate::plan::GuardOverrides;
use crate::reconcile::Reading;
use crate::render::graph::{Extent, Graph, GraphTarget, MERMAID_MAX_CHARACTERS, MERMAID_MAX_EDGES, dot, mermaid, svg};
use crate::render::{Artifact, escaped, prepared};
use crate::workflow::{Error, PlanRequest};

/// Draw which secrets need which.
///
/// An arrow leads from a secret to the ones that need it, through dependsOn or ${secret:NAME:arn}, a dashed one from a
/// secret to its replica in another account. The colour and the word on a secret say what an apply would do to it.
/// Secrets that need none, are needed by none, are linked with none and would stay as they are are left out, unless
/// --all is given.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright graph --offline\n  keywright graph --format svg > secrets.svg\n  \
    keywright graph --sandbox --format dot | dot -Tpdf > secrets.pdf")]
pub(super) struct GraphArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// Output format
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
    /// An image for browsers, light and dark
    Svg,
}

pub(super) async fn graph(args: &GraphArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, Error> {
    let extent = if args.all { Extent::All } else { Extent::Involved };
    if args.offline {
        let selection = args.read.choice.selection()?;
        let loaded = load(&args.read.project, &args.read.choice.targets, shell)?;
        let project = loaded.project.unwrap_or_default();
        let targets = loaded.desired.iter().map(|desired| GraphTarget::declared(desired, &selection, extent)).collect();
        write(args.format, &Graph { project, targets }, shell);
        return Ok(ExitCode::Success);
    }
    let Begun { selection, session, stop } = begin(&args.read, &ValueArgs::default(), false, shell)?;
    let printer = EventPrinter::reading(shell);
    let request = PlanRequest {
        memories: None,
        selection: &selection,
        overrides: &GuardOverrides::default(),
        reading: Reading::default(),
        stop: &stop,
        listener: &|event| printer.print(event),
    };
    let run = session.run();
    let prepared = Box::pin(run.plan(&request)).await?;
    printer.clear();
    write(args.format, &prepared::graph(&prepared, &selection, extent), shell);
    let code = report_all(&prepared.failures(), shell);
    print_calls(&session.aws, verbose, shell);
    Ok(code)
}

fn write(format: GraphFormat, graph: &Graph, shell: &Shell) {
    let text: Artifact = match format {
        GraphFormat::Mermaid => mermaid(graph).into(),
        GraphFormat::Dot => dot(graph).into(),
        GraphFormat::Svg => svg(graph).into(),
    };
    let characters = text.len();
    shell.out.write(text);
    let edges: usize = graph.targets.iter().map(|target| target.edges.len() + target.links.len()).sum();
    if format == GraphFormat::Mermaid && (edges > MERMAID_MAX_EDGES || characters > MERMAID_MAX_CHARACTERS) {
        let text = escaped!(
            "mermaid draws at most {} arrows and {} characters unless it is configured otherwise, and this has {} and \
             {}: --select or --target narrows it, and --format svg has no such limit",
            MERMAID_MAX_EDGES,
            MERMAID_MAX_CHARACTERS,
            edges,
            characters,
        );
        print_warning(text, shell);
    }
}
