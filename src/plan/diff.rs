//! One secret's desired state against what is live: the differences, and the actions that remove them.
//!
//! Absent means unmanaged: a field that the manifest leaves out yields nothing. Both structures are taken apart field
//! by field, so that a new field does not compile until somebody decides what it means here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::action::Action;
use super::change::{Change, PlannedPolicy, PlannedText};
use super::cross_account::{LinkPlanner, MadeOf, OtherArn, replaced};
use super::moves::Moves;
use super::replicas::ReplicaPlanner;
use super::report::FindingKind;
use super::rotation::plan_rotation;
use super::tags::{TagFit, untag_first};
use super::value::ValuePlanner;
use super::value_facts::ValueFacts;
use crate::desired::{
    Declared, Desired, DesiredSecret, DesiredTags, OWNER_TAG, PROTECT_TAG, PolicyTemplate, TagMode, VALUE_TAG,
};
use crate::domain::{KmsKey, SecretName, TagKey, Template};
use crate::live::{Live, LivePolicy, LiveSecret};
use crate::origin::Origin;
use crate::sort_few::SortFew as _;

/// The value of the tag `keywright:protect`. Only the key counts.
const PROTECT_VALUE: &str = "true";

/// What removes the differences of one secret.
#[derive(Debug, Default)]
pub(super) struct Difference {
    pub(super) changes: Vec<Change>,
    pub(super) actions: Vec<Action>,
}

/// Compares the desired state with what is live in one target.
pub(super) struct Differ<'a> {
    pub(super) desired: &'a Desired,
    pub(super) live: &'a Live,
    pub(super) facts: &'a ValueFacts,
    /// The time of the plan.
    pub(super) as_of: Option<Timestamp>,
}

/// What is live of a secret, and what a plan shows as having been there.
#[derive(Clone, Copy)]
struct Sides<'a> {
    observed: Option<&'a LiveSecret>,
    /// The same, or what is live of the secret whose place it takes.
    shown: Option<&'a LiveSecret>,
}

/// A tag as declared, with the place that asks for it.
type DesiredTag<'a> = (TagKey, Template, Option<&'a Origin>);

