//! One target, from its desired state to its plan, and from its apply to the proof that it converged.
//!
//! The list that planning starts from may lag five minutes behind the truth. So whatever it shows as different is
//! described, and planned again, before it becomes a change.

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test may panic")]
mod tests;
mod value_facts;
mod verify;

use std::collections::BTreeSet;

use crate::aws::ConnectError;
use crate::desired::{Desired, State};
use crate::domain::{AccountId, Region, SecretName};
use crate::live::{
    self, AcceptedRisks, Counterparts, Live, LivePolicy, PolicyCache, PolicyVerdict, ReadProgress, ReadSecrets, Seen,
    ServiceError, Wanted,
};
use crate::origin::Origin;
use crate::plan::{
    Change, Finding, FindingKind, GuardOverrides, Plan, PlanReport, Rules, Selection, ValueFacts, made_anew, plan,
    share_matters,
};
use crate::sort_few::SortFew as _;
use crate::value::{ValueError, Values};

pub use verify::{PoliciesVerified, Verification, Verified, WrittenPart, verify};

/// What reading and planning one target came to.
#[derive(Clone, Debug)]
pub struct TargetPlan {
    /// What is live, as far as it was looked at.
    pub live: Live,
    /// What is known of values beside that.
    pub facts: ValueFacts,
    /// What would be done.
    pub plan: Plan,
    /// What was found.
    pub report: PlanReport,
}

/// Why a target could not be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A call failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// Values in git are wrong; every one of them.
    #[error("{} of the declared values are wrong", .0.len())]
    Values(Vec<ValueProblem>),
}

/// Why a target could not be reached or planned.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It could not be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It could not be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// A declared value that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueProblem {
    /// The secret.
    pub secret: SecretName,
    /// Where the value is declared.
    pub origin: Origin,
    /// What is wrong. It holds no value.
    pub error: ValueError,
}

/// What is read of secrets although no manifest declares it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Undeclared {
    /// Nothing.
    #[default]
    Nothing,
    /// The policies of secrets that would be deleted: whom they let read is told with a plan.
    PoliciesOfLeaving,
    /// All policies, and where there are replicas (`--audit`).
    All,
}

/// What is read beyond what the manifests need.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading<'a> {
    /// Live values, to compare them (`--read-values`).
    pub read_values: bool,
    /// What of secrets is read that no manifest declares.
    pub undeclared: Undeclared,
    /// What ValidateResourcePolicy says of the policies that would be put (`--validate-policies`).
    pub validate_policies: bool,
    /// The guards that are overridden: what their flags accept is no finding, and their limits say what must be known.
    pub overrides: Option<&'a GuardOverrides>,
    /// Policies that were read before (`--cache`); never for an apply, and not looked at by an audit.
    pub cache: Option<&'a PolicyCache>,
}

/// How one run plans.
pub struct Planning<'a, V> {
    /// Which secrets.
    pub rules: &'a Rules,
    /// Where values come from.
    pub values: &'a V,
    /// What is read beyond what the manifests need.
    pub reading: Reading<'a>,
    /// Secrets of other targets that manifests refer to.
    pub counterparts: &'a Counterparts,
    /// Told while it reads.
    pub progress: &'a (dyn Fn(ReadProgress) + Sync),
}

