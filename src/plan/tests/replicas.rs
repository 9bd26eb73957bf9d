//! What a replica may take the place of in its region, and when one goes.

use std::collections::BTreeMap;

use super::{at, live, name, ours, region};
use crate::desired::{Declared, Desired, DesiredReplica, OWNER_TAG};
use crate::domain::{KmsKey, Region, TagKey};
use crate::live::{Live, LiveReplica, LiveSecret, ReplicaStatus};
use crate::plan::bare::bare_desired;
use crate::plan::{Action, FindingKind, Plan, Rules, SecretPlan, ValueFacts, leave_kept_replicas, plan};

fn failed() -> ReplicaStatus {
    ReplicaStatus::Failed { message: "no".to_owned() }
}

/// `app/db` with replicas in these regions, with these keys.
fn declared(replicas: &[(&str, Option<&str>)]) -> Desired {
    let mut desired = bare_desired("app/", &["app/db"]);
    let replica = |(at_region, key): &(&str, Option<&str>)| {
        let kms_key_id = key.map(KmsKey::of_service);
        (region(at_region), DesiredReplica { kms_key_id, overwrite: false, origin: at(4) })
    };
    for secret in desired.secrets.values_mut() {
        secret.replicas = Some(Declared { value: Some(replicas.iter().map(replica).collect()), origin: at(3) });
    }
    desired
}

fn there(desired: &Desired, replicas: &[(&str, ReplicaStatus)]) -> Live {
    let mut secret = ours(desired, "app/db");
    let replica = |(at_region, status): &(&str, ReplicaStatus)| {
        (region(at_region), LiveReplica { kms_key_id: None, status: status.clone() })
    };
    secret.replicas = replicas.iter().map(replica).collect();
    live(vec![secret])
}

/// The actions of the plan as `+` and `-` with their regions, whether it loses replicas, and what it keeps and why.
fn planned(replicas: &[(&str, Option<&str>)], now: &[(&str, ReplicaStatus)]) -> (String, bool, Option<String>) {
    let desired = declared(replicas);
    let (plan, report) = plan(&desired, &there(&desired, now), &ValueFacts::default(), &Rules::default());
    let action = |action: &Action| match action {
        Action::Replicate { regions, .. } => {
            format!("+{}", regions.keys().map(Region::as_str).collect::<Vec<_>>().join(","))
        }
        Action::RemoveReplicas { regions } => {
            format!("-{}", regions.iter().map(Region::as_str).collect::<Vec<_>>().join(","))
        }
        other => other.operation().to_owned(),
    };
    let actions = plan.secrets.iter().flat_map(|secret| &secret.actions).map(action).collect::<Vec<_>>().join(" ");
    let kept = report.findings.iter().find_map(|finding| match &finding.kind {
        FindingKind::ReplicasKept { regions, missing } => {
            assert!(finding.holds_back());
            Some(format!("{} until {}", regions.join(","), missing.join(",")))
        }
        _ => None,
    });
    (actions, plan.secrets.iter().any(SecretPlan::loses_replicas), kept)
}

#[test]
fn a_replica_that_git_does_not_want_goes_when_all_others_are_in_sync() {
    use ReplicaStatus::{InProgress, InSync};
    let kept = |until: &str| Some(format!("us-east-1 until {until}"));
    let at_once = |actions: &str| (actions.to_owned(), true, None);
    let wants = [("us-west-2", None)];
    assert_eq!(planned(&wants, &[("us-east-1", InSync)]), ("+us-west-2".to_owned(), false, kept("us-west-2")));
    let making = [("us-east-1", InSync), ("us-west-2", InProgress)];
    assert_eq!(planned(&wants, &making), (String::new(), false, kept("us-west-2")));
    let did_not = [("us-east-1", InProgress), ("us-west-2", failed())];
    assert_eq!(planned(&wants, &did_not), ("+us-west-2".to_owned(), false, kept("us-west-2")));
    assert_eq!(planned(&wants, &[("us-east-1", InSync), ("us-west-2", InSync)]), at_once("-us-east-1"));
    assert_eq!(planned(&[], &[("us-east-1", InSync)]), at_once("-us-east-1"), "none are wanted");
    // There is no copy that could be lost.
    assert_eq!(planned(&wants, &[("us-east-1", failed())]), at_once("+us-west-2 -us-east-1"));
    // What is made anew is not there in between.
    let other_key = [("us-west-2", Some("alias/other"))];
    let both = [("us-east-1", InSync), ("us-west-2", InSync)];
    assert_eq!(planned(&other_key, &both), ("-us-west-2 +us-west-2".to_owned(), true, kept("us-west-2")));
}

