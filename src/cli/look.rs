//! What `drift` and `watch` look at, and what of it counts.

use clap::Args;
use jiff::Timestamp;

use super::args::CacheArgs;
use super::report::{print_warning, warn_of_expired};
use super::shell::Shell;
use super::who::WhoArgs;
use crate::drift::{Class, DriftReport, Ignore};
use crate::exit_code::ExitCode;
use crate::workflow::{Error, Look};

/// What a look for drift looks at, and what of it counts.
#[derive(Debug, Args)]
pub(super) struct LookArgs {
    /// Classes that end the run with 2, separated by commas [default: all but re-encrypted and
    /// awaiting-value]
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    fail_on: Vec<Class>,
    /// Known noise: the class (or *), a glob of names, and the last day on which it is ignored, then the targets where
    /// it is for some only (:prod-* or :stage=dev); may be given several times
    #[arg(long, value_name = "CLASS:GLOB:YYYY-MM-DD[:TARGETS]")]
    ignore: Vec<Ignore>,
    /// Read the policies of all secrets in scope, declared or not (one GetResourcePolicy each); --cache is not used
    /// then
    #[arg(long)]
    audit: bool,
    /// Read live values and compare them with the declared ones (BatchGetSecretValue)
    #[arg(long)]
    read_values: bool,
    #[command(flatten)]
    who: WhoArgs,
    #[command(flatten)]
    cache: CacheArgs,
}

impl LookArgs {
    /// What is looked at.
    pub(super) fn look(&self) -> Look {
        Look {
            ignore: self.ignore.clone(),
            audit: self.audit,
            read_values: self.read_values,
            // An audit says what is there, and not what was there some hours ago.
            cache: self.cache.file().filter(|_| !self.audit).map(std::path::Path::to_owned),
            who: self.who.budget(),
        }
    }

    /// Refuses a file of `--cache` that is no cache.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.cache.check()
    }

    /// The classes that count; all of them when there is none.
    pub(super) fn fail_on(&self) -> &[Class] {
        &self.fail_on
    }

    /// Warns of what was asked for and does nothing: every `--ignore` that is over, and a cache beside an audit.
    pub(super) fn warn_of_idle(&self, now: Timestamp, shell: &Shell) {
        warn_of_expired(&self.ignore, now, shell);
        if self.audit && self.cache.file().is_some() {
            print_warning("--cache is not used with --audit, which reads every policy", shell);
        }
    }

    /// 1 when a target could not be looked at, 2 when something differs that counts.
    pub(super) fn exit_code(&self, report: &DriftReport) -> ExitCode {
        let drifted = report.drifts().any(|(_, drift)| drift.class.counts(&self.fail_on));
        let code = if drifted { ExitCode::Changes } else { ExitCode::Success };
        if report.is_complete() { code } else { code.worst(ExitCode::Error) }
    }
}