/// Reads a target and plans it.
pub async fn plan_target<R: ReadSecrets, V: Values>(
    reader: &R,
    desired: &Desired,
    account: Option<&AccountId>,
    planning: &Planning<'_, V>,
) -> Result<TargetPlan, PlanError> {
    let Planning { rules, values, reading, counterparts, progress } = *planning;
    let wanted = Wanted {
        cache: reading.cache.filter(|_| reading.undeclared != Undeclared::All),
        ..wanted(desired, &rules.selection)
    };
    let mut live = live::read(reader, &desired.target.region, &wanted, progress).await?;
    live.account = account.cloned();
    live.counterparts.clone_from(counterparts);
    // An ARN that goes is no part of what a value stands for.
    live.made_anew = made_anew(desired, &live, &rules.selection);
    let mut facts = value_facts::identify(desired, &live, &rules.selection, values)?;
    if reading.undeclared == Undeclared::All {
        audit(reader, desired, rules, &mut live, progress).await?;
    }
    if reading.read_values {
        let found = value_facts::compare(reader, desired, &live, &facts, &rules.selection, values).await?;
        (facts.compared, facts.edges) = (found.compared, found.edges);
    }
    let overrides = reading.overrides.cloned().unwrap_or_default();
    let mut all_listed = !wanted.names_only;
    let mut readers_known = reading.undeclared != Undeclared::PoliciesOfLeaving;
    loop {
        let anew = made_anew(desired, &live, &rules.selection);
        if anew != live.made_anew {
            live.made_anew = anew;
            facts.identities = value_facts::identify(desired, &live, &rules.selection, values)?.identities;
        }
        let (planned, report) = plan(desired, &live, &facts, rules);
        let only_listed = only_listed(&planned, &report, &live);
        let versions_unknown = value_facts::versions_unknown(&planned, &facts);
        let places_unknown = replicas_over_unknown_places(desired, &live, &planned);
        if only_listed.is_empty() && versions_unknown.is_empty() && places_unknown.is_empty() {
            if !all_listed && share_matters(desired, &overrides, &planned) {
                // So many changes are a share of what is owned, which the names of a selection do not tell.
                for (name, secret) in live::list_scope(reader, &desired.scope, &wanted.names, progress).await? {
                    if !wanted.names.contains(&name) {
                        live.secrets.insert(name, secret);
                    }
                }
                all_listed = true;
                continue;
            }
            if !std::mem::replace(&mut readers_known, true)
                && read_leaving(reader, &planned, &mut live, progress).await?
            {
                continue;
            }
            let same = value_facts::same_of_git(desired, &live, &facts, (&planned, &report), &rules.selection, values);
            let (planned, mut report) = if same.is_empty() {
                (planned, report)
            } else {
                facts.same_of_git = same;
                plan(desired, &live, &facts, rules)
            };
            report.findings.extend(value_facts::edges(&planned, &facts));
            if reading.validate_policies {
                report.findings.extend(policy_findings(reader, &planned, &live, overrides.accepted_risks()).await);
            }
            report.findings.sort_few_by(|a, b| a.secret.cmp(&b.secret));
            return Ok(TargetPlan { live, facts, plan: planned, report });
        }
        // Each round learns about at least one secret more, so this ends.
        for (name, described) in live::describe_all(reader, only_listed, progress).await? {
            live.refresh(name, described);
        }
        for (name, versions) in live::versions_of(reader, versions_unknown).await? {
            match versions {
                Ok(versions) => facts.learn_versions(name, versions),
                Err(error) => drop(live.unreadable.insert(name, error)),
            }
        }
        for (region, name) in places_unknown {
            let there = reader.describe_in_region(&region, &name).await;
            progress(ReadProgress::Described);
            match live::of_secret(there)? {
                Ok(there) => drop(live.other_regions.insert((region, name), there)),
                Err(error) => drop(live.unreadable.insert(name, error)),
            }
        }
    }
}

/// Secrets that the plan rests on and that only a list has shown: those that would change, those whose place another
/// one takes, and those that are kept from that.
fn only_listed(planned: &Plan, report: &PlanReport, live: &Live) -> BTreeSet<SecretName> {
    let changed = planned.secrets.iter().map(|secret| &secret.name);
    let replaced = planned.secrets.iter().filter_map(|secret| Some(&secret.moved_from()?.secret.name));
    let kept = report.findings.iter().flat_map(|finding| match &finding.kind {
        FindingKind::MoveRefused { from, .. } | FindingKind::MoveWaits { from, .. } => vec![&finding.secret, from],
        FindingKind::LabelNowhere { .. } => vec![&finding.secret],
        _ => Vec::new(),
    });
    let listed = |name: &&SecretName| live.secrets.get(*name).is_some_and(|secret| secret.seen == Seen::Listed);
    changed.chain(replaced).chain(kept).filter(listed).cloned().collect()
}

/// Asks the service about the policies that would be put, once for each distinct document. One that waits for an ARN is
/// asked about when it is put.
async fn policy_findings<R: ReadSecrets>(
    reader: &R,
    planned: &Plan,
    live: &Live,
    accepted: AcceptedRisks,
) -> Vec<Finding> {
    let documents = planned.policies_as_sent(live).into_iter().map(|document| (document.text, document.arn));
    let verdicts = live::validate_policies(reader, documents).await;
    let found = planned.secrets.iter().filter_map(|secret| {
        let (policy, block_public_policy) = secret.policy_as_sent(live)?;
        let verdict = verdicts.get(&policy.to_wire())?;
        let kind = match verdict {
            PolicyVerdict::Passed => return None,
            PolicyVerdict::Rejected(problems) => {
                let problems = accepted.left_of(problems.clone(), block_public_policy);
                if problems.is_empty() {
                    return None;
                }
                FindingKind::PolicyRejected { problems }
            }
            PolicyVerdict::Unavailable(error) => FindingKind::PolicyNotValidated { reason: error.to_string() },
        };
        Some(Finding { secret: secret.name.clone(), origin: secret.origin.clone(), kind })
    });
    found.collect()
}

