//! `keywright watch`: drift in a loop, for a container.

mod log;
mod notifier;
mod rounds;
mod state_file;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use self::log::Log;
use self::notifier::Notifier;
use self::rounds::Loop;
use self::state_file::StateFile;
use super::args::{PropagationArgs, ReadArgs, file_to_write};
use super::event_printer::EventPrinter;
use super::interrupt;
use super::look::LookArgs;
use super::shell::Shell;
use super::values::ValueArgs;
use crate::exit_code::ExitCode;
use crate::files::{FileFault, read_operator_text};
use crate::render::drift::difference;
use crate::render::{escape, escaped};
use crate::watch::{Backoff, Board, Pace, Page, Rounds, Server, State, Webhook};
use crate::workflow::{
    Error, ErrorKind, FileProblem, FullInterval, Hint, Journal, Memories, Problem, Watch, WatchSettings,
    name_of_project,
};

/// The largest file that holds a webhook's URL, in bytes.
const MAX_WEBHOOK_FILE: u64 = 8 * 1024;

/// Report what differs from git, again and again.
///
/// Each round reads the manifests anew and looks at all targets, as `drift` does. Standard output gets a line of JSON
/// for each finding that appears, is changed again or disappears, for what was applied, and for rounds that failed;
/// with -v for every round. A target that cannot be read is left alone for longer and longer, up to 16 intervals or an
/// hour, and the others keep their interval. SIGTERM and Ctrl-C end it with 0: reading stops at once, and secrets that
/// are being written are finished first. SIGHUP makes it look at everything at once.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  keywright watch --interval 15m --listen 127.0.0.1:9090\n  \
    KEYWRIGHT_WEBHOOK=https://hooks.slack.com/services/... keywright watch\n  \
    keywright watch --listen 127.0.0.1:9090 --page\n  \
    keywright watch --rounds 1 --sandbox\n\n\
    Exit codes: 0 stopped by a signal; with --rounds those of drift: 0 no drift, 1 a target could not be looked at, 2 \
    drift.")]
pub(super) struct WatchArgs {
    #[command(flatten)]
    read: ReadArgs,
    /// Time from the end of a round to the next, for example 90s, 15m or 1h30m
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration)]
    interval: Duration,
    /// Time between rounds that read everything. The rounds between ask each target which secrets were changed since
    /// the last round, in one call as a rule, and look closer at these; what is deleted by force is found by the next
    /// full round. With --read-values, or plain names for --select, every round reads everything; 0s does that too
    /// [default: 1h, or 1h30m where that makes the calls of full rounds a sixth of all]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    full_interval: Option<Duration>,
    /// By how much that time varies at random
    #[arg(long, value_name = "PERCENT", default_value = "10%", value_parser = percent)]
    jitter: u8,
    /// End after so many rounds
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    rounds: Option<u64>,
    /// Serve /healthz (the rounds go on), /readyz (every target was read once) and /metrics (Prometheus) on this
    /// address [default: none]. An address beyond loopback, such as
    /// 0.0.0.0:9090 in a container, lets everybody who reaches it read names of targets and numbers of findings
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Serve the inventory at / too, as a page that renews itself, and as /inventory.json: names of secrets, tags and
    /// the policies that manifests declare (with --audit all of them), for whoever reaches the address. Under names of
    /// this machine only, unless --page-host names others
    #[arg(long, requires = "listen")]
    page: bool,
    /// A name of a host under which the page is served, such as that of a proxy that asks who somebody is; may be given
    /// several times. An address beyond loopback needs one
    #[arg(long, value_name = "HOST", requires = "page")]
    page_host: Vec<String>,
    /// Put drift right: each round that finds some is followed by an apply. Guards cannot be overridden here: what one
    /// refuses is logged, and nothing is applied while it does. --cache is not used then
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    propagation: PropagationArgs,
    /// With --apply, append a JSON line for each writing call to this file; no values
    #[arg(long, value_name = "FILE", requires = "apply", value_parser = file_to_write())]
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
    /// Remember in this file what was told, so that a watch that starts again does not report it again; of what it is
    /// told to leave out (--target, --select, --shard) the file stays as it is. Watches that run at the same time need
    /// a file each. It holds names and no values
    #[arg(long, value_name = "FILE", value_parser = file_to_write())]
    state: Option<PathBuf>,
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

