//! What an apply touched, read again: whether what was reported as done is there.
//!
//! Each secret is described again. The operations on policies share 50 calls a second, so as a rule each distinct
//! document that was put is read again on one secret; of the others it is known that their put was acknowledged. What
//! was read and what was not is counted, so that nothing is said of the rest.

use std::collections::{BTreeMap, BTreeSet};

use super::{PlanError, value_facts};
use crate::desired::Desired;
use crate::domain::SecretName;
use crate::live::{self, Counterparts, Live, LivePolicy, LiveSecret, ReadSecrets, ServiceError};
use crate::plan::{
    Action, Change, Comparison, Finding, FindingKind, Plan, PlanReport, Rules, SecretPlan, Selection, Verb,
    leave_kept_replicas, plan,
};
use crate::value::Values;

/// What is read again after an apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verification {
    /// Each secret, and each distinct policy document on one of the secrets that it was put on.
    #[default]
    Documents,
    /// Each secret, and each declared policy.
    Full,
    /// Nothing.
    None,
}

/// What reading again has shown.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What is still to be done.
    pub remaining: Plan,
    /// What is not as declared and is left alone for now.
    pub held_back: Vec<Finding>,
    /// Secrets that wait for a value from people.
    pub awaiting: BTreeSet<SecretName>,
    /// Secrets whose value may or may not be the declared one: it was neither put nor read.
    pub unread: BTreeSet<SecretName>,
    /// Secrets of the target whose value was to be compared with the declared one, and could not be.
    pub uncompared: BTreeSet<SecretName>,
    /// Secrets that could not be read again, and why.
    pub unreadable: BTreeMap<SecretName, ServiceError>,
    /// What was read of policies.
    pub policies: PoliciesVerified,
}

/// Declared policies of the secrets that were read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoliciesVerified {
    /// Distinct documents that were put.
    pub documents: usize,
    /// Secrets that they were put on.
    pub put: usize,
    /// Of these, the ones whose policy was read again.
    pub put_read: usize,
    /// Secrets whose policy was deleted.
    pub deleted: usize,
    /// Of these, the ones whose policy was read again.
    pub deleted_read: usize,
    /// Secrets whose policy is declared, and was neither written nor read again.
    pub not_read: usize,
}

impl PoliciesVerified {
    /// Whether every declared policy was read again.
    pub fn is_complete(&self) -> bool {
        let Self { documents: _, put, put_read, deleted, deleted_read, not_read } = *self;
        put == put_read && deleted == deleted_read && not_read == 0
    }
}

impl std::ops::AddAssign for PoliciesVerified {
    fn add_assign(&mut self, other: Self) {
        let Self { documents, put, put_read, deleted, deleted_read, not_read } = other;
        self.documents += documents;
        self.put += put;
        self.put_read += put_read;
        self.deleted += deleted;
        self.deleted_read += deleted_read;
        self.not_read += not_read;
    }
}

/// What an apply did to a secret's policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Written {
    /// This document was put.
    Put(String),
    /// It was deleted.
    Deleted,
    /// Nothing.
    Not,
}

/// Secrets whose policy is declared and can be read again, by what was done to it.
type ByWrite = BTreeMap<Written, BTreeSet<SecretName>>;

/// What was carried out, and what the rest of the run will do.
#[derive(Clone, Debug)]
pub struct WrittenPart<'a> {
    /// What was carried out.
    pub plan: &'a Plan,
    /// The secrets that are done.
    pub done: &'a BTreeSet<SecretName>,
    /// Secrets whose link with another account is made later in this run.
    pub linked_later: &'a BTreeSet<SecretName>,
    /// Secrets of other targets that manifests refer to, as they are known by now.
    pub counterparts: Counterparts,
    /// What an earlier part of the run did to the same secrets, and has read again.
    pub earlier: Vec<&'a SecretPlan>,
    /// What was found of values before the apply.
    pub compared: &'a BTreeMap<SecretName, Comparison>,
}

