//! One target in which everything is wrong: every guard of the table must refuse it, and be silenced by its flag alone.

mod edges;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{FlagArgument, GuardOverrides, GuardedTarget, Refusal, RunGuards, flags, guards};
use crate::desired::{
    Deletion, Desired, GuardLimits, LeftOut, OWNER_TAG, OtherOwner, PROTECT_TAG, PolicyTemplate, Prune, Restriction,
    RotationSetup, Rotator, owner_tag,
};
use crate::domain::{Arn, Frequency, Region, SecretName, StagingLabel, TagKey, Template, VersionId};
use crate::live::{Live, LiveSecret};
use crate::origin::Origin;
use crate::plan::bare::bare_desired;
use crate::plan::{
    Action, CarriedVersion, Change, Counts, Finding, FindingKind, LinkReason, Move, MovedFrom, OtherArn, Plan,
    PlanReport, PlannedLink, PlannedPolicy, PlannedValue, Replacement, ReplicaKey, ReplicaReason, SecretPlan, Token,
    Verb,
};
use crate::policy::PolicyDocument;
use crate::value::Source;

const OWNED: usize = 10;

/// A target with everything that a guard refuses. A new guard adds what it refuses here.
struct EverythingWrong {
    desired: Desired,
    live: Live,
    plan: Plan,
    report: PlanReport,
}

impl EverythingWrong {
    fn new() -> Self {
        let mut live = Live { region: Region::of_service("eu-west-1"), ..Live::default() };
        let mut there = LiveSecret::bare("dev/overwrites");
        there.tags.insert(TagKey::of_service(PROTECT_TAG), "true".to_owned());
        live.other_regions.insert((Region::of_service("us-east-1"), there.name.clone()), Some(there));
        let foreign = Finding {
            secret: SecretName::new("dev/foreign"),
            origin: None,
            kind: FindingKind::Foreign { owner: "other/dev".to_owned(), whose: OtherOwner::Another },
        };
        Self {
            desired: nothing_allowed(),
            live,
            plan: Plan::bare(secrets()),
            report: PlanReport {
                findings: vec![foreign],
                counts: Counts {
                    desired: 1,
                    owned_live: OWNED,
                    owned_by_all_shards: OWNED,
                    whole_scope: true,
                    ..Counts::default()
                },
                without_value: BTreeSet::from([SecretName::new("dev/protected-2")]),
                seeded: BTreeMap::new(),
                awaiting: Vec::new(),
                deleted_in_other_shards: BTreeSet::new(),
                same_of_git: BTreeMap::new(),
            },
        }
    }

    fn refusals(&self, overrides: &GuardOverrides) -> Vec<Refusal> {
        let Self { desired, live, plan, report } = self;
        let (far, beside) = (other_target("far"), other_target("beside"));
        let (far_live, far_plan, far_report) =
            (Live::default(), Plan { target: "far".to_owned(), ..Plan::bare(Vec::new()) }, PlanReport::default());
        let targets = vec![
            GuardedTarget { desired, live, plan, report },
            GuardedTarget { desired: &far, live: &far_live, plan: &far_plan, report: &far_report },
        ];
        RunGuards { targets, beside: vec![&beside], unread: &[], overrides }.refusals().remove(0)
    }

    fn refused_by(&self, overrides: &GuardOverrides) -> BTreeSet<&'static str> {
        self.refusals(overrides).into_iter().map(|refusal| refusal.guard.name).collect()
    }
}

fn origin() -> Origin {
    Origin::new(Path::new("keywright.yaml"), 1, 1)
}

/// A target in another region that wants some of these secrets too, and has no value of any.
fn other_target(name: &str) -> Desired {
    let mut desired = bare_desired("dev/", &["dev/never-ours", "dev/replicated"]);
    (desired.target.name, desired.target.region) = (name.to_owned(), Region::of_service("us-west-2"));
    desired
}

/// What a sparse checkout leaves out.
fn left_out() -> LeftOut {
    let file = "secrets/b.yaml".to_owned();
    LeftOut { manifest: Some(file.clone()), shared: Some(file), unknown: Some("why".to_owned()), ..LeftOut::default() }
}

fn nothing_allowed() -> Desired {
    Desired {
        prune: Prune::Delete,
        guards: GuardLimits { max_deletes: 0, max_changes_percent: 0 },
        skipped: vec!["secrets/team".to_owned()],
        left_out: Arc::new(left_out()),
        ..bare_desired("dev/", &[])
    }
}

