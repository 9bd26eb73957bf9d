//! Arguments that several verbs share.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};

use super::report::warn;
use super::shell::Shell;
use crate::aws::WaitReporter;
use crate::domain::{AccountId, Region};
use crate::manifest::nearest;
use crate::plan::{Selection, Shard};
use crate::render::plan_text::Extent;
use crate::render::waiting;
use crate::workflow::{Cache, Error, ErrorKind, Problem, Reach, SandboxPlace};

/// Which project.
#[derive(Debug, Args)]
pub(super) struct ProjectArgs {
    /// The folder that holds keywright.yaml
    #[arg(short = 'C', long = "project", value_name = "FOLDER", default_value = ".")]
    pub(super) folder: PathBuf,
}

impl ProjectArgs {
    /// The project's folder as seen from the current one, which in CI is the repository's root: empty, or with a `/` at
    /// its end.
    pub(super) fn folder_from_here(&self) -> String {
        let here = std::env::current_dir().unwrap_or_default();
        let relative = self.folder.strip_prefix(&here).unwrap_or(&self.folder);
        let relative: PathBuf = relative.components().filter(|part| !matches!(part, Component::CurDir)).collect();
        if relative.as_os_str().is_empty() {
            return String::new();
        }
        format!("{}/", relative.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/").trim_end_matches('/'))
    }
}

/// Which targets and secrets.
#[derive(Debug, Args)]
pub(super) struct ChoiceArgs {
    /// Only this target, or those that a glob (prod-*) or a label selector (stage=prod) fits; may be given several
    /// times [default: all]
    #[arg(short, long = "target", value_name = "TARGETS")]
    pub(super) targets: Vec<String>,
    /// Only secrets whose name matches; may be given several times. `*` also matches `/`. Orphans are narrowed by it
    /// too
    #[arg(short, long = "select", value_name = "GLOB")]
    pub(super) select: Vec<String>,
    /// Only the i-th of n parts of the secrets, for jobs that run side by side: 1/4 to 4/4. A secret stays in its part,
    /// and so does what it depends on
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<Shard>,
}

impl ChoiceArgs {
    /// The choice of secrets, or what is wrong with its patterns.
    pub(super) fn selection(&self) -> Result<Selection, Error> {
        let selection = select(&self.select)?;
        Ok(match self.shard {
            Some(shard) => selection.with_shard(shard),
            None => selection,
        })
    }
}

/// Reads the patterns of `--select`.
pub(super) fn select(patterns: &[String]) -> Result<Selection, Error> {
    Selection::matching(patterns).map_err(|error| Error::from(ErrorKind::WrongFlag { flag: "select" }).because(error))
}

/// Which project, which of its targets and secrets, and where they are: for commands that read targets.
#[derive(Debug, Args)]
pub(super) struct ReadArgs {
    #[command(flatten)]
    pub(super) project: ProjectArgs,
    #[command(flatten)]
    pub(super) choice: ChoiceArgs,
    #[command(flatten)]
    pub(super) aws: AwsArgs,
}

/// Policies that were read before.
#[derive(Debug, Args)]
pub(super) struct CacheArgs {
    /// Remember the policies of unchanged secrets in this file for up to a day, which saves a call for each
    #[arg(long = "cache", value_name = "FILE", value_parser = file_to_write())]
    file: Option<PathBuf>,
}

impl CacheArgs {
    /// The cache's file.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Refuses a file that is no cache.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.file().map_or(Ok(()), Cache::check)
    }

    /// Opens the cache. One that is damaged is begun anew, with a warning.
    pub(super) fn open(&self, shell: &Shell) -> Option<Cache> {
        let (cache, warning) = Cache::open(self.file()?);
        if let Some(warning) = warning {
            warn(&warning, shell);
        }
        Some(cache)
    }
}

