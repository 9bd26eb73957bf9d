//! What keywright finds of its surroundings: the project, credentials, accounts, the network, the clock, permissions
//! and keys. Only calls that read metadata are made, and each finding says what it rests on.

use std::path::{Path, PathBuf};

use futures::stream::{self, StreamExt as _};

use super::error::Error;
use super::prepare::TARGETS_AT_ONCE;
use super::sandbox::Reach;
use super::session::mistakes;
use super::values::sops_keys;
use crate::aws::{Aws, ConnectError, Connection, CredentialKind};
use crate::collect::CollectSet as _;
use crate::desired::Desired;
use crate::domain::{AccountId, SecretName};
use crate::live::{ListFilter, ReadSecrets as _, ServiceError};
use crate::manifest::{LoadOptions, codes, load};
use crate::value::{AgeHeld, AgeKeys, AgePlace, config_home};

/// A clock that is further off than this, in seconds, is noted. From five minutes on AWS refuses requests (Signature
/// Version 4), and the SDK sends them again with the service's time.
const NOTED_SKEW: i64 = 30;

/// Variables that name a proxy, as the HTTP client reads them.
const PROXIES: [&str; 7] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY"];

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, and somebody should look.
    Warning,
    /// It does not work.
    Failed,
    /// It cannot be told.
    Unknown,
}

/// One check with what was found.
#[derive(Debug)]
pub enum Check {
    /// The project.
    Project(ProjectState),
    /// Variables that name a proxy, or take hosts out of it.
    Proxy(Vec<&'static str>),
    /// Certificates that AWS_CA_BUNDLE names instead of the system's: whether there is such a file, where it is set.
    Certificates(Option<bool>),
    /// The program sops, which only `--allow-sops-program` runs.
    Sops {
        /// Whether a value of the project comes from a SOPS file.
        needed: bool,
        /// Where it is.
        program: Option<PathBuf>,
    },
    /// Keys of age for SOPS files.
    AgeKeys {
        /// Whether a value of the project comes from a SOPS file.
        needed: bool,
        /// Where there may be some, and what is there.
        places: Vec<(AgePlace, AgeHeld)>,
    },
    /// KMS keys of SOPS files: whether they open is known only by decrypting.
    Kms {
        /// How many.
        keys: usize,
    },
    /// Where credentials came from.
    Credentials(CredentialKind),
    /// The target could not be reached.
    Connect(ConnectError),
    /// Who the credentials belong to, as an ARN.
    Caller(String),
    /// The account that answered.
    Account {
        /// Whether the project names it.
        declared: bool,
        /// The account.
        found: Option<AccountId>,
    },
    /// Where requests to Secrets Manager go.
    Endpoint {
        /// None is AWS itself.
        place: Option<String>,
        /// Whether a service answered there.
        answered: bool,
    },
    /// How many seconds the service's clock is ahead of ours; none where it did not say.
    Clock(Option<i64>),
    /// A harmless call.
    Call {
        /// The operation.
        operation: &'static str,
        /// Whether every command needs it.
        always: bool,
        /// What came of it.
        answer: Answer,
    },
    /// What only writing tells.
    Writing,
    /// Targets and keys were not looked at, since the project has mistakes.
    NotLookedAt,
}

/// What is there of a project.
#[derive(Debug)]
pub enum ProjectState {
    /// Nothing.
    Missing,
    /// Mistakes.
    Wrong {
        /// How many.
        errors: usize,
        /// Their codes, each once.
        codes: Vec<&'static str>,
    },
    /// It is valid.
    Valid {
        /// Its secrets, each counted once for all targets.
        secrets: usize,
        /// Its manifest files.
        files: usize,
        /// The chosen targets.
        targets: usize,
        /// Warnings.
        warnings: usize,
    },
}

/// What came of a call.
#[derive(Debug)]
pub enum Answer {
    /// It is allowed.
    Allowed,
    /// No secret in scope was found to ask about.
    NothingToAsk,
    /// The list of secrets is not known, so that there is none to ask about.
    NotListed,
    /// It failed.
    Failed(ServiceError),
}

impl Check {
    /// How it ended.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Project(ProjectState::Missing | ProjectState::Wrong { .. })
            | Self::Connect(_)
            | Self::Certificates(Some(false))
            | Self::Endpoint { answered: false, .. }
            | Self::Call { answer: Answer::Failed(_), always: true, .. } => Verdict::Failed,
            Self::Project(ProjectState::Valid { warnings, .. }) if *warnings > 0 => Verdict::Warning,
            Self::AgeKeys { needed: true, places } => of_age_keys(places),
            Self::Account { declared: false, .. } | Self::Call { answer: Answer::Failed(_), always: false, .. } => {
                Verdict::Warning
            }
            Self::Clock(Some(skew)) if skew.abs() > NOTED_SKEW => Verdict::Warning,
            Self::Clock(None)
            | Self::Call { answer: Answer::NothingToAsk | Answer::NotListed, .. }
            | Self::Writing
            | Self::NotLookedAt => Verdict::Unknown,
            Self::Kms { keys } if *keys > 0 => Verdict::Unknown,
            Self::Project(ProjectState::Valid { .. })
            | Self::Proxy(_)
            | Self::Certificates(_)
            | Self::Sops { .. }
            | Self::AgeKeys { .. }
            | Self::Kms { .. }
            | Self::Credentials(_)
            | Self::Caller(_)
            | Self::Account { .. }
            | Self::Endpoint { .. }
            | Self::Clock(_)
            | Self::Call { .. } => Verdict::Good,
        }
    }
}