fn secrets() -> Vec<SecretPlan> {
    let delete = || Action::Delete { deletion: Deletion::Window(30) };
    let put = PlannedValue {
        source: Source::Text(Template::text("public")),
        token: Token::Random,
        compare_with: None,
        labels: Vec::new(),
        digest: None,
        keeps_generated_of: None,
    };
    let rotate = Action::Rotate {
        setup: RotationSetup {
            rotator: Rotator::Lambda(Arn::of_service("arn:aws:lambda:eu-west-1:111111111111:function:rotate")),
            frequency: Frequency::EveryDays(30),
            duration: None,
        },
        immediately: true,
    };
    let replicate =
        Action::Replicate { regions: BTreeMap::from([(Region::of_service("us-east-1"), None)]), overwrite: true };
    let everyone = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*" },
    ] });
    let nobody = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*" },
    ] });
    vec![
        secret("dev/protected", Verb::Delete, &[OWNER_TAG, PROTECT_TAG], delete()),
        secret("dev/never-ours", Verb::Delete, &[], delete()),
        SecretPlan { origin: Some(origin()), ..secret("dev/changed", Verb::Change, &[OWNER_TAG], Action::Restore) },
        secret("dev/of-a-stack", Verb::Adopt, &["aws:cloudformation:stack-name"], Action::Restore),
        secret("dev/adopted", Verb::Adopt, &[], Action::PutValue(Box::new(put.clone()))),
        secret("dev/rotated", Verb::Change, &[OWNER_TAG], rotate),
        secret("dev/overwrites", Verb::Change, &[OWNER_TAG], replicate),
        removed_replica(),
        secret("dev/pending", Verb::Change, &[OWNER_TAG], Action::CancelRotation),
        deleted_in_flight(),
        undone_rotation(put),
        of_another_scope(),
        moved(),
        linked(),
        secret("dev/other-primary", Verb::Change, &[OWNER_TAG], Action::Delete { deletion: Deletion::Force }),
        SecretPlan { observed: None, ..secret("dev/protected-2", Verb::Create, &[], Action::CancelRotation) },
        with_policy("dev/public", everyone),
        with_policy("dev/locked", nobody),
    ]
}

/// A live secret with a value and these tags; one that is ours has our owner tag.
fn secret(name: &str, verb: Verb, tags: &[&str], action: Action) -> SecretPlan {
    let mut observed = LiveSecret::bare(name);
    let ours = nothing_allowed().owner_tag(&observed.name);
    let text = |key: &str| if key == OWNER_TAG { ours.clone() } else { "true".to_owned() };
    observed.tags = tags.iter().map(|key| (TagKey::of_service(*key), text(key))).collect();
    observed.versions.insert(VersionId::of_service("v1"), BTreeSet::from([StagingLabel::current()]));
    if action == Action::CancelRotation {
        observed.versions.insert(VersionId::of_service("v2"), BTreeSet::from([StagingLabel::pending()]));
    }
    SecretPlan { observed: Some(observed), ..SecretPlan::bare(name, verb, vec![action]) }
}

fn deleted_in_flight() -> SecretPlan {
    let secret = secret("dev/deleted", Verb::Delete, &[OWNER_TAG], Action::CancelRotation);
    SecretPlan { actions: vec![Action::Delete { deletion: Deletion::Window(30) }], ..secret }
}

fn removed_replica() -> SecretPlan {
    let regions = BTreeSet::from([Region::of_service("us-west-2")]);
    let mut secret = secret("dev/replicated", Verb::Change, &[OWNER_TAG], Action::RemoveReplicas { regions });
    secret.changes.push(Change::Replica {
        region: Region::of_service("us-west-2"),
        before: Some(ReplicaKey::Default),
        after: None,
        reason: ReplicaReason::Removed,
        origin: origin(),
    });
    secret
}

fn undone_rotation(put: PlannedValue) -> SecretPlan {
    let mut secret = secret("dev/rotating", Verb::Change, &[OWNER_TAG], Action::PutValue(Box::new(put)));
    if let Some(observed) = &mut secret.observed {
        observed.rotation.last = Some(jiff::Timestamp::UNIX_EPOCH);
    }
    secret
}

fn of_another_scope() -> SecretPlan {
    let mut secret = secret("dev/team/db", Verb::Change, &[], Action::Untag { keys: BTreeSet::new() });
    if let Some(observed) = &mut secret.observed {
        observed.tags.insert(TagKey::of_service(OWNER_TAG), owner_tag::bind("shop/dev", "dev/team/db", "dev/team/"));
    }
    secret
}

