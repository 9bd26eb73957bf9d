//! `keywright drift`: what differs from git, for a cron job.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::args::{CacheArgs, ReadArgs};
use super::interrupt;
use super::prepare::{Prepared, PreparedTarget, Reading, begin, prepare, tell_calls};
use super::shell::Shell;
use super::values::{NoPasswords, RunValues, ValueArgs, ValueSources};
use crate::aws::Aws;
use crate::drift::{Class, Drift, DriftReport, Found, Ignore, TargetDrift, classify};
use crate::exit_code::ExitCode;
use crate::live::PolicyCache;
use crate::manifest::Loaded;
use crate::plan::{GuardOverrides, Rules, Selection};
use crate::render::drift::DriftView;
use crate::render::{Paint, drift, escape};

/// The largest file of metrics that is looked into, in bytes.
const MAX_METRICS: u64 = 16 * 1024 * 1024;

/// Report what differs from git.
///
/// Reads all targets, changes nothing, and sorts every difference into a class: changed, value-changed, missing,
/// unmanaged, orphaned, foreign, scheduled-for-deletion, rotation-overdue, rotation-stuck, replica-failed,
/// policy-undeclared, dangling-principal, unknown. A target that cannot be reached is reported and does not hide the
/// others.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright drift --fail-on changed,value-changed,missing\n  \
    keywright drift --also prometheus=/var/lib/node_exporter/keywright.prom\n  \
    keywright drift --format markdown --also sarif=drift.sarif --also junit=drift.xml\n  \
    keywright drift --ignore 'changed:prod/legacy/*:2027-01-31'\n\n\
    Exit codes: 0 no drift, 1 a target could not be looked at, 2 drift.")]
pub(super) struct DriftArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// How to show the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DriftFormat,
    /// Write the report to a file as well, in another format; may be given several times. A file is replaced as a whole
    #[arg(long, value_name = "FORMAT=FILE", value_parser = also)]
    also: Vec<(DriftFormat, PathBuf)>,
    #[command(flatten)]
    look: LookArgs,
    #[command(flatten)]
    values: ValueArgs,
}

/// What a look for drift looks at, and what of it counts.
#[derive(Debug, Args)]
pub(super) struct LookArgs {
    /// Classes that end the run with 2, separated by commas [default: all]
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    fail_on: Vec<Class>,
    /// Known noise: the class (or *), a glob of names, and the last day on which it is ignored; may be given several
    /// times
    #[arg(long, value_name = "CLASS:GLOB:YYYY-MM-DD")]
    ignore: Vec<Ignore>,
    /// Read the policies of all secrets in scope, declared or not (one GetResourcePolicy each)
    #[arg(long)]
    audit: bool,
    /// Read live values and compare them with the declared ones (BatchGetSecretValue)
    #[arg(long)]
    read_values: bool,
    #[command(flatten)]
    pub(super) cache: CacheArgs,
}

/// A format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DriftFormat {
    /// For people
    Text,
    /// For programs; the format is in schemas/drift.schema.json
    Json,
    /// For an issue that a scheduled workflow updates: begins with a marker to find it again, and fits into one
    Markdown,
    /// A page that needs nothing else, for a browser
    Html,
    /// JUnit XML, for test reports: a suite for each target, a case for each class
    Junit,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
    /// Metrics, for the textfile collector of node_exporter
    Prometheus,
}

impl DriftFormat {
    fn render(self, paint: Paint, view: &DriftView<'_>) -> String {
        match self {
            Self::Text => drift::text::text(paint, view.report),
            Self::Json => drift::json::json(view.report),
            Self::Markdown => drift::markdown(view.report),
            Self::Html => drift::html(view.report),
            Self::Junit => drift::junit(view),
            Self::Sarif => drift::sarif(view),
            Self::Github => drift::github(view),
            Self::Prometheus => drift::prometheus(view.report, view.last_success),
        }
    }
}

/// When the last complete run of the project began, as the metrics in `file` say that are about to be replaced. A file
/// that is not there, or is no such file, says nothing.
fn last_success(file: &Path, project: &str) -> Option<Timestamp> {
    let is_small = std::fs::metadata(file).is_ok_and(|file| file.is_file() && file.len() <= MAX_METRICS);
    drift::last_success(&is_small.then(|| std::fs::read_to_string(file).ok())??, project)
}

/// Reads `FORMAT=FILE`.
fn also(text: &str) -> Result<(DriftFormat, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("it is written FORMAT=FILE")?;
    if file.is_empty() {
        return Err("the file is missing".to_owned());
    }
    Ok((DriftFormat::from_str(format, false)?, PathBuf::from(file)))
}

pub(super) async fn drift(args: &DriftArgs, verbose: u8, shell: &mut Shell) -> ExitCode {
    match Box::pin(run(args, verbose, shell)).await {
        Ok(code) | Err(code) => code,
    }
}

