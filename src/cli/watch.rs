//! `keywright watch`: drift in a loop, for a container.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{oneshot, watch as channel};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::apply::{Readiness, carry_out_all, readiness, validate_values};
use super::args::ReadArgs;
use super::carry_out::CarryOut;
use super::drift::{Begun, LookArgs};
use super::interrupt;
use super::prepare::{Prepared, prepare, reach, selection};
use super::shell::Shell;
use super::values::{NoPasswords, RunValues, ValueArgs, ValueSources};
use crate::apply::ApplyOptions;
use crate::aws::Aws;
use crate::drift::DriftReport;
use crate::exit_code::ExitCode;
use crate::manifest::{LoadOptions, load};
use crate::plan::{GuardOverrides, Rules};
use crate::render::drift::prometheus;
use crate::render::escape;
use crate::render::watch::{Event, line, metrics, mistakes, notification, obstacles};
use crate::watch::{Board, Findings, Outcome, Pace, Rounds, Server, Webhook};

/// The largest file that holds a webhook's URL, in bytes.
const MAX_WEBHOOK_FILE: u64 = 8 * 1024;

/// Report what differs from git, again and again.
///
/// Each round reads the manifests anew and looks at all targets, as `drift` does. Standard output gets a line of JSON
/// for each finding that appears or disappears, for what was applied, and for rounds that failed; with -v for every
/// round. SIGTERM and Ctrl-C end it with 0: reading stops at once, and secrets that are being written are finished
/// first.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright watch --interval 15m --listen 127.0.0.1:9090\n  \
    KEYWRIGHT_WEBHOOK=https://hooks.slack.com/services/... keywright watch\n  \
    keywright watch --rounds 1 --sandbox\n\n\
    Exit codes: 0 stopped by a signal; with --rounds those of drift: 0 no drift, 1 a target could not be looked at, 2 drift.")]
pub(super) struct WatchArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// Time from the end of a round to the next, for example 90s, 15m or 1h30m. Rounds that cannot read every target
    /// double it, up to 16 intervals or an hour
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration)]
    interval: Duration,
    /// By how much that time varies at random
    #[arg(long, value_name = "PERCENT", default_value = "10%", value_parser = percent)]
    jitter: u8,
    /// End after so many rounds
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    rounds: Option<u64>,
    /// Serve /healthz and /metrics (Prometheus) on this address [default: none]. An address beyond loopback, such as
    /// 0.0.0.0:9090 in a container, lets everybody who reaches it read names of targets and numbers of findings
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Put drift right: each round that finds some is followed by an apply. Guards cannot be overridden here: what one
    /// refuses is logged, and nothing is applied while it does. --cache is not used then
    #[arg(long)]
    apply: bool,
    /// With --apply, append a JSON line for each writing call to this file; no values
    #[arg(long, value_name = "FILE", requires = "apply")]
    journal: Option<PathBuf>,
    /// Post a message (Slack's format) to this URL when findings appear or disappear. Such a URL is a secret, and other
    /// users of this machine can see arguments: prefer the variable or --webhook-file
    #[arg(long, value_name = "URL", env = "KEYWRIGHT_WEBHOOK", hide_env_values = true)]
    webhook: Option<Hidden>,
    /// Read that URL from a file, whatever --webhook says
    #[arg(long, value_name = "FILE")]
    webhook_file: Option<PathBuf>,
    /// Post to an http URL beyond loopback too, though anybody on the way can read it
    #[arg(long)]
    webhook_insecure: bool,
    #[command(flatten)]
    look: LookArgs,
    #[command(flatten)]
    values: ValueArgs,
}

/// Text that is never shown.
#[derive(Clone)]
struct Hidden(Zeroizing<String>);

impl FromStr for Hidden {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(…)")
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = "it is a duration such as 90s, 15m or 1h30m";
    text.parse::<SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok()).ok_or_else(|| wrong.to_owned())
}

fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok().filter(|number| *number <= 100);
    number.ok_or_else(|| "it is a percentage from 0% to 100%".to_owned())
}