fn moved() -> SecretPlan {
    let old = secret("dev/before", Verb::Change, &[OWNER_TAG], Action::Restore).observed;
    let carried = CarriedVersion {
        from: SecretName::new("dev/before"),
        version: VersionId::of_service("v1"),
        to: VersionId::of_service("v1"),
        current: true,
        labels: BTreeSet::new(),
    };
    let replacement = Replacement { valued: true, ..Replacement::bare("dev/after") };
    let from = old.map(|secret| MovedFrom { secret, deletion: Deletion::Window(30), origin: origin(), replacement });
    let secret = SecretPlan::bare("dev/after", Verb::Move, vec![Action::CarryVersion(Box::new(carried))]);
    SecretPlan { moved: from.map(|from| Move::From(Box::new(from))), ..secret }
}

fn linked() -> SecretPlan {
    let replica = "arn:aws:secretsmanager:eu-west-1:222222222222:secret:dev/linked-AbCdEf";
    let link = PlannedLink {
        replica: OtherArn::Known(Arn::of_service(replica)),
        restriction: Restriction::NoRestriction,
        role: None,
    };
    let mut secret = secret("dev/linked", Verb::Change, &[OWNER_TAG], Action::Associate(link.clone()));
    secret.changes.push(Change::CrossAccountReplica {
        before: None,
        after: Some(link),
        reason: LinkReason::Added,
        origin: origin(),
    });
    secret
}

fn with_policy(name: &str, document: Value) -> SecretPlan {
    let policy = PolicyTemplate { document: document.clone(), holes: BTreeMap::new() };
    let action = Action::PutPolicy { policy, block_public_policy: true };
    let mut secret = secret(name, Verb::Change, &[OWNER_TAG], action);
    let after = PlannedPolicy::Document { policy: PolicyDocument::from_checked(document), known: true };
    let before = Box::new(PlannedPolicy::None);
    secret.changes.push(Change::Policy { before, after: Box::new(after), origin: origin() });
    secret
}

#[test]
fn every_guard_of_the_table_refuses_what_it_is_for() {
    let refused = EverythingWrong::new().refused_by(&GuardOverrides::default());
    let table: BTreeSet<&str> = guards().map(|guard| guard.name).collect();
    assert_eq!(refused, table, "a new guard adds what it refuses to EverythingWrong");
}

#[test]
fn a_flag_overrides_its_own_guards_and_no_other() {
    let wrong = EverythingWrong::new();
    for flag in flags() {
        let number = match flag.argument {
            FlagArgument::None => None,
            FlagArgument::Number { max, .. } => Some(max),
        };
        let overrides = GuardOverrides::default().with(flag, number);
        let expected: BTreeSet<&str> = guards()
            .filter(|guard| guard.flag.is_none_or(|own| own.name != flag.name))
            .map(|guard| guard.name)
            .collect();
        assert_eq!(wrong.refused_by(&overrides), expected, "--{}", flag.name);
    }
}

#[test]
fn what_a_refusal_says_to_give_is_enough() {
    let wrong = EverythingWrong::new();
    for refusal in wrong.refusals(&GuardOverrides::default()) {
        let Some(flag) = refusal.guard.flag else { continue };
        let overrides = GuardOverrides::default().with(flag, refusal.needs);
        assert!(!wrong.refused_by(&overrides).contains(refusal.guard.name), "{:?}", refusal.overridden_by());
    }
}

#[test]
fn names_are_unique_and_a_flag_that_two_guards_share_is_one() {
    let names: BTreeSet<&str> = guards().map(|guard| guard.name).collect();
    assert_eq!(names.len(), guards().count());
    for guard in guards() {
        let Some(flag) = guard.flag else { continue };
        assert!(flags().any(|listed| listed == flag), "{}: two flags have the name --{}", guard.name, flag.name);
    }
}

#[test]
fn every_fact_that_a_guards_words_name_is_found() {
    for refusal in EverythingWrong::new().refusals(&GuardOverrides::default()) {
        let named = refusal.words.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
        let found: BTreeSet<&str> = refusal.facts.iter().map(|(name, _)| *name).collect();
        assert_eq!(named.collect::<BTreeSet<_>>(), found, "{}", refusal.guard.name);
    }
}

/// The recipes of CI hold each flag of an approved plan against the guard that a file of the pull request names.
#[test]
fn the_recipes_know_the_flag_of_every_guard() {
    let script = include_str!("../../../examples/ci/github/keywright/overrides.sh");
    let table = script.split_once("flags='").and_then(|(_, rest)| rest.split_once("}'")).map(|(table, _)| table);
    let table: BTreeMap<String, String> = serde_json::from_str(&format!("{}}}", table.unwrap_or_default()))
        .unwrap_or_else(|error| unreachable!("the table of the recipe: {error}"));
    let known = guards().filter_map(|guard| Some((guard.name.to_owned(), format!("--{}", guard.flag?.name))));
    assert_eq!(table, known.collect::<BTreeMap<_, _>>());
}