/// Reads again what an apply reports as done, and plans it again: what is left in the plan did not come true.
pub async fn verify<R: ReadSecrets, V: Values>(
    reader: &R,
    desired: &Desired,
    before: &Live,
    part: WrittenPart<'_>,
    full: bool,
    values: &V,
) -> Result<Verified, PlanError> {
    let WrittenPart { plan: written, done, linked_later, counterparts, earlier, compared } = part;
    // What was made anew has its ARN now.
    let mut live = Live { unreadable: BTreeMap::new(), made_anew: BTreeSet::new(), counterparts, ..before.clone() };
    for (name, described) in live::describe_all(reader, done.iter().cloned(), &|_| {}).await? {
        live.refresh(name, described);
    }
    let writes = by_write(desired, &mut live, written, done, &earlier);
    let mut read: BTreeSet<SecretName> = writes.iter().flat_map(|(write, names)| to_read(write, names, full)).collect();
    read_policies(reader, &mut live, read.iter().cloned()).await?;
    let selection = Selection::exactly(done);
    let plan_again = |live: &Live| plan_again(desired, live, &selection, linked_later, values);
    let mut planned = plan_again(&live)?;
    // Where the one that was read is not as it was put, the acknowledgements of the others prove nothing.
    let doubted = doubted(&writes, &read, &live, &planned.0);
    if !doubted.is_empty() {
        read_policies(reader, &mut live, doubted.iter().cloned()).await?;
        read.extend(doubted);
        planned = plan_again(&live)?;
    }
    let (mut remaining, report) = planned;
    // The other findings were shown with the plan that was applied.
    let (unread, uncompared) = values_in_doubt(&report.findings, written, &earlier, compared);
    let mut held_back: Vec<Finding> = report.findings.into_iter().filter(Finding::holds_back).collect();
    // The declared ones are in sync by now, and what was planned is done.
    let planned = written.secrets.iter().chain(earlier.iter().copied());
    held_back.extend(leave_kept_replicas(&mut remaining, before, planned));
    let awaiting = report.awaiting.into_iter().map(|one| one.secret).collect();
    // The old secret of a move goes after this.
    let goes_next = |secret: &SecretPlan| {
        secret.only_old_is_left() && secret.moved_from().is_some_and(|from| !done.contains(&from.secret.name))
    };
    remaining.secrets.retain(|secret| !goes_next(secret));
    // For some seconds the service says of a secret that was deleted at once that it is scheduled for deletion.
    let goes_at_once = |secret: &SecretPlan| {
        let scheduled = secret.observed.as_ref().is_some_and(LiveSecret::is_scheduled_for_deletion);
        secret.verb == Verb::Delete && scheduled && done.contains(&secret.name)
    };
    remaining.secrets.retain(|secret| !goes_at_once(secret));
    // No plan of its own is made of an old secret.
    let is_there = |secret: &&SecretPlan| {
        let live = live.secrets.get(&secret.name);
        let there = live.is_some_and(|live| !live.is_scheduled_for_deletion());
        done.contains(&secret.name) && secret.moved_to().is_some() && there
    };
    remaining.secrets.extend(written.secrets.iter().filter(is_there).cloned());
    let policies = count(&writes, &read);
    Ok(Verified { remaining, held_back, awaiting, unread, uncompared, unreadable: live.unreadable, policies })
}

/// The secrets of which it is not known whether the value is the declared one, since it was not read, and those of the
/// target where comparing failed. What the run has put, or has found to be equal, is known.
fn values_in_doubt(
    findings: &[Finding],
    written: &Plan,
    earlier: &[&SecretPlan],
    compared: &BTreeMap<SecretName, Comparison>,
) -> (BTreeSet<SecretName>, BTreeSet<SecretName>) {
    let plans = written.secrets.iter().chain(earlier.iter().copied());
    let put: BTreeSet<&SecretName> = plans.filter(|secret| secret.gets_value()).map(|secret| &secret.name).collect();
    let unknown = findings.iter().filter(|finding| finding.kind == FindingKind::ValueUnknown);
    let unknown = unknown.map(|finding| &finding.secret).filter(|name| !put.contains(name));
    let unread = unknown.filter(|name| !compared.contains_key(*name)).cloned().collect();
    let failed = compared.iter().filter(|(_, comparison)| matches!(comparison, Comparison::Unreadable(_)));
    (unread, failed.map(|(name, _)| name.clone()).collect())
}