pub(super) async fn watch(args: &WatchArgs, verbose: u8, shell: &mut Shell) -> ExitCode {
    // Bars would be drawn between lines for programs.
    shell.progress = false;
    match Box::pin(run(args, verbose, shell)).await {
        Ok(code) | Err(code) => code,
    }
}

async fn run(args: &WatchArgs, verbose: u8, shell: &Shell) -> Result<ExitCode, ExitCode> {
    let rules = Rules { selection: selection(&args.read.choice, shell)? };
    let in_sandbox = args.read.aws.sandbox.is_some();
    if args.interval < Duration::from_secs(1) && !in_sandbox {
        shell.error("--interval is at least 1s: each round asks AWS", None);
        return Err(ExitCode::Usage);
    }
    let webhook = webhook(args, shell)?;
    let root = args.read.project.folder.canonicalize().unwrap_or_else(|_| args.read.project.folder.clone());
    let aws = reach(&args.read.aws, &root, shell)?;
    let pace = Pace { interval: args.interval, jitter: args.jitter };
    let board = Board::new(pace.patience());
    let stop = interrupt::listen();
    let server = match args.listen {
        Some(address) => Some(Listening::start(address, &board, shell).await?),
        None => None,
    };
    args.look.tell_what_is_over(aws.now(), shell);
    let mut watch = Watch {
        args,
        rules,
        verbose,
        aws,
        stop,
        shell,
        board,
        webhook,
        project: String::new(),
        known: Findings::default(),
        told: Findings::default(),
        report: None,
        last_success: None,
        rounds: Rounds::default(),
        obstacles: Vec::new(),
    };
    let ended = watch.rounds(pace).await;
    watch.tell(&Event::Stopped);
    if let Some(server) = server {
        server.end().await;
    }
    Ok(ended)
}

/// Where changes are to be posted, or what is wrong with that.
fn webhook(args: &WatchArgs, shell: &Shell) -> Result<Option<Webhook>, ExitCode> {
    let url = match (&args.webhook_file, &args.webhook) {
        (Some(file), _) => {
            let is_small = std::fs::metadata(file).is_ok_and(|file| file.len() <= MAX_WEBHOOK_FILE);
            let read = is_small.then(|| std::fs::read_to_string(file).ok()).flatten();
            let shown = file.display().to_string();
            Zeroizing::new(read.ok_or_else(|| {
                shell.error(&format!("--webhook-file {} cannot be read", escape::line(&shown)), None);
                ExitCode::Usage
            })?)
        }
        (None, Some(Hidden(url))) => url.clone(),
        (None, None) => return Ok(None),
    };
    Webhook::new(&url, args.webhook_insecure).map(Some).map_err(|error| {
        shell.error(&error.to_string(), Some("take an https URL; --webhook-insecure allows http beyond loopback"));
        ExitCode::Usage
    })
}

/// The server beside the rounds.
struct Listening {
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Listening {
    async fn start(address: SocketAddr, board: &Board, shell: &Shell) -> Result<Self, ExitCode> {
        let server = Server::bind(board.clone(), address).await.map_err(|error| {
            shell.error(&format!("{address} cannot be listened on: {error}"), Some("choose another --listen"));
            ExitCode::Error
        })?;
        shell.err.line(&format!("keywright watch answers on http://{}/healthz and /metrics", server.local_addr()));
        let (end, ended) = oneshot::channel();
        // Told, or left alone: both are the end.
        let task = tokio::spawn(server.run(async { ended.await.unwrap_or(()) }));
        Ok(Self { end, task })
    }

    async fn end(self) {
        // A server that ended by itself needs no telling.
        let _ = self.end.send(());
        let _ = self.task.await;
    }
}

/// What goes on from round to round; none of it grows with their number.
struct Watch<'a> {
    args: &'a WatchArgs,
    rules: Rules,
    verbose: u8,
    aws: Aws,
    stop: channel::Receiver<bool>,
    shell: &'a Shell,
    board: Board,
    webhook: Option<Webhook>,
    /// The project's name; empty until the manifests could be read.
    project: String,
    /// What differs.
    known: Findings,
    /// What the webhook was told to differ.
    told: Findings,
    /// The last report, for the metrics of a round that made none.
    report: Option<DriftReport>,
    last_success: Option<Timestamp>,
    rounds: Rounds,
    /// What kept drift from being put right in the last round; it is told when it changes.
    obstacles: Vec<String>,
}