async fn run(args: &DriftArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, ExitCode> {
    let (selection, loaded, aws) = begin(&args.read, shell)?;
    let stop = interrupt::listen();
    let sources = ValueSources::new(&args.values, &aws, &loaded.root, shell)?;
    let decryptor = sources.decryptor();
    let values = RunValues { sources: &sources, decryptor: &decryptor, passwords: NoPasswords };
    let report = tokio::select! {
        report = look(args, &aws, loaded, selection, &values, shell) => report,
        () = interrupt::stopped(&stop) => return Err(ExitCode::Interrupted),
    };
    let folder = args.read.project.folder_from_here();
    let view = DriftView { report: &report, folder: &folder, fail_on: &args.look.fail_on, last_success: None };
    shell.out.write(&args.format.render(shell.out.paint(), &view));
    let mut code = args.look.exit_code(&report);
    for (format, file) in &args.also {
        let last_success = (*format == DriftFormat::Prometheus).then(|| last_success(file, &report.project)).flatten();
        let text = format.render(Paint::new(false), &DriftView { last_success, ..view });
        if let Err(error) = super::files::write_whole(file, text.as_bytes()) {
            let shown = file.display().to_string();
            shell.error(&format!("the report could not be written to {}: {error}", escape::line(&shown)), None);
            code = code.worst(ExitCode::Error);
        }
    }
    tell_calls(&aws, verbose, shell);
    Ok(code)
}

/// Looks at every target once.
async fn look(
    args: &DriftArgs,
    aws: &Aws,
    loaded: Loaded,
    selection: Selection,
    values: &RunValues<'_, NoPasswords>,
    shell: &Shell,
) -> DriftReport {
    let look = &args.look;
    let begun = Begun::now(aws);
    look.tell_what_is_over(begun.started, shell);
    let rules = Rules { selection };
    let cache = look.cache.open(shell);
    let reading = look.reading(cache.as_ref());
    let prepared = prepare(aws, loaded, &rules, &GuardOverrides::default(), values, reading, shell).await;
    look.cache.save(cache.as_ref(), aws.now(), shell);
    look.report(&prepared, &rules.selection, &begun, aws)
}

/// The beginning of a run.
pub(super) struct Begun {
    started: Timestamp,
    clock: Instant,
    /// Requests that were made before.
    calls: BTreeMap<String, u64>,
}

impl Begun {
    pub(super) fn now(aws: &Aws) -> Self {
        Self { started: aws.now(), clock: Instant::now(), calls: aws.calls().by_operation() }
    }

    /// The requests since then.
    fn calls_since(&self, aws: &Aws) -> BTreeMap<String, u64> {
        let mut calls = aws.calls().by_operation();
        for (operation, number) in &mut calls {
            *number -= self.calls.get(operation).copied().unwrap_or_default();
        }
        calls.retain(|_, number| *number > 0);
        calls
    }
}

impl LookArgs {
    /// What is read beyond what the manifests need, and what need not be read again.
    pub(super) fn reading<'a>(&self, cache: Option<&'a PolicyCache>) -> Reading<'a> {
        Reading { read_values: self.read_values, audit: self.audit, validate_policies: false, cache }
    }

    /// Warns of every `--ignore` that is over.
    pub(super) fn tell_what_is_over(&self, now: Timestamp, shell: &Shell) {
        let over = self.ignore.iter().filter(|ignore| ignore.is_over(now));
        for ignore in over {
            let warning = shell.err.paint().warning("warning");
            shell
                .err
                .line(&format!("{warning}: --ignore {} is over and ignores nothing", escape::line(ignore.written())));
        }
    }

    /// What was planned, read as a report.
    pub(super) fn report(&self, prepared: &Prepared, selection: &Selection, begun: &Begun, aws: &Aws) -> DriftReport {
        DriftReport {
            project: prepared.project.clone(),
            started: begun.started,
            targets: prepared.targets.iter().map(|target| self.target(target, selection)).collect(),
            calls: begun.calls_since(aws),
            seconds: begun.clock.elapsed().as_secs_f64(),
        }
    }

    fn target(&self, PreparedTarget { desired, planned }: &PreparedTarget, selection: &Selection) -> TargetDrift {
        let place = desired.target.clone();
        let (account, outcome) = match planned {
            Err(error) => {
                let hint = error.hint().map_or_else(String::new, |hint| format!(" ({})", hint.replace('\n', "; ")));
                (place.account, Err(format!("{}{hint}", error.text())))
            }
            Ok(planned) => {
                let (target, now) = (&planned.target, planned.connection.now);
                let all = classify(desired, &target.live, &target.plan, &target.report, selection, now);
                let excused = |drift: &Drift| self.ignore.iter().any(|ignore| ignore.excuses(drift, now));
                let (ignored, drifts): (Vec<_>, Vec<_>) = all.into_iter().partition(excused);
                let found = Found { checked: target.report.counts.desired, drifts, ignored: ignored.len() };
                (target.live.account.clone().or(place.account), Ok(found))
            }
        };
        TargetDrift { name: place.name, account, region: place.region, outcome }
    }

    /// 1 when a target could not be looked at, 2 when something differs that counts.
    pub(super) fn exit_code(&self, report: &DriftReport) -> ExitCode {
        let counts = |class: Class| self.fail_on.is_empty() || self.fail_on.contains(&class);
        let drifted = report.drifts().any(|(_, drift)| counts(drift.class));
        let code = if drifted { ExitCode::Changes } else { ExitCode::Success };
        if report.is_complete() { code } else { code.worst(ExitCode::Error) }
    }
}