pub(super) async fn watch(args: &WatchArgs, verbose: u8, shell: &mut Shell) -> Result<ExitCode, Error> {
    // Bars would be drawn between lines for programs.
    shell.progress = false;
    let shell = &*shell;
    // Whatever the command line gets wrong ends the watch here, before the first round.
    let settings = WatchSettings {
        project: args.read.project.folder.clone(),
        targets: args.read.choice.targets.clone(),
        selection: args.read.choice.selection()?,
        values: args.values.rules()?,
        look: args.look.look(),
        apply: args.apply,
        inventory: args.page,
    };
    if args.page && args.page_host.is_empty() && args.listen.is_some_and(|address| !address.ip().is_loopback()) {
        return Err(ErrorKind::WrongUsage(Problem::PageBeyondLoopback).into());
    }
    if args.interval < Duration::from_secs(1) && args.read.aws.sandbox.is_none() {
        return Err(ErrorKind::WrongUsage(Problem::IntervalTooShort).into());
    }
    let webhook = webhook(args)?;
    args.look.check()?;
    let journal = args.journal.as_deref().map(|path| Journal::open(path, "watch")).transpose()?;
    let log = Log::new(shell.out.clone(), verbose);
    let name = args.state.as_ref().and_then(|_| name_of_project(&args.read.project.folder));
    let mut memory = StateFile::of(args.state.as_deref(), name.as_deref())?;
    let root = args.read.project.folder.canonicalize().unwrap_or_else(|_| args.read.project.folder.clone());
    let aws = Arc::new(args.read.aws.reach(shell).open(&root)?);
    aws.set_propagation_timeout(args.propagation.timeout());
    let pace = Pace { interval: args.interval, jitter: args.jitter };
    let board = Board::default();
    let (stop, hangups) = interrupt::listen_for_hangups();
    let server = match args.listen {
        Some(address) => {
            let served = args.page.then(|| Page { hosts: args.page_host.clone() });
            Some(Listening::start(address, &board, served, shell).await?)
        }
        None => None,
    };
    args.look.warn_of_idle(aws.now(), shell);
    let printer = EventPrinter::new(shell, shell.err.clone());
    // Values are not remembered, and names that are asked for one by one cost what they cost.
    let remembers = !settings.look.read_values && settings.selection.plain_names().is_none();
    let signed = |duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    let full_interval = match args.full_interval {
        _ if !remembers => FullInterval::Given(SignedDuration::ZERO),
        Some(given) => FullInterval::Given(signed(given)),
        None => FullInterval::Usual { interval: signed(args.interval) },
    };
    let State { project, known, notified } = memory.take();
    let notifier = webhook.map(|webhook| Notifier::start(webhook, notified, log.clone(), stop.clone()));
    let alive = board.clone();
    let watch = Watch {
        settings,
        aws,
        stop,
        journal,
        listener: &|event| {
            alive.beat();
            printer.print(event);
        },
        pace,
        words: &difference,
        project,
        known,
        who: BTreeMap::new(),
        report: None,
        found: BTreeMap::new(),
        standing: BTreeMap::new(),
        backoff: Backoff::default(),
        last_success: None,
        inventory: None,
        memories: Memories::new(full_interval),
    };
    let mut rounds = Loop { args, watch, log, board, notifier, memory, hangups, rounds: Rounds::default() };
    let ended = rounds.run(pace).await;
    rounds.end().await;
    if let Some(server) = server {
        server.end().await;
    }
    Ok(ended)
}

/// Where changes are to be posted, or what is wrong with that.
fn webhook(args: &WatchArgs) -> Result<Option<Webhook>, Error> {
    // An empty variable is an absent one.
    let given = args.webhook.as_ref().filter(|Hidden(url)| !url.trim().is_empty());
    let url = match (&args.webhook_file, given) {
        (Some(file), _) => {
            let unreadable =
                |fault: FileFault| Error::file(file, FileProblem::WebhookUnreadable).because(format!("it {fault}"));
            Zeroizing::new(read_operator_text(file, MAX_WEBHOOK_FILE).map_err(unreadable)?)
        }
        (None, Some(Hidden(url))) => url.clone(),
        (None, None) => return Ok(None),
    };
    let made = Webhook::new(&url, args.webhook_insecure);
    made.map(Some)
        .map_err(|error| Error::from(ErrorKind::WrongUsage(Problem::Webhook)).because(error).hint(Hint::HttpsWebhook))
}

/// The server beside the rounds.
struct Listening {
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Listening {
    async fn start(address: SocketAddr, board: &Board, page: Option<Page>, shell: &Shell) -> Result<Self, Error> {
        let at_root = if page.is_some() { ", and with the inventory on /" } else { "" };
        let server = Server::bind(board.clone(), page, address)
            .await
            .map_err(|error| Error::from(ErrorKind::Listen(address)).because(error).hint(Hint::OtherListen))?;
        let address = escape::address(server.local_addr());
        let line = escaped!("keywright watch answers on http://{}/healthz, /readyz and /metrics{}", address, at_root);
        shell.err.line(line);
        let (end, ended) = oneshot::channel();
        // Told, or left alone: both are the end.
        let task = tokio::spawn(server.run(async { ended.await.unwrap_or(()) }));
        Ok(Self { end, task })
    }

    async fn end(self) {
        // A server that ended by itself does not listen any more: that is no error.
        let _ = self.end.send(());
        let _ = self.task.await;
    }
}