fn plan_again(
    desired: &Desired,
    live: &Live,
    selection: &Selection,
    linked_later: &BTreeSet<SecretName>,
    values: &impl Values,
) -> Result<(Plan, PlanReport), PlanError> {
    let facts = value_facts::identify(desired, live, selection, values)?;
    let rules = Rules { selection: selection.clone(), as_of: None };
    let (mut remaining, mut report) = plan(desired, live, &facts, &rules);
    without_later_links(&mut remaining, linked_later);
    let of_link = |finding: &Finding| matches!(finding.kind, FindingKind::CrossAccount(_));
    report.findings.retain(|finding| !(linked_later.contains(&finding.secret) && of_link(finding)));
    report.awaiting.retain(|one| !linked_later.contains(&one.secret));
    Ok((remaining, report))
}

/// Takes links out that are made later in the run, and secrets of which nothing else is left.
fn without_later_links(remaining: &mut Plan, linked_later: &BTreeSet<SecretName>) {
    let links = |action: &Action| matches!(action, Action::Associate(_));
    for secret in remaining.secrets.iter_mut().filter(|secret| linked_later.contains(&secret.name)) {
        secret.actions.retain(|action| !links(action));
    }
    let is_left = |secret: &SecretPlan| !secret.actions.is_empty() || secret.moved.is_some();
    remaining.secrets.retain(|secret| is_left(secret) || !linked_later.contains(&secret.name));
}

/// Groups secrets by what was done to their policy, and takes what was acknowledged as what is there. What an earlier
/// part of the run did is in its own groups.
fn by_write(
    desired: &Desired,
    live: &mut Live,
    written: &Plan,
    done: &BTreeSet<SecretName>,
    earlier: &[&SecretPlan],
) -> ByWrite {
    let mut writes = ByWrite::new();
    for secret in written.secrets.iter().filter(|secret| done.contains(&secret.name)) {
        let before = earlier.iter().find(|before| before.name == secret.name);
        let secret = before.map_or(secret, |before| *before);
        // One that is gone, or scheduled for deletion, is told by the description alone.
        let there = live.secrets.get(&secret.name).is_some_and(|secret| !secret.is_scheduled_for_deletion());
        let declared = desired.secrets.get(&secret.name).is_some_and(|desired| desired.policy.is_some());
        if !there || !declared {
            continue;
        }
        let (write, acknowledged) = if secret.actions.contains(&Action::DeletePolicy) {
            (Written::Deleted, Some(LivePolicy::None))
        } else if let Some((document, _)) = secret.policy_as_sent(live) {
            (Written::Put(document.to_wire()), Some(LivePolicy::Document(document)))
        } else {
            // CreateSecret gives none.
            (Written::Not, secret.observed.is_none().then_some(LivePolicy::None))
        };
        if let (Some(now), Some(policy)) = (live.secrets.get_mut(&secret.name), acknowledged) {
            now.policy = policy;
        }
        if before.is_none() {
            writes.entry(write).or_default().insert(secret.name.clone());
        }
    }
    writes
}

/// Which of the secrets with one write are read again.
fn to_read(write: &Written, names: &BTreeSet<SecretName>, full: bool) -> Vec<SecretName> {
    let how_many = match write {
        _ if full => names.len(),
        Written::Put(_) | Written::Deleted => 1,
        Written::Not => 0,
    };
    names.iter().take(how_many).cloned().collect()
}

async fn read_policies(
    reader: &impl ReadSecrets,
    live: &mut Live,
    names: impl Iterator<Item = SecretName>,
) -> Result<(), ServiceError> {
    for (name, policy) in live::policies_of(reader, names, &|_| {}).await? {
        live.set_policy(name, policy);
    }
    Ok(())
}

/// Secrets that share their write with one whose policy was read and is not as it was written, or could not be read.
fn doubted(writes: &ByWrite, read: &BTreeSet<SecretName>, live: &Live, remaining: &Plan) -> BTreeSet<SecretName> {
    let differs = |name: &SecretName| {
        let planned = remaining.secrets.iter().find(|secret| secret.name == *name);
        let policy = |change: &Change| matches!(change, Change::Policy { .. });
        live.unreadable.contains_key(name) || planned.is_some_and(|secret| secret.changes.iter().any(policy))
    };
    let doubtful = writes.values().filter(|names| names.intersection(read).any(differs));
    doubtful.flatten().filter(|name| !read.contains(*name)).cloned().collect()
}