/// Everything that was found.
pub struct Checkup {
    /// What targets were reached through; none without a target.
    pub aws: Option<Aws>,
    /// Whether the embedded sandbox took the place of AWS.
    pub embedded: bool,
    /// Of the project and the machine.
    pub checks: Vec<Check>,
    /// Of each target, in the order of the project file.
    pub targets: Vec<TargetCheckup>,
}

/// What was found of one target.
#[derive(Debug)]
pub struct TargetCheckup {
    /// Its name.
    pub name: String,
    /// The account that it declares.
    pub account: Option<AccountId>,
    /// Its region.
    pub region: String,
    /// What was found.
    pub checks: Vec<Check>,
}

impl Checkup {
    /// Every check.
    pub fn all(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().chain(self.targets.iter().flat_map(|target| &target.checks))
    }

    /// Whether something does not work.
    pub fn has_failed(&self) -> bool {
        self.all().any(|check| check.verdict() == Verdict::Failed)
    }
}

/// Looks at the project in `folder` and at those of its targets that are named, or all.
pub async fn examine(folder: &Path, targets: &[String], reach: &Reach) -> Result<Checkup, Error> {
    let loaded = load(folder, &LoadOptions { targets: targets.to_vec(), ..LoadOptions::default() });
    if loaded.misnamed {
        return Err(mistakes(loaded));
    }
    let found = &loaded.diagnostics;
    let mut wrong: Vec<&'static str> = found.iter().map(|found| found.code.id).collect();
    wrong.sort_unstable();
    wrong.dedup();
    let project = if wrong.contains(&codes::PROJECT_MISSING.id) {
        ProjectState::Missing
    } else if found.has_errors() {
        ProjectState::Wrong { errors: found.error_count(), codes: wrong }
    } else {
        ProjectState::Valid {
            secrets: loaded.secrets,
            files: loaded.files,
            targets: loaded.desired.len(),
            warnings: found.warning_count(),
        }
    };
    let mut checks = vec![Check::Project(project)];
    let aws = if loaded.desired.is_empty() { None } else { Some(reach.open(&loaded.root)?.identifying_callers()) };
    let embedded = reach.is_sandbox();
    if !embedded {
        checks.push(Check::Proxy(PROXIES.into_iter().filter(|name| is_set(name)).collect()));
        let bundle = std::env::var_os("AWS_CA_BUNDLE").filter(|value| !value.is_empty());
        checks.push(Check::Certificates(bundle.map(|file| Path::new(&file).is_file())));
    }
    if found.has_errors() {
        checks.push(Check::NotLookedAt);
    } else {
        checks.extend(keys(&loaded.desired));
    }
    let looks = stream::iter(&loaded.desired).map(async |desired| {
        let checks = match &aws {
            Some(aws) => Box::pin(look_at(aws, desired)).await,
            None => Vec::new(),
        };
        let target = &desired.target;
        TargetCheckup {
            name: target.name.clone(),
            account: target.account.clone(),
            region: target.region.to_string(),
            checks,
        }
    });
    let targets: Vec<TargetCheckup> = looks.buffered(TARGETS_AT_ONCE).collect().await;
    Ok(Checkup { aws, embedded, checks, targets })
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// How good places for age keys are: a command that was not run may give some.
fn of_age_keys(places: &[(AgePlace, AgeHeld)]) -> Verdict {
    let any = |test: fn(&AgeHeld) -> bool| places.iter().any(|(_, held)| test(held));
    if any(|held| matches!(held, AgeHeld::Nothing(_))) || places.is_empty() {
        return Verdict::Warning;
    }
    if any(|held| matches!(held, AgeHeld::Keys(_))) { Verdict::Good } else { Verdict::Unknown }
}

/// What opens the SOPS files of these targets. Nothing is decrypted, and no program is run.
fn keys(desired: &[Desired]) -> Vec<Check> {
    let values = desired.iter().flat_map(|desired| desired.secrets.values()).filter_map(|secret| secret.value.as_ref());
    let needed = values.into_iter().any(|value| value.source.is_encrypted());
    if !needed {
        return vec![Check::AgeKeys { needed, places: Vec::new() }];
    }
    let on_path = |folders: std::ffi::OsString| {
        std::env::split_paths(&folders)
            .flat_map(|folder| [folder.join("sops"), folder.join("sops.exe")])
            .find(|program| program.is_file())
    };
    let program = std::env::var_os("PATH").and_then(on_path);
    let env = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let places = AgeKeys::look_up(&env, config_home(&env).as_deref()).places();
    let keys = sops_keys(desired).unwrap_or_default().into_iter().flatten().collect_set();
    vec![Check::Sops { needed, program }, Check::AgeKeys { needed, places }, Check::Kms { keys: keys.len() }]
}

async fn look_at(aws: &Aws, desired: &Desired) -> Vec<Check> {
    let target = &desired.target;
    let connection = match Box::pin(aws.connect(target)).await {
        Ok(connection) => connection,
        Err(error) => return vec![Check::Connect(error), Check::Writing],
    };
    let declared = target.account.is_some();
    let mut checks = vec![Check::Credentials(connection.credentials)];
    checks.extend(connection.caller.clone().map(Check::Caller));
    checks.push(Check::Account { declared, found: connection.account.clone() });
    let calls = Box::pin(harmless_calls(&connection, desired)).await;
    // Asked once something was answered. A refusal is an answer when it has a code of the service's.
    let answered = calls.iter().any(|check| match check {
        Check::Call { answer: Answer::Failed(error), .. } => error.code.is_some(),
        Check::Call { answer: Answer::Allowed, .. } => true,
        _ => false,
    });
    checks.push(Check::Endpoint { place: connection.endpoint(), answered });
    let answered = connection.reader().service_time();
    let ahead = |service: jiff::Timestamp| service.as_second() - aws.now().as_second();
    checks.push(Check::Clock(answered.map(ahead)));
    checks.extend(calls);
    checks.push(Check::Writing);
    checks
}

/// Calls that read metadata alone: a page of the list, and three about one secret in scope.
async fn harmless_calls(connection: &Connection, desired: &Desired) -> Vec<Check> {
    let reader = connection.reader();
    let prefixes = desired.scope.prefixes().iter().take(ListFilter::MOST_PREFIXES).cloned().collect();
    let listed = reader.list(&ListFilter { prefixes, ..ListFilter::default() }, None).await;
    let secret: Option<SecretName> = listed.as_ref().ok().and_then(|page| {
        let usable = page.secrets.iter().filter(|secret| !secret.is_scheduled_for_deletion());
        usable.map(|secret| &secret.name).find(|name| desired.scope.contains(name.as_str())).cloned()
    });
    let call = |operation, always, answer| Check::Call { operation, always, answer };
    let known = listed.is_ok();
    let listing = listed.map_or_else(Answer::Failed, |_| Answer::Allowed);
    let mut checks = vec![call("ListSecrets", true, listing)];
    let Some(secret) = secret else {
        let others = [("DescribeSecret", true), ("GetResourcePolicy", false), ("ListSecretVersionIds", false)];
        checks.extend(others.map(|(operation, always)| {
            call(operation, always, if known { Answer::NothingToAsk } else { Answer::NotListed })
        }));
        return checks;
    };
    let answer = |failed: Option<ServiceError>| failed.map_or(Answer::Allowed, Answer::Failed);
    checks.push(call("DescribeSecret", true, answer(reader.describe(&secret).await.err())));
    checks.push(call("GetResourcePolicy", false, answer(reader.policy(&secret).await.err())));
    checks.push(call("ListSecretVersionIds", false, answer(reader.versions(&secret).await.err())));
    checks
}