/// Where Secrets Manager is.
#[derive(Debug, Args)]
pub(super) struct AwsArgs {
    /// Use the embedded Secrets Manager instead of AWS, in this file [default: .keywright/sandbox.redb in the project]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "clap's form of a flag with an optional value")]
    pub(super) sandbox: Option<Option<PathBuf>>,
    /// Inject the faults of this JSON file into the sandbox: errors, lost responses, latency, quotas, a list that lags
    #[arg(long, value_name = "FILE", requires = "sandbox")]
    pub(super) sandbox_faults: Option<PathBuf>,
    /// Make the sandbox enforce this identity policy, such as one that `keywright iam-policy` prints
    #[arg(long, value_name = "FILE", requires = "sandbox")]
    pub(super) sandbox_policy: Option<PathBuf>,
    /// Refuse every target that is not in this account, before anything is read of any; may be given several times. In
    /// CI: a manifest that somebody merged cannot send the run to another account
    #[arg(
        long,
        value_name = "TWELVE DIGITS",
        env = "KEYWRIGHT_ONLY_ACCOUNTS",
        value_delimiter = ',',
        hide_env_values = true,
        value_parser = account
    )]
    pub(super) only_account: Vec<String>,
    /// Send requests to this endpoint, whatever the targets say. One on loopback stands in for STS too
    #[arg(long, value_name = "URL", conflicts_with = "sandbox", value_parser = endpoint)]
    pub(super) endpoint_url: Option<String>,
}

impl AwsArgs {
    /// What targets are reached through.
    pub(super) fn reach(&self, shell: &Shell) -> Reach {
        let err = shell.err.clone();
        let wait_reporter = WaitReporter::new(move |waiting| err.line(waiting::waiting(&waiting)));
        let reach = Reach::Telling(wait_reporter, Box::new(self.reach_any(shell)));
        if self.only_account.is_empty() {
            return reach;
        }
        Reach::OnlyAccounts(self.only_account.iter().cloned().collect(), Box::new(reach))
    }

    fn reach_any(&self, shell: &Shell) -> Reach {
        match &self.sandbox {
            None => Reach::Aws { endpoint: self.endpoint_url.clone() },
            Some(file) => Reach::Sandbox(SandboxPlace {
                open: shell.sandbox.clone(),
                file: file.clone(),
                faults: self.sandbox_faults.clone(),
                policy: self.sandbox_policy.clone(),
            }),
        }
    }
}

/// Reads an account.
pub(super) fn account(text: &str) -> Result<String, String> {
    let account = AccountId::parse(text).ok_or("an account has twelve digits")?;
    Ok(account.as_str().to_owned())
}

/// Reads a region, as manifests take it.
pub(super) fn region(text: &str) -> Result<String, String> {
    let region = Region::parse(text).ok_or("a region is written as eu-west-1 is")?;
    if region.is_known() || region.has_known_form() {
        return Ok(text.to_owned());
    }
    let near = nearest(text, Region::known()).map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Err(format!("AWS has no such region{near}"))
}

/// How long an apply waits for what was made moments ago.
#[derive(Debug, Args)]
pub(super) struct PropagationArgs {
    /// Try again for so many seconds where AWS does not know yet what was made moments ago: a role that a policy names,
    /// the permission to invoke a function or to use a key, a name that is free again; 0 does not wait
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    propagation_timeout: u64,
}

impl PropagationArgs {
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.propagation_timeout)
    }
}

/// An endpoint that requests can be sent to, as it was written.
fn endpoint(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).ok();
    let fits = url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    fits.then(|| text.to_owned()).ok_or_else(|| "an endpoint is a URL, for example http://127.0.0.1:4566".to_owned())
}

/// How much of a plan is shown.
#[derive(Debug, Args)]
pub(super) struct ExtentArgs {
    /// Show each secret by itself, also where the same happens to several
    #[arg(long)]
    full: bool,
    /// Show a line for each secret, and none of the differences
    #[arg(long, conflicts_with = "full")]
    summary: bool,
    /// Say nothing of the monthly cost
    #[arg(long)]
    no_cost: bool,
}

impl ExtentArgs {
    pub(super) fn extent(&self) -> Extent {
        Extent { full: self.full, summary: self.summary, no_cost: self.no_cost, no_awaiting: false }
    }
}

/// Reads the path of a file that is to be written. Standard output has what the command prints.
pub(super) fn file_to_write() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.as_os_str() == "-" {
            return Err("this goes into a file: name one (./- is a file of that name)");
        }
        Ok(path)
    })
}

/// Refuses to write two reports to one file.
pub(super) fn check_files_differ<'a>(mut files: impl Iterator<Item = &'a PathBuf>) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    let differ = files.all(|file| seen.insert(file));
    if differ { Ok(()) } else { Err(ErrorKind::WrongUsage(Problem::FileTwice).into()) }
}

/// Reads `FORMAT=FILE`.
pub(super) fn format_and_file(text: &str) -> Result<(&str, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("it is written FORMAT=FILE")?;
    match file {
        "" => Err("the file is missing".to_owned()),
        "-" => Err("standard output is --format's: name a file here".to_owned()),
        file => Ok((format, PathBuf::from(file))),
    }
}