/// Reads what no manifest declares: policies, which replicas there are (ListSecrets tells only that there are any), and
/// what is replicated with other accounts.
async fn audit<R: ReadSecrets>(
    reader: &R,
    desired: &Desired,
    rules: &Rules,
    live: &mut Live,
    progress: &(dyn Fn(ReadProgress) + Sync),
) -> Result<(), ServiceError> {
    let region = live.region.clone();
    live.audited = true;
    let audited = live.secrets.values().filter(|secret| {
        !secret.is_replica_in(&region)
            && !secret.is_scheduled_for_deletion()
            && desired.scope.contains(secret.name.as_str())
            && rules.selection.contains(&secret.name)
    });
    let audited: Vec<SecretName> = audited.map(|secret| secret.name.clone()).collect();
    live::read_undeclared(reader, live, &audited, progress).await
}

/// Secrets that are deleted and whose policies are read for it. A plan that deletes more is not stopped by a guard, and
/// nobody reads it line by line.
const POLICIES_OF_LEAVING: usize = 50;

/// Reads the policies of secrets that would be deleted, and says whether there were any to read. One that cannot be
/// read keeps nobody from deleting its secret: the plan says that it is not known.
async fn read_leaving<R: ReadSecrets>(
    reader: &R,
    planned: &Plan,
    live: &mut Live,
    progress: &(dyn Fn(ReadProgress) + Sync),
) -> Result<bool, ServiceError> {
    let unread = planned.secrets.iter().filter(|secret| {
        let goes = secret.is_removal() || secret.is_replaced();
        goes && secret.observed.as_ref().is_some_and(|observed| observed.policy == LivePolicy::NotRead)
    });
    let names: Vec<SecretName> = unread.map(|secret| secret.name.clone()).take(POLICIES_OF_LEAVING).collect();
    if names.is_empty() {
        return Ok(false);
    }
    for (name, policy) in live::policies_of(reader, names, progress).await? {
        if policy.is_ok() {
            live.set_policy(name, policy);
        }
    }
    Ok(true)
}

/// Where a replica that may overwrite is to be made, and nobody looked yet what it would destroy.
fn replicas_over_unknown_places(desired: &Desired, live: &Live, plan: &Plan) -> Vec<(Region, SecretName)> {
    let mut places = Vec::new();
    for secret in &plan.secrets {
        let Some(desired_secret) = desired.secrets.get(&secret.name) else { continue };
        let Some(declared) = desired_secret.replicas.as_ref().and_then(|declared| declared.value.as_ref()) else {
            continue;
        };
        let made = secret.changes.iter().filter_map(|change| match change {
            Change::Replica { region, after: Some(_), .. } => Some(region),
            _ => None,
        });
        for region in made.filter(|region| declared.get(*region).is_some_and(|replica| replica.overwrite)) {
            let place = (region.clone(), secret.name.clone());
            if !live.other_regions.contains_key(&place) {
                places.push(place);
            }
        }
    }
    places
}

/// What of the target must be looked at.
fn wanted<'a>(desired: &'a Desired, selection: &Selection) -> Wanted<'a> {
    let chosen = || desired.secrets.values().filter(|desired_secret| selection.contains(&desired_secret.name));
    let mut names: BTreeSet<SecretName> = chosen().map(|desired_secret| desired_secret.name.clone()).collect();
    // The ARNs of what they depend on are needed too.
    names.extend(chosen().flat_map(|desired_secret| desired_secret.depends_on.iter().cloned()));
    let old_names: BTreeSet<SecretName> =
        chosen().filter_map(|desired_secret| Some(desired_secret.renamed_from.as_ref()?.name.clone())).collect();
    names.extend(old_names.iter().cloned());
    let plain = selection.plain_names();
    names.extend(plain.iter().flatten().filter(|name| desired.scope.contains(name.as_str())).cloned());
    Wanted {
        scope: &desired.scope,
        names,
        policies: chosen()
            .filter(|desired_secret| desired_secret.state == State::Present && desired_secret.policy.is_some())
            .map(|desired_secret| desired_secret.name.clone())
            // What of an old name stays behind is said.
            .chain(old_names.iter().cloned())
            .collect(),
        replicated: chosen()
            .filter(|desired_secret| desired_secret.state == State::Present && desired_secret.replicas.is_some())
            .map(|desired_secret| desired_secret.name.clone())
            .chain(old_names.iter().cloned())
            .collect(),
        linked: chosen().filter(|secret| secret.declares_links()).map(|secret| secret.name.clone()).collect(),
        cache: None,
        owned_by: Some(&desired.project),
        names_only: plain.is_some(),
    }
}