#[test]
fn what_is_made_anew_with_another_key_is_removed_when_the_others_are_asked_for() {
    let wants = [("us-east-1", Some("alias/other")), ("us-west-2", None)];
    let (actions, loses, _) = planned(&wants, &[("us-east-1", ReplicaStatus::InSync)]);
    assert_eq!((actions.as_str(), loses), ("+us-west-2 -us-east-1 +us-east-1", true));
    let (actions, loses, _) = planned(&wants, &[("us-east-1", failed()), ("us-west-2", ReplicaStatus::InSync)]);
    assert_eq!((actions.as_str(), loses), ("-us-east-1 +us-east-1", false), "one that failed is no copy");
}

#[test]
fn what_a_plan_has_kept_is_not_left_to_be_done_and_everything_else_is() {
    let desired = declared(&[("us-west-2", None)]);
    let plan_of = |live: &Live| plan(&desired, live, &ValueFacts::default(), &Rules::default()).0;
    let in_sync = |names: &[&'static str]| {
        there(&desired, &names.iter().map(|name| (*name, ReplicaStatus::InSync)).collect::<Vec<_>>())
    };
    let before = in_sync(&["us-east-1"]);
    let left = |written: &Plan, before: &Live, now: &Live| {
        let mut again = plan_of(now);
        let kept = leave_kept_replicas(&mut again, before, written.secrets.iter());
        let regions = again.secrets.iter().flat_map(|secret| &secret.actions).flat_map(|action| match action {
            Action::RemoveReplicas { regions } => regions.iter().map(ToString::to_string).collect(),
            other => vec![other.operation().to_owned()],
        });
        (kept.len(), regions.collect::<Vec<_>>())
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(left(&plan_of(&before), &before, &in_sync(&["us-east-1", "us-west-2"])), (1, none));
    // One that somebody has added meanwhile, and one that was to go and is there still.
    let more = in_sync(&["ap-south-1", "us-east-1", "us-west-2"]);
    assert_eq!(left(&plan_of(&before), &before, &more), (1, vec!["ap-south-1".to_owned()]));
    let both = in_sync(&["us-east-1", "us-west-2"]);
    assert_eq!(left(&plan_of(&both), &both, &both), (0, vec!["us-east-1".to_owned()]));
}

/// Whether a replica that may overwrite, or may not, destroys the secret that is there; else whose that is.
fn overwrites(overwrite: bool, there: Option<LiveSecret>) -> Result<bool, String> {
    let mut desired = bare_desired("app/", &["app/db"]);
    let replica = DesiredReplica { kms_key_id: None, overwrite, origin: at(4) };
    for secret in desired.secrets.values_mut() {
        let value = Some(BTreeMap::from([(region("us-east-1"), replica.clone())]));
        secret.replicas = Some(Declared { value, origin: at(3) });
    }
    let mut live = live(vec![ours(&desired, "app/db")]);
    live.other_regions.insert((region("us-east-1"), name("app/db")), there);
    let (plan, report) = plan(&desired, &live, &ValueFacts::default(), &Rules::default());
    let refused = report.findings.iter().find_map(|finding| match &finding.kind {
        FindingKind::OverwritesForeign { owner, .. } => Some(owner.clone()),
        _ => None,
    });
    let mut actions = plan.secrets.iter().flat_map(|secret| &secret.actions);
    let made = actions.find_map(|action| match action {
        Action::Replicate { overwrite, .. } => Some(*overwrite),
        _ => None,
    });
    made.ok_or_else(|| refused.unwrap_or_default())
}

#[test]
fn a_replica_takes_the_place_of_what_is_nobodys_or_ours_where_that_is_said() {
    let bare = || LiveSecret::bare("app/db");
    assert_eq!(overwrites(true, None), Ok(false), "there is nothing");
    assert_eq!(overwrites(true, Some(bare())), Ok(true));
    assert_eq!(overwrites(false, Some(bare())), Ok(false), "AWS refuses it then");
    let own = ours(&bare_desired("app/", &[]), "app/db");
    assert_eq!(overwrites(true, Some(own)), Ok(true));
    // What shows as a replica of this very region's secret is that replica.
    assert_eq!(overwrites(true, Some(LiveSecret { primary_region: Some(region("eu-west-1")), ..bare() })), Ok(false));
    // A primary with replicas of its own names its own region, and is a secret like others.
    assert_eq!(overwrites(true, Some(LiveSecret { primary_region: Some(region("us-east-1")), ..bare() })), Ok(true));
}

#[test]
fn a_replica_never_takes_the_place_of_what_is_anothers() {
    let bare = || LiveSecret::bare("app/db");
    let service = LiveSecret { owning_service: Some("rds".to_owned()), ..bare() };
    assert_eq!(overwrites(true, Some(service)), Err("rds".to_owned()));
    let replica = LiveSecret { primary_region: Some(region("us-west-2")), ..bare() };
    assert!(overwrites(true, Some(replica)).is_err_and(|owner| owner.contains("us-west-2")));
    let mut foreign = bare();
    foreign.tags.insert(TagKey::of_service(OWNER_TAG), "till/dev".to_owned());
    assert_eq!(overwrites(true, Some(foreign)), Err("till/dev".to_owned()));
}