impl Differ<'_> {
    /// Everything that a secret that should exist lacks. `observed` is none when it does not exist.
    pub(super) fn present(
        &self,
        desired_secret: &DesiredSecret,
        observed: Option<&LiveSecret>,
        moves: Option<&Moves<'_>>,
    ) -> (Difference, Vec<FindingKind>) {
        let links = LinkPlanner { desired: desired_secret, live: self.live, observed, of: self.desired };
        let primary = match links.primary_of_new() {
            Ok(MadeOf::Nothing) => None,
            Ok(MadeOf::Primary(primary)) => Some(primary),
            Ok(MadeOf::OtherPrimary) => {
                let (mut difference, findings) = self.present(desired_secret, None, moves);
                if let Some(live) = observed {
                    replaced(live, &mut difference);
                }
                return (difference, findings);
            }
            Err(obstacle) => return (Difference::default(), vec![obstacle]),
        };
        self.compare(desired_secret, observed, primary, moves)
    }

    /// The same, once it is known whose replica it is made.
    fn compare(
        &self,
        desired_secret: &DesiredSecret,
        observed: Option<&LiveSecret>,
        primary: Option<OtherArn>,
        moves: Option<&Moves<'_>>,
    ) -> (Difference, Vec<FindingKind>) {
        let DesiredSecret {
            name,
            origin: _,
            item: _,
            // Decided before this is called.
            state: _,
            managed_by: _,
            renamed_from: _,
            // Dependencies order actions; they are no difference.
            depends_on: _,
            protect,
            description,
            secret_type,
            kms_key_id,
            tags,
            policy,
            rotation,
            replicas,
            // Both are planned apart.
            cross_account_primary: _,
            cross_account_replica: _,
            // Never a difference by itself: the service does not tell it back.
            block_public_policy,
            // Both are planned together, from the whole desired state.
            value: _,
            value_expected: _,
            labels: _,
            no_labels: _,
            // Only of use when the secret goes.
            deletion: _,
        } = desired_secret;

        let links = LinkPlanner { desired: desired_secret, live: self.live, observed, of: self.desired };
        let mut difference = Difference::default();
        if let Some(secret) = observed.filter(|secret| secret.is_scheduled_for_deletion()) {
            let rotation_stays_off = secret.rotation.is_off_for_deletion() && rotation.is_none();
            difference.changes.push(Change::Restored { rotation_stays_off, other_value: None });
            difference.actions.push(Action::Restore);
        }
        let description =
            description.as_ref().and_then(|declared| self.description(declared, observed, &mut difference));
        // What the old secret of a move has is no difference, although the new one is made with it.
        let shown = moves.map_or(observed, |moves| Some(moves.shown(observed)));
        let sides = Sides { observed, shown };
        let kms_key = kms_key_id.as_ref().and_then(|declared| self.kms_key(declared, sides, &mut difference));
        let secret_type = secret_type.as_ref().and_then(|declared| kind(declared, sides, &mut difference));
        let owner_tag = Template::text(self.desired.owner_tag(name));
        let mut own = vec![(TagKey::of_service(OWNER_TAG), owner_tag)];
        let protects = *protect == Some(true) && !observed.is_some_and(LiveSecret::is_protected);
        own.extend(protects.then(|| (TagKey::of_service(PROTECT_TAG), Template::text(PROTECT_VALUE))));
        let (set, untag) = self.tags(&own, tags.as_ref(), *protect, observed, &mut difference);
        let fit = TagFit::of(observed, tags.as_ref(), &set, &untag);

        if observed.is_some() {
            if description.is_some() || kms_key.is_some() || secret_type.is_some() {
                difference.actions.push(Action::Update { description, kms_key_id: kms_key, secret_type });
            }
            if !set.is_empty() {
                difference.actions.push(Action::Tag { tags: set });
            }
        } else {
            difference.changes.extend(links.made(primary.as_ref()));
            difference.actions.push(Action::Create {
                description,
                kms_key_id: kms_key,
                tags: set,
                secret_type,
                value: None,
                replicas: BTreeMap::new(),
                cross_account_primary: primary,
            });
        }
        if let Some(declared) = policy {
            self.policy(declared, *block_public_policy, observed, &mut difference);
        }
        if !untag.is_empty() {
            difference.actions.push(Action::Untag { keys: untag });
        }
        let carries = moves.filter(|moves| moves.current().is_some());
        let values = ValuePlanner { desired: desired_secret, observed, facts: self.facts, carries };
        let mut findings = values.plan(&mut difference);
        let fit = fit.without_note(observed, &mut difference, &mut findings).with_value(observed, &difference.actions);
        // What a move carries over keeps its ids, so that labels may be on them.
        let labels = || values.label_nowhere(&difference.actions).or_else(|| values.too_many_labels(&difference));
        if let Some(refused) = fit.too_many().or_else(|| labels().filter(|_| moves.is_none())) {
            // Nothing else is planned: half of what git says is not what git says.
            return (Difference::default(), vec![refused]);
        }
        if let Some(moves) = moves {
            moves.plan(desired_secret, observed, &mut difference);
        }
        if let Some(declared) = replicas {
            let planner = ReplicaPlanner { name, live: self.live, owner: &self.desired.owner() };
            findings.extend(planner.plan(declared, observed, &mut difference));
        }
        findings.extend(links.replica_side(&mut difference));
        findings.extend(links.primary_side(&mut difference));
        if let Some(declared) = rotation {
            let finding = plan_rotation(declared, observed, self.as_of, &mut difference);
            // One stuck rotation is one finding, whatever it stands in the way of.
            let pending = findings.iter().any(|kind| matches!(kind, FindingKind::RotationPending { .. }));
            findings.extend(finding.filter(|_| !pending));
        }
        // What is carried over is put by itself, and replicas are made of a secret with a value.
        if observed.is_none() && carries.is_none() {
            create_at_once(&mut difference.actions);
        }
        difference.actions.sort_few_by_key(Action::rank);
        if !fit.in_between() {
            untag_first(&mut difference.actions);
        }
        values.take_labels_off_first(&mut difference.actions);
        (difference, findings)
    }

    /// The description to send, when it differs.
    fn description(
        &self,
        declared: &Declared<Template>,
        observed: Option<&LiveSecret>,
        difference: &mut Difference,
    ) -> Option<Template> {
        let before = observed.and_then(|secret| secret.description.clone()).filter(|text| !text.is_empty());
        let after = declared.value.as_ref().map(|template| self.preview(template));
        let after = after.filter(|text| !text.text.is_empty());
        let same = match (&before, &after) {
            (None, None) => true,
            (Some(before), Some(after)) => after.known && *before == after.text,
            _ => false,
        };
        if same {
            return None;
        }
        difference.changes.push(Change::Description { before, after, origin: declared.origin.clone() });
        Some(declared.value.as_ref().map_or_else(|| Template::text(""), |template| self.settle(template)))
    }

    /// The key to send, when it differs.
    fn kms_key(
        &self,
        declared: &Declared<KmsKey>,
        Sides { observed, shown }: Sides<'_>,
        difference: &mut Difference,
    ) -> Option<KmsKey> {
        let after = declared.value.clone();
        let key = |secret: Option<&LiveSecret>| secret.and_then(|secret| secret.kms_key_id.clone());
        let (account, region) = (self.live.account.as_ref(), &self.live.region);
        let is_met = |key: Option<&KmsKey>| KmsKey::is_same(key, after.as_ref(), account, region);
        let before = key(shown);
        if !is_met(before.as_ref()) {
            difference.changes.push(Change::KmsKey { before, after: after.clone(), origin: declared.origin.clone() });
        }
        if is_met(key(observed).as_ref()) {
            return None;
        }
        Some(after.unwrap_or_else(KmsKey::default_alias))
    }

    /// The tags to set and the keys to remove. `own` are keywright's, which are desired whatever is declared.
    pub(super) fn tags(
        &self,
        own: &[(TagKey, Template)],
        declared: Option<&DesiredTags>,
        protect: Option<bool>,
        observed: Option<&LiveSecret>,
        difference: &mut Difference,
    ) -> (BTreeMap<TagKey, Template>, BTreeSet<TagKey>) {
        let none = BTreeMap::new();
        let live = observed.map_or(&none, |secret| &secret.tags);
        let mut desired_tags: Vec<DesiredTag<'_>> =
            own.iter().map(|(key, value)| (key.clone(), value.clone(), None)).collect();
        if let Some(DesiredTags { mode: _, tags, origin: _ }) = declared {
            desired_tags.extend(tags.iter().map(|(key, (value, origin))| (key.clone(), value.clone(), Some(origin))));
        }
        desired_tags.sort_few_by(|a, b| a.0.cmp(&b.0));

        let mut set = BTreeMap::new();
        for (key, value, origin) in &desired_tags {
            let before = live.get(key);
            let after = self.preview(value);
            if after.known && before == Some(&after.text) {
                continue;
            }
            difference.changes.push(Change::Tag {
                key: key.clone(),
                before: before.cloned(),
                after: Some(after),
                origin: (*origin).cloned(),
            });
            set.insert(key.clone(), self.settle(value));
        }

        let mut untag = BTreeSet::new();
        for (key, before) in live {
            let origin = if *key == PROTECT_TAG {
                (protect == Some(false)).then_some(None)
            } else {
                declared
                    .filter(|tags| tags.mode == TagMode::Exact)
                    .filter(|tags| !tags.tags.contains_key(key) && !self.desired.ignore_tags.ignores(key.as_str()))
                    .map(|tags| Some(tags.origin.clone()))
            };
            if let Some(origin) = origin {
                difference.changes.push(Change::Tag {
                    key: key.clone(),
                    before: Some(before.clone()),
                    after: None,
                    origin,
                });
                untag.insert(key.clone());
            }
        }
        (set, untag)
    }

    fn policy(
        &self,
        declared: &Declared<PolicyTemplate>,
        block_public_policy: bool,
        observed: Option<&LiveSecret>,
        difference: &mut Difference,
    ) {
        let before = match observed.map(|secret| &secret.policy) {
            None | Some(LivePolicy::None) => PlannedPolicy::None,
            // Nobody read it although it is declared: treat it as unknown, so that it is set.
            Some(LivePolicy::NotRead | LivePolicy::Unreadable) => PlannedPolicy::Unreadable,
            Some(LivePolicy::Unparsable(text)) => PlannedPolicy::Unparsable(text.clone()),
            Some(LivePolicy::Document(policy)) => PlannedPolicy::Document { policy: policy.clone(), known: true },
        };
        let after = match &declared.value {
            None => PlannedPolicy::None,
            Some(template) => PlannedPolicy::Document {
                policy: template.preview(&|name| self.live.arn(name)).in_partition(&self.live.region.partition()),
                known: template.resolve(&|name| self.live.arn(name)).is_ok(),
            },
        };
        let same = match (&before, &after) {
            (PlannedPolicy::None, PlannedPolicy::None) => true,
            (
                PlannedPolicy::Document { policy: before, known: _ },
                PlannedPolicy::Document { policy: after, known },
            ) => *known && before == after,
            _ => false,
        };
        if same {
            return;
        }
        difference.actions.push(match &declared.value {
            None => Action::DeletePolicy,
            Some(template) => Action::PutPolicy { policy: self.settle_policy(template), block_public_policy },
        });
        let (before, after) = (Box::new(before), Box::new(after));
        difference.changes.push(Change::Policy { before, after, origin: declared.origin.clone() });
    }

    fn preview(&self, template: &Template) -> PlannedText {
        let arns = |name: &SecretName| self.live.arn(name);
        PlannedText { text: template.preview(&arns), known: template.resolve(&arns).is_ok() }
    }

    /// The template with every ARN filled in that is known now.
    fn settle(&self, template: &Template) -> Template {
        template.settle(&|name| self.live.arn(name))
    }

    fn settle_policy(&self, template: &PolicyTemplate) -> PolicyTemplate {
        let mut settled = PolicyTemplate { document: template.document.clone(), holes: BTreeMap::new() };
        for (pointer, hole) in &template.holes {
            match hole.resolve(&|name| self.live.arn(name)) {
                Ok(text) => {
                    if let Some(place) = settled.document.pointer_mut(pointer) {
                        *place = serde_json::Value::String(text);
                    }
                }
                Err(_) => {
                    settled.holes.insert(pointer.clone(), self.settle(hole));
                }
            }
        }
        settled
    }
}

