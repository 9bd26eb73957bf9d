//! Arguments that several verbs share.

use std::path::{Component, PathBuf};

use clap::Args;

use super::files::write_whole;
use super::shell::Shell;
use crate::live::PolicyCache;
use crate::plan::Shard;
use crate::render::escape;

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
    /// Only this target; may be given several times [default: all]
    #[arg(short, long = "target", value_name = "NAME")]
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
    #[arg(long = "cache", value_name = "FILE")]
    file: Option<PathBuf>,
}

impl CacheArgs {
    /// Opens the cache. One that is damaged is begun anew, with a warning.
    pub(super) fn open(&self, shell: &Shell) -> Option<PolicyCache> {
        let file = self.file.as_ref()?;
        let warn = |what: &str| {
            let warning = shell.err.paint().warning("warning");
            let shown = file.display().to_string();
            shell.err.line(&format!("{warning}: {}: {what}: it is begun anew", escape::line(&shown)));
        };
        match std::fs::read(file) {
            Ok(text) => match PolicyCache::parse(&text) {
                Ok(cache) => return Some(cache),
                Err(error) => warn(&error.to_string()),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => warn(&format!("the cache cannot be read: {error}")),
        }
        Some(PolicyCache::default())
    }

    /// Writes the cache back. One that cannot be written costs calls and nothing else.
    pub(super) fn save(&self, cache: Option<&PolicyCache>, now: jiff::Timestamp, shell: &Shell) {
        let Some((file, cache)) = self.file.as_ref().zip(cache) else { return };
        if let Err(error) = write_whole(file, cache.to_text(now).as_bytes()) {
            let warning = shell.err.paint().warning("warning");
            let shown = file.display().to_string();
            shell.err.line(&format!("{warning}: {}: the cache could not be written: {error}", escape::line(&shown)));
        }
    }
}

/// Where Secrets Manager is.
#[derive(Debug, Args)]
pub(super) struct AwsArgs {
    /// Use the embedded Secrets Manager instead of AWS, in this file [default: .keywright/sandbox.redb in the project]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "clap's form of a flag with an optional value")]
    pub(super) sandbox: Option<Option<PathBuf>>,
    /// Inject the faults of this JSON file into the sandbox: errors, lost answers, latency, quotas, a list that lags
    #[arg(long, value_name = "FILE", requires = "sandbox")]
    pub(super) sandbox_faults: Option<PathBuf>,
    /// Make the sandbox enforce this identity policy, such as one that `keywright iam-policy` prints
    #[arg(long, value_name = "FILE", requires = "sandbox")]
    pub(super) sandbox_policy: Option<PathBuf>,
    /// Send requests to this endpoint, whatever the targets say. One on loopback stands in for STS too
    #[arg(long, value_name = "URL", conflicts_with = "sandbox", value_parser = endpoint)]
    pub(super) endpoint_url: Option<String>,
}

/// An endpoint that requests can be sent to, as it was written.
fn endpoint(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).ok();
    let fits = url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    fits.then(|| text.to_owned()).ok_or_else(|| "an endpoint is a URL, for example http://127.0.0.1:4566".to_owned())
}
