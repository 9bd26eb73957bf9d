//! `keywright plan`: shows what an apply would do.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::approved::{self, RunFlags};
use super::args::{CacheArgs, ReadArgs};
use super::graph::drawn;
use super::guard_flags::GuardOverrideArgs;
use super::interrupt;
use super::prepare::{Prepared, PreparedTarget, Reading, begin, prepare, tell_calls, tell_target_error};
use super::shell::Shell;
use super::values::{NoPasswords, RunValues, ValueArgs, ValueSources};
use crate::exit_code::ExitCode;
use crate::plan::Rules;
use crate::reconcile::TargetPlan;
use crate::rehearse::{Rehearsal, rehearse};
use crate::render::graph::Extent;
use crate::render::{
    Paint, PlanView, PlannedView, TargetView, plan_html, plan_json, plan_markdown, plan_text, rehearsal,
};

/// Show what an apply would do.
///
/// Reads the live state through List, Describe and GetResourcePolicy calls and changes nothing.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  keywright plan --sandbox\n  keywright plan --target staging --select '*/payments/db*'\n  \
    keywright plan --format json --detailed-exitcode > plan.json\n  \
    keywright plan --format markdown > comment.md   # for a comment on a pull request\n  \
    keywright plan --rehearse           # would it be accepted, and is nothing left to do after it?\n  \
    keywright plan --out approved.json"
)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for one flag of the command line")]
pub(super) struct PlanArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: PlanFormat,
    /// Write the plan to be approved to this file: apply FILE carries out this plan and no other
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// End with 2 when there are changes, and with 0 only when there are none
    #[arg(long)]
    detailed_exitcode: bool,
    /// Read live values and compare them with the declared ones (BatchGetSecretValue)
    #[arg(long)]
    read_values: bool,
    /// Ask the service whether it accepts the policies that an apply would put (ValidateResourcePolicy)
    #[arg(long)]
    validate_policies: bool,
    /// Carry the plan out on a copy of what is live, in memory and with placeholders for values, and plan again: shows
    /// what the service would refuse and whether the apply converges. Permissions, quotas, KMS keys and what rotation
    /// functions do are not rehearsed
    #[arg(long)]
    rehearse: bool,
    #[command(flatten)]
    cache: CacheArgs,
    #[command(flatten)]
    values: ValueArgs,
    #[command(flatten)]
    overrides: GuardOverrideArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PlanFormat {
    /// For people
    Text,
    /// For programs; the format is in schemas/plan.schema.json
    Json,
    /// For a comment on a pull request: begins with a marker to find it again, and fits into one
    Markdown,
    /// A page that needs nothing else, for a browser or a printer
    Html,
}

pub(super) async fn plan(args: &PlanArgs, verbose: u8, shell: &mut Shell) -> ExitCode {
    match run(args, verbose, shell).await {
        Ok(code) | Err(code) => code,
    }
}

async fn run(args: &PlanArgs, verbose: u8, shell: &mut Shell) -> Result<ExitCode, ExitCode> {
    let (selection, loaded, aws) = begin(&args.read, shell)?;
    let rules = Rules { selection };
    let aws = if args.out.is_some() { aws.identifying_callers() } else { aws };
    let stop = interrupt::listen();
    let sources = ValueSources::new(&args.values, &aws, &loaded.root, shell)?;
    let decryptor = sources.decryptor();
    let values = RunValues { sources: &sources, decryptor: &decryptor, passwords: NoPasswords };
    let cache = args.cache.open(shell);
    let reading = Reading {
        read_values: args.read_values,
        audit: false,
        validate_policies: args.validate_policies,
        cache: cache.as_ref(),
    };
    let mut prepared = tokio::select! {
        prepared = prepare(&aws, loaded, &rules, &args.overrides.0, &values, reading, shell) => prepared,
        () = interrupt::stopped(&stop) => return Err(ExitCode::Interrupted),
    };
    args.cache.save(cache.as_ref(), aws.now(), shell);
    if args.rehearse {
        tokio::select! {
            () = rehearse_all(&mut prepared, &rules, args.read_values, &values) => {}
            () = interrupt::stopped(&stop) => return Err(ExitCode::Interrupted),
        }
    }
    match args.format {
        PlanFormat::Text => shell.out.write(&text(shell.out.paint(), &prepared)),
        PlanFormat::Json => shell.out.write(&json(&prepared)),
        PlanFormat::Markdown => shell.out.write(&plan_markdown::markdown(&view(&prepared, &rules))),
        PlanFormat::Html => shell.out.write(&plan_html::html(&view(&prepared, &rules))),
    }
    let code = tell_failures(&prepared, shell);
    if let Some(out) = &args.out {
        if code != ExitCode::Success {
            shell.error("no plan was written: resolve the errors above first", None);
            return Err(code);
        }
        let refused =
            |target: &PreparedTarget| target.planned.as_ref().is_ok_and(|planned| !planned.refusals.is_empty());
        if prepared.targets.iter().any(refused) {
            shell.error("no plan was written: a guard refuses it", None);
            return Err(ExitCode::Guard);
        }
        let flags =
            RunFlags { selection: &rules.selection, overrides: &args.overrides.0, read_values: args.read_values };
        approved::save(out, approved::lines(&prepared, &flags, &aws), shell)?;
    }
    tell_calls(&aws, verbose, shell);
    let changes = prepared
        .targets
        .iter()
        .any(|target| target.planned.as_ref().is_ok_and(|planned| !planned.target.plan.is_empty()));
    Ok(if changes && args.detailed_exitcode { code.worst(ExitCode::Changes) } else { code })
}