/// How a round ended, or that there is to be no other.
enum Round {
    Ended(Outcome, ExitCode),
    Stopped,
}

/// What a look led to.
enum Look {
    Ended(ExitCode),
    /// Something was written: what came of it is to be seen.
    Wrote,
    Failed,
    Stopped,
}

impl Watch<'_> {
    /// Runs rounds until it is stopped, or their number is reached.
    async fn rounds(&mut self, pace: Pace) -> ExitCode {
        self.tell(&Event::Started { interval: pace.interval, applies: self.args.apply });
        let (mut number, mut failures) = (0_u64, 0_u32);
        loop {
            number += 1;
            let code = match Box::pin(self.round(number)).await {
                Round::Stopped => return ExitCode::Success,
                Round::Ended(outcome, code) => {
                    // Wrong manifests cost AWS nothing, and are read again as soon as ever.
                    failures = if outcome == Outcome::Incomplete { failures.saturating_add(1) } else { 0 };
                    code
                }
            };
            if self.args.rounds == Some(number) {
                return code;
            }
            tokio::select! {
                () = tokio::time::sleep(pace.wait(failures, rand::random())) => {}
                () = interrupt::stopped(&self.stop) => return ExitCode::Success,
            }
        }
    }

    async fn round(&mut self, number: u64) -> Round {
        let mut look = self.look(number, self.args.apply).await;
        if matches!(look, Look::Wrote) {
            look = self.look(number, false).await;
        }
        let (outcome, code) = match look {
            Look::Stopped => return Round::Stopped,
            Look::Failed => (Outcome::Failed, ExitCode::Error),
            // The second look of a round writes nothing.
            Look::Wrote => (Outcome::Complete, ExitCode::Success),
            Look::Ended(code) => {
                let complete = self.report.as_ref().is_some_and(DriftReport::is_complete);
                (if complete { Outcome::Complete } else { Outcome::Incomplete }, code)
            }
        };
        self.rounds.count(outcome);
        self.notify().await;
        let mut text = self.report.as_ref().map(|report| prometheus(report, self.last_success)).unwrap_or_default();
        text.push_str(&metrics(&self.project, &self.rounds));
        self.board.post(text, outcome);
        Round::Ended(outcome, code)
    }

    /// Reads the manifests and looks at every target once; with `apply`, puts right what differs.
    async fn look(&mut self, number: u64, apply: bool) -> Look {
        let (args, shell) = (self.args, self.shell);
        let loaded = load(
            &args.read.project.folder,
            &LoadOptions { targets: args.read.choice.targets.clone(), ..LoadOptions::default() },
        );
        if let Some(project) = &loaded.project {
            self.project.clone_from(project);
        }
        if loaded.diagnostics.has_errors() {
            self.tell(&Event::RoundFailed { reasons: mistakes(&loaded.diagnostics) });
            return Look::Failed;
        }
        let Ok(sources) = ValueSources::new(&args.values, &self.aws, &loaded.root, shell) else { return Look::Failed };
        let decryptor = sources.decryptor();
        let values = RunValues { sources: &sources, decryptor: &decryptor, passwords: NoPasswords };
        let begun = Begun::now(&self.aws);
        // What was read before is good enough to look, and not to write.
        let cache = if args.apply { None } else { args.look.cache.open(shell) };
        let reading = args.look.reading(cache.as_ref());
        let overrides = GuardOverrides::default();
        let prepared = tokio::select! {
            prepared = prepare(&self.aws, loaded, &self.rules, &overrides, &values, reading, shell) => prepared,
            () = interrupt::stopped(&self.stop) => return Look::Stopped,
        };
        args.look.cache.save(cache.as_ref(), self.aws.now(), shell);
        let report = args.look.report(&prepared, &self.rules.selection, &begun, &self.aws);
        let code = args.look.exit_code(&report);
        self.observe(number, report);
        if !apply {
            return Look::Ended(code);
        }
        let obstacles = match readiness(&prepared) {
            Readiness::NothingToDo => Some(Vec::new()),
            Readiness::Refused(_) => Some(reasons(&prepared)),
            Readiness::Ready if validate_values(&prepared, &values, shell).await.is_err() => {
                Some(vec!["values are wrong: standard error says which".to_owned()])
            }
            Readiness::Ready => None,
        };
        let may_begin = obstacles.is_none();
        self.tell_obstacles(obstacles.unwrap_or_default());
        if !may_begin {
            return Look::Ended(code);
        }
        let carry_out = CarryOut {
            options: ApplyOptions::default(),
            journal: args.journal.as_deref(),
            wait_replicas: None,
            stop: &self.stop,
            talk: shell.err.clone(),
        };
        let (code, targets) = Box::pin(carry_out_all(&prepared, &carry_out, &sources, &decryptor, shell)).await;
        self.tell(&Event::Applied { targets, exit_code: code.code() });
        if *self.stop.borrow() { Look::Stopped } else { Look::Wrote }
    }

    /// Tells why nothing is applied, when that was another reason in the last round.
    fn tell_obstacles(&mut self, reasons: Vec<String>) {
        if !reasons.is_empty() && reasons != self.obstacles {
            self.tell(&Event::NotApplied { reasons: reasons.clone() });
        }
        self.obstacles = reasons;
    }

    /// Tells what came and went.
    fn observe(&mut self, number: u64, report: DriftReport) {
        let known = self.known.after(&report);
        let change = known.since(&self.known);
        change.disappeared.iter().for_each(|finding| self.tell(&Event::Disappeared(finding)));
        for finding in &change.appeared {
            let target = report.targets.iter().find(|target| target.name == finding.target);
            let reason = target.and_then(|target| target.outcome.as_ref().err().map(String::as_str));
            self.tell(&Event::Appeared(finding, reason));
        }
        if self.verbose > 0 {
            self.tell(&Event::Round { number, report: &report });
        }
        if report.is_complete() {
            self.last_success = Some(report.started);
        }
        self.known = known;
        self.report = Some(report);
    }

    /// Posts what came and went since the last post that was delivered.
    async fn notify(&mut self) {
        let Some(webhook) = &self.webhook else { return };
        let change = self.known.since(&self.told);
        if change.is_empty() {
            return;
        }
        let message = notification(&self.project, &change, &self.known);
        let posted = tokio::select! {
            posted = webhook.post(&message) => posted.map_err(|error| error.to_string()),
            () = interrupt::stopped(&self.stop) => Err("the watch was stopped before the webhook had \
                answered".to_owned()),
        };
        match posted {
            Ok(()) => self.told = self.known.clone(),
            Err(reason) => {
                self.rounds.lost_notifications += 1;
                self.tell(&Event::NotNotified { reason });
            }
        }
    }

    fn tell(&self, event: &Event<'_>) {
        self.shell.out.write(&line(Timestamp::now(), &self.project, event));
    }
}

/// Why nothing is applied.
fn reasons(prepared: &Prepared) -> Vec<String> {
    let of = |target: &super::prepare::PreparedTarget| {
        let name = escape::line(&target.desired.target.name).into_owned();
        match &target.planned {
            Err(error) => vec![format!("{name}: {}", error.text())],
            Ok(planned) => {
                let obstacles = obstacles(&planned.target.report, &planned.refusals);
                obstacles.into_iter().map(|text| format!("{name}: {text}")).collect()
            }
        }
    };
    prepared.targets.iter().flat_map(of).collect()
}