/// CreateSecret takes the first value and the replicas along, unless a policy is declared: then nothing is anywhere
/// before the policy is. Replicas that destroy a secret in another region stay apart, since ForceOverwriteReplicaSecret
/// holds for all.
fn create_at_once(actions: &mut Vec<Action>) {
    if actions.iter().any(|action| matches!(action, Action::PutPolicy { .. })) {
        return;
    }
    let mut first_value = None;
    let mut first_replicas = BTreeMap::new();
    actions.retain_mut(|action| match action {
        Action::PutValue(planned) if planned.labels.is_empty() && first_value.is_none() => {
            first_value = Some(planned.clone());
            false
        }
        Action::Replicate { regions, overwrite: false } => {
            first_replicas = std::mem::take(regions);
            false
        }
        _ => true,
    });
    if let Some(Action::Create { value, replicas, .. }) = actions.first_mut() {
        *value = first_value;
        *replicas = first_replicas;
    }
}

/// The type to send, when it differs.
fn kind(
    declared: &Declared<String>,
    Sides { observed, shown }: Sides<'_>,
    difference: &mut Difference,
) -> Option<String> {
    let after = declared.value.clone();
    let kind = |secret: Option<&LiveSecret>| {
        secret.and_then(|secret| secret.secret_type.clone()).filter(|text| !text.is_empty())
    };
    let before = kind(shown);
    if before != after {
        difference.changes.push(Change::Type { before, after: after.clone(), origin: declared.origin.clone() });
    }
    (kind(observed) != after).then(|| after.unwrap_or_default())
}

/// What takes keywright's own tags off a secret: it stays, and stops being this project's.
pub(super) fn release(secret: &LiveSecret) -> Difference {
    let keys: BTreeSet<TagKey> = [OWNER_TAG, PROTECT_TAG, VALUE_TAG]
        .into_iter()
        .filter(|key| secret.tags.contains_key(*key))
        .map(TagKey::of_service)
        .collect();
    let changes = keys
        .iter()
        .map(|key| Change::Tag { key: key.clone(), before: secret.tags.get(key).cloned(), after: None, origin: None })
        .collect();
    Difference { changes, actions: vec![Action::Untag { keys }] }
}
