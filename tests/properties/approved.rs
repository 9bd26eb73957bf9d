//! What holds of an approved plan: the same inputs give the same fingerprint, and a change of anything that its actions
//! rest on gives another one, which is also what an apply compares before its first write.

use keywright::aws::Aws;
use keywright::desired::Desired;
use keywright::domain::{AccountId, Arn, KmsKey, Region, SecretName, StagingLabel, TagKey, VersionId};
use keywright::live::{Counterparts, Live, LivePolicy, LiveReplica, LiveSecret, ReplicaStatus};
use keywright::manifest::{LoadOptions, load};
use keywright::plan::{Action, Plan, Rules, SecretPlan, Verb, conflicts, fingerprint, target_lines};
use keywright::reconcile::{Planning, Reading, plan_target};
use keywright::sandbox::Sandbox;
use keywright::value::{Arns, Identity, SecretValue, SopsFiles, Source, ValueError, Values};
use proptest::prelude::*;

use crate::desired::desired_secrets;
use crate::live::live;
use crate::stage::{ACCOUNT, cases, prune, stage};

/// Values by their names alone.
struct Names;

impl Values for Names {
    async fn render(&self, _: &Source, _: Option<&SecretValue>, _: &Arns<'_>) -> Result<SecretValue, ValueError> {
        unreachable!("a plan makes no value")
    }

    fn identity(&self, name: &SecretName, source: &Source, arns: &Arns<'_>) -> Result<Identity, ValueError> {
        source.identity(name, &|name| arns(name), &SopsFiles::new())
    }
}

fn planned(folder: &tempfile::TempDir, sandbox: &Sandbox) -> (Desired, Plan) {
    let mut loaded = load(folder.path(), &LoadOptions::default());
    let desired = loaded.desired.remove(0);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let plan = runtime.block_on(async {
        let connection = Aws::embedded(sandbox.clone()).connect(&desired.target).await.expect("the sandbox answers");
        let rules = Rules::default();
        let (reading, counterparts) = (Reading::default(), Counterparts::new());
        let planning =
            Planning { rules: &rules, values: &Names, reading, counterparts: &counterparts, progress: &|_| {} };
        plan_target(connection.reader(), &desired, Some(&AccountId::of_service(ACCOUNT)), &planning)
            .await
            .expect("a plan")
            .plan
    });
    (desired, plan)
}