/// The plans of all targets, with what the guards would refuse.
pub(super) fn text(paint: Paint, prepared: &Prepared) -> String {
    let sections: Vec<String> = prepared
        .targets
        .iter()
        .map(|PreparedTarget { desired, planned }| {
            if let Ok(planned) = planned {
                let mut plan = plan_text::target(paint, &planned.target.plan, &planned.target.report);
                if let Some(rehearsed) = &planned.rehearsed {
                    plan.push_str(&rehearsal::text(paint, &planned.target.plan, rehearsed));
                }
                let refusals = plan_text::refusals(paint, &planned.refusals);
                return if refusals.is_empty() { plan } else { format!("{plan}\n{refusals}") };
            }
            let target = &desired.target;
            let heading = plan_text::heading(paint, &target.name, target.account.as_deref(), &target.region);
            format!("{heading}\n  {}\n", paint.error("could not be planned: see the error below"))
        })
        .collect();
    sections.join("\n")
}

fn json(prepared: &Prepared) -> String {
    let targets = prepared
        .targets
        .iter()
        .map(|PreparedTarget { desired, planned }| match planned {
            Ok(planned) => {
                let TargetPlan { plan, report, live: _, facts: _ } = &planned.target;
                plan_json::target(plan, report, &planned.refusals, planned.rehearsed.as_ref())
            }
            Err(error) => {
                let target = &desired.target;
                plan_json::failed_target(&target.name, target.account.as_deref(), &target.region, error.text())
            }
        })
        .collect();
    plan_json::document(&prepared.project, targets)
}

/// What documents show.
fn view<'a>(prepared: &'a Prepared, rules: &Rules) -> PlanView<'a> {
    let graph = drawn(prepared, &rules.selection, Extent::Changes);
    let targets = prepared
        .targets
        .iter()
        .zip(graph.targets)
        .map(|(PreparedTarget { desired, planned }, graph)| TargetView {
            name: &desired.target.name,
            account: match planned {
                Ok(planned) => planned.target.plan.account.as_deref(),
                Err(_) => desired.target.account.as_deref(),
            },
            region: &desired.target.region,
            planned: match planned {
                Ok(planned) => {
                    let TargetPlan { plan, report, live: _, facts: _ } = &planned.target;
                    let rehearsed = planned.rehearsed.as_ref();
                    Ok(PlannedView { plan, report, refusals: &planned.refusals, rehearsed })
                }
                Err(error) => Err(error.text()),
            },
            graph,
        })
        .collect();
    PlanView { project: &prepared.project, targets }
}

/// Carries out every target's plan on a copy of what is live.
async fn rehearse_all(prepared: &mut Prepared, rules: &Rules, read_values: bool, values: &RunValues<'_, NoPasswords>) {
    let mut rehearsed = Vec::new();
    for (at, PreparedTarget { desired, planned }) in prepared.targets.iter().enumerate() {
        let Ok(planned) = planned else {
            rehearsed.push(None);
            continue;
        };
        let others = prepared.targets.iter().enumerate().filter(|(other, _)| *other != at);
        let beside: Vec<_> = others.filter_map(|(_, other)| Some(&other.planned.as_ref().ok()?.target.live)).collect();
        let rules = Rules { selection: rules.selection.of_target(desired) };
        let rehearsal = Rehearsal {
            desired,
            planned: &planned.target,
            beside: &beside,
            rules: &rules,
            read_values,
            values,
            now: planned.connection.now,
        };
        rehearsed.push(Some(Box::pin(rehearse(&rehearsal)).await));
    }
    for (target, rehearsed) in prepared.targets.iter_mut().zip(rehearsed) {
        if let Ok(planned) = &mut target.planned {
            planned.rehearsed = rehearsed;
        }
    }
}

/// Says which targets could not be planned, or hold findings that keep them from being applied.
pub(super) fn tell_failures(prepared: &Prepared, shell: &Shell) -> ExitCode {
    let mut code = ExitCode::Success;
    for target in &prepared.targets {
        match &target.planned {
            Err(error) => {
                tell_target_error(&target.desired.target.name, error, shell);
                code = ExitCode::Error;
            }
            Ok(planned) => {
                let failed = planned.rehearsed.as_ref().is_some_and(|rehearsed| !rehearsal::passed(rehearsed));
                if failed {
                    let name = crate::render::escape::line(&target.desired.target.name);
                    shell.error(&format!("{name}: the plan did not pass its rehearsal"), None);
                }
                if failed || planned.target.report.has_blockers() {
                    code = ExitCode::Error;
                }
            }
        }
    }
    code
}