fn count(writes: &ByWrite, read: &BTreeSet<SecretName>) -> PoliciesVerified {
    let mut policies = PoliciesVerified::default();
    for (write, names) in writes {
        let read_again = names.intersection(read).count();
        match write {
            Written::Put(_) => {
                policies.documents += 1;
                policies.put += names.len();
                policies.put_read += read_again;
            }
            Written::Deleted => {
                policies.deleted += names.len();
                policies.deleted_read += read_again;
            }
            Written::Not => policies.not_read += names.len() - read_again,
        }
    }
    policies
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::live::LiveSecret;
    use crate::live::in_memory::{InMemory, failed};
    use crate::plan::bare::bare_desired;
    use crate::plan::{OtherArn, Verb};
    use crate::value::{Arns, Identity, SecretValue, Source, ValueError};

    static NOT_COMPARED: BTreeMap<SecretName, Comparison> = BTreeMap::new();

    /// Nothing has a value here.
    struct NoValues;

    impl Values for NoValues {
        async fn render(&self, _: &Source, _: Option<&SecretValue>, _: &Arns<'_>) -> Result<SecretValue, ValueError> {
            unreachable!("no value is declared")
        }

        fn identity(&self, _: &SecretName, _: &Source, _: &Arns<'_>) -> Result<Identity, ValueError> {
            unreachable!("no value is declared")
        }
    }

    fn verified(reader: &InMemory, desired: &Desired, before: &Live, part: WrittenPart<'_>) -> Verified {
        let verified = block_on(verify(reader, desired, before, part, false, &NoValues));
        verified.unwrap_or_else(|error| unreachable!("{error}"))
    }

    fn part<'a>(plan: &'a Plan, done: &'a BTreeSet<SecretName>, later: &'a BTreeSet<SecretName>) -> WrittenPart<'a> {
        let (counterparts, earlier) = (Counterparts::new(), Vec::new());
        WrittenPart { plan, done, linked_later: later, counterparts, earlier, compared: &NOT_COMPARED }
    }

    #[test]
    fn what_was_verified_of_parts_adds_up() {
        let one = PoliciesVerified { documents: 1, put: 2, put_read: 3, deleted: 4, deleted_read: 5, not_read: 6 };
        let mut sum = one;
        sum += PoliciesVerified { documents: 10, put: 20, put_read: 30, deleted: 40, deleted_read: 50, not_read: 60 };
        let all =
            PoliciesVerified { documents: 11, put: 22, put_read: 33, deleted: 44, deleted_read: 55, not_read: 66 };
        assert_eq!(sum, all);
        assert!(!one.is_complete() && PoliciesVerified { put: 1, put_read: 1, ..Default::default() }.is_complete());
    }

    #[test]
    fn what_could_not_be_read_before_is_read_now_and_what_came_true_is_left_out() {
        let desired = bare_desired("app/", &["app/a", "app/b"]);
        let ours = |name: &str| {
            let mut secret = LiveSecret::bare(name);
            let owner = desired.owner_tag(&secret.name);
            secret.tags.insert(crate::domain::TagKey::of_service(crate::desired::OWNER_TAG), owner);
            secret
        };
        let reader = InMemory::new([ours("app/a"), LiveSecret::bare("app/b")]);
        let denied = failed("DescribeSecret", crate::live::ServiceErrorKind::AccessDenied, None);
        let unreadable = BTreeMap::from([(SecretName::new("app/a"), denied)]);
        let before = Live { unreadable, ..Live::default() };
        let done = BTreeSet::from(["app/a", "app/b"].map(SecretName::new));
        let (plan, later) = (Plan::bare(Vec::new()), BTreeSet::new());
        let verified = verified(&reader, &desired, &before, part(&plan, &done, &later));
        assert_eq!(verified.unreadable, BTreeMap::new());
        let left: Vec<&str> = verified.remaining.secrets.iter().map(|secret| secret.name.as_str()).collect();
        assert_eq!(left, ["app/b"], "its owner tag did not come true");
    }

    #[test]
    fn a_policy_that_is_not_as_it_was_put_is_looked_for_on_the_others_too() {
        // The policy of both was deleted; that of the first is there all the same.
        let mut desired = bare_desired("app/", &["app/a", "app/b", "app/c"]);
        for secret in desired.secrets.values_mut() {
            let origin = secret.origin.clone();
            secret.policy = Some(crate::desired::Declared { value: None, origin });
        }
        let there = |name: &str, policy: LivePolicy| LiveSecret { policy, ..LiveSecret::bare(name) };
        let stays = || LivePolicy::Unparsable("{}".to_owned());
        let deletes = |name: &str| SecretPlan::bare(name, Verb::Change, vec![Action::DeletePolicy]);
        let plan = Plan::bare(vec![deletes("app/a"), deletes("app/b")]);
        let done = BTreeSet::from(["app/a", "app/b"].map(SecretName::new));
        let later = BTreeSet::new();
        let read = |first: LivePolicy| {
            let reader = InMemory::new([there("app/a", first), there("app/b", LivePolicy::None)]);
            let verified = verified(&reader, &desired, &Live::default(), part(&plan, &done, &later));
            let calls = reader.calls().into_iter().filter(|call| call.starts_with("GetResourcePolicy"));
            (calls.collect::<Vec<_>>(), verified.policies)
        };
        let counted = |deleted_read| PoliciesVerified { deleted: 2, deleted_read, ..PoliciesVerified::default() };
        assert_eq!(read(LivePolicy::None), (vec!["GetResourcePolicy app/a".to_owned()], counted(1)));
        let both = ["GetResourcePolicy app/a", "GetResourcePolicy app/b"].map(str::to_owned).to_vec();
        assert_eq!(read(stays()), (both, counted(2)));
    }

    #[test]
    fn an_old_secret_that_should_be_gone_and_is_there_is_left_to_be_done() {
        let replacement = crate::plan::Replacement::bare("app/new");
        let goes = |name: &str| SecretPlan {
            moved: Some(crate::plan::Move::To(replacement.clone())),
            ..SecretPlan::bare(name, Verb::Delete, Vec::new())
        };
        let plan = Plan::bare(vec![
            goes("app/gone"),
            goes("app/leaving"),
            goes("app/not-done"),
            goes("app/there"),
            SecretPlan::bare("app/other", Verb::Change, Vec::new()),
        ]);
        let leaving = LiveSecret { deleted_at: Some(jiff::Timestamp::UNIX_EPOCH), ..LiveSecret::bare("app/leaving") };
        let there = ["app/not-done", "app/there", "app/other"].map(LiveSecret::bare);
        let reader = InMemory::new(there.into_iter().chain([leaving]));
        let done = BTreeSet::from(["app/gone", "app/leaving", "app/there", "app/other"].map(SecretName::new));
        let later = BTreeSet::new();
        let verified = verified(&reader, &bare_desired("app/", &[]), &Live::default(), part(&plan, &done, &later));
        let left: Vec<&str> = verified.remaining.secrets.iter().map(|secret| secret.name.as_str()).collect();
        assert_eq!(left, ["app/there"]);
    }

    #[test]
    fn a_link_that_is_made_later_is_not_missing_and_everything_else_of_its_secret_is() {
        let link = |name: &str, others: Vec<Action>| {
            let replica = OtherArn::Later { target: "there".to_owned(), name: SecretName::new(name), account: None };
            let link =
                crate::plan::PlannedLink { replica, restriction: crate::desired::Restriction::SameOrg, role: None };
            let actions = others.into_iter().chain([Action::Associate(link)]).collect();
            SecretPlan::bare(name, Verb::Change, actions)
        };
        let mut remaining = Plan::bare(vec![
            link("app/both", vec![Action::Restore]),
            link("app/link", Vec::new()),
            link("app/now", Vec::new()),
            SecretPlan::bare("app/other", Verb::Change, Vec::new()),
        ]);
        let later = BTreeSet::from(["app/both", "app/link"].map(SecretName::new));
        without_later_links(&mut remaining, &later);
        let left: Vec<(&str, usize)> =
            remaining.secrets.iter().map(|secret| (secret.name.as_str(), secret.actions.len())).collect();
        assert_eq!(left, [("app/both", 1), ("app/now", 1), ("app/other", 0)]);
    }
}