/// One thing that somebody changes, and whether the actions of a plan rest on it. This says in its own words what
/// section 2 of the design says, so that it can disagree with the code.
type Change = (&'static str, fn(&mut LiveSecret), fn(&SecretPlan) -> bool);

fn any_action(plan: &SecretPlan, wanted: fn(&Action) -> bool) -> bool {
    plan.verb == Verb::Delete || plan.actions.iter().any(wanted)
}

const CHANGES: [Change; 17] = [
    ("made anew", |live| live.arn = Arn::of_service(format!("{}x", live.arn)), |_| true),
    ("became a replica", |live| live.primary_region = Some(Region::of_service("mars-north-1")), |_| true),
    (
        "deletion scheduled, or taken back",
        |live| live.deleted_at = if live.deleted_at.is_some() { None } else { Some(jiff::Timestamp::UNIX_EPOCH) },
        |_| true,
    ),
    (
        "owner",
        |live| drop(live.tags.insert(TagKey::of_service("keywright:project"), "somebody/else".to_owned())),
        |_| true,
    ),
    (
        "protection",
        |live| {
            if live.tags.remove("keywright:protect").is_none() {
                live.tags.insert(TagKey::of_service("keywright:protect"), "true".to_owned());
            }
        },
        |_| true,
    ),
    ("owning service", |live| live.owning_service = Some("events".to_owned()), |_| true),
    (
        "description",
        |live| live.description = Some("changed".to_owned()),
        |plan| any_action(plan, |action| matches!(action, Action::Update { description: Some(_), .. })),
    ),
    (
        "key",
        |live| live.kms_key_id = Some(KmsKey::of_service("alias/changed")),
        |plan| any_action(plan, |action| matches!(action, Action::Update { kms_key_id: Some(_), .. })),
    ),
    (
        "type",
        |live| live.secret_type = Some("changed".to_owned()),
        |plan| any_action(plan, |action| matches!(action, Action::Update { secret_type: Some(_), .. })),
    ),
    (
        "a tag",
        |live| drop(live.tags.insert(TagKey::of_service("team"), "changed".to_owned())),
        |plan| any_action(plan, |action| matches!(action, Action::Tag { .. } | Action::Untag { .. })),
    ),
    (
        "a tag that nobody compares",
        |live| drop(live.tags.insert(TagKey::of_service("cost-centre"), "changed".to_owned())),
        |_| false,
    ),
    (
        "a version",
        |live| {
            drop(
                live.versions
                    .insert(VersionId::of_service("changed"), [StagingLabel::of_service("AWSPREVIOUS")].into()),
            );
        },
        |plan| {
            any_action(plan, |action| {
                matches!(action, Action::PutValue(_) | Action::MoveLabel { .. } | Action::RemoveLabel { .. })
            })
        },
    ),
    (
        "whether it rotates",
        |live| live.rotation.enabled = !live.rotation.enabled,
        |plan| {
            any_action(plan, |action| {
                matches!(
                    action,
                    Action::Rotate { .. }
                        | Action::CancelRotation
                        | Action::PutValue(_)
                        | Action::MoveLabel { .. }
                        | Action::RemoveLabel { .. }
                )
            })
        },
    ),
    (
        "who rotates it",
        |live| live.rotation.lambda_arn = Some(Arn::of_service("changed")),
        |plan| {
            // Who would rotate it, if it did, is nothing that anybody looks at.
            plan.observed.as_ref().is_some_and(|live| live.rotation.enabled)
                && any_action(plan, |action| matches!(action, Action::Rotate { .. } | Action::CancelRotation))
        },
    ),
    (
        "a replica",
        |live| {
            let replica = LiveReplica { kms_key_id: None, status: ReplicaStatus::InProgress };
            live.replicas.insert(Region::of_service("mars-north-1"), replica);
        },
        |plan| any_action(plan, |action| matches!(action, Action::Replicate { .. } | Action::RemoveReplicas { .. })),
    ),
    (
        "policy",
        |live| live.policy = LivePolicy::Unparsable("changed".to_owned()),
        |plan| {
            plan.actions.iter().any(|action| matches!(action, Action::PutPolicy { .. } | Action::DeletePolicy))
                && plan.observed.as_ref().is_some_and(|live| live.deleted_at.is_none())
        },
    ),
    ("dates", |live| live.last_changed = Some(jiff::Timestamp::UNIX_EPOCH), |_| false),
];

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn an_approved_plan_is_the_same_until_what_it_rests_on_changes(
        desired_secrets in desired_secrets(),
        live in live(true),
        prune in prune(),
    ) {
        let (folder, sandbox) = stage(&desired_secrets, &live, prune);
        let (desired, plan) = planned(&folder, &sandbox);
        let lines = |plan: &Plan| target_lines(plan, &Live::default(), &desired.ignore_tags);
        let approved = fingerprint(&lines(&plan));
        prop_assert_eq!(fingerprint(&lines(&planned(&folder, &sandbox).1)), approved.clone(), "the same inputs");

        for (at, secret) in plan.secrets.iter().enumerate() {
            let Some(observed) = &secret.observed else { continue };
            prop_assert!(conflicts(secret, Some(observed), &desired.ignore_tags).is_empty());
            for (what, change, rests_on) in CHANGES {
                let mut changed = observed.clone();
                change(&mut changed);
                // What is live already in this form is no change.
                if changed == *observed {
                    continue;
                }
                let mut other = plan.clone();
                other.secrets[at].observed = Some(changed.clone());
                let told = fingerprint(&lines(&other)) != approved;
                let refused = !conflicts(secret, Some(&changed), &desired.ignore_tags).is_empty();
                let rests_on = rests_on(secret);
                // What is approved of a removal is also the secret's date: one that was restored since is another one.
                let approved_of = rests_on || (what == "dates" && secret.is_removal());
                prop_assert_eq!((told, refused), (approved_of, rests_on), "{}: {} of \
                    {:?}", what, secret.name, secret.actions);
            }
            prop_assert!(!conflicts(secret, None, &desired.ignore_tags).is_empty(), "it is gone");
            let mut gone = plan.clone();
            gone.secrets[at].observed = None;
            prop_assert_ne!(fingerprint(&lines(&gone)), approved.clone());
        }
    }
}
