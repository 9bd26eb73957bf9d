//! Which part of a plan waits for other accounts.

use std::collections::BTreeSet;

use super::{at, name, names};
use crate::desired::Restriction;
use crate::domain::Arn;
use crate::live::LiveSecret;
use crate::plan::{
    Action, Change, Leaving, LinkReason, Move, OtherArn, Plan, PlannedLink, Replacement, SecretPlan, Verb, stages,
};

fn later() -> OtherArn {
    OtherArn::Later { target: "other".to_owned(), name: name("app/db"), account: None }
}

fn known() -> OtherArn {
    OtherArn::Known(Arn::of_service("arn:aws:secretsmanager:eu-west-1:222222222222:secret:app/db-AbCdEf"))
}

fn linked(secret: &str, replica: OtherArn, others: Vec<Action>) -> SecretPlan {
    let link = PlannedLink { replica, restriction: Restriction::SameOrg, role: None };
    let change = Change::CrossAccountReplica {
        before: None,
        after: Some(link.clone()),
        reason: LinkReason::Added,
        origin: at(3),
    };
    let ended = Change::CrossAccountPrimary { before: None, after: None, origin: at(3) };
    let actions = others.into_iter().chain([Action::Associate(link)]).collect();
    SecretPlan {
        changes: vec![change, ended],
        observed: Some(LiveSecret::bare(secret)),
        ..SecretPlan::bare(secret, Verb::Change, actions)
    }
}

#[test]
fn a_link_waits_for_its_replica_and_the_rest_of_its_secret_does_not() {
    let staged = stages(&[Plan::bare(vec![
        linked("app/alone", later(), Vec::new()),
        linked("app/both", later(), vec![Action::Restore]),
        linked("app/known", known(), vec![Action::Restore]),
    ])]);
    assert_eq!(staged.len(), 2);
    let (first, links) = (&staged[0][0], &staged[1][0]);
    assert_eq!(names(first), ["app/both", "app/known"]);
    assert_eq!(names(links), ["app/alone", "app/both"]);
    let operations = |secret: &SecretPlan| secret.actions.iter().map(Action::operation).collect::<Vec<_>>();
    assert_eq!(operations(&first.secrets[0]), ["RestoreSecret"]);
    assert_eq!(operations(&first.secrets[1]), ["RestoreSecret", "AssociateCrossAccountReplica"]);
    assert_eq!(operations(&links.secrets[1]), ["AssociateCrossAccountReplica"]);
    // Each change is told once.
    let of_link = |change: &Change| matches!(change, Change::CrossAccountReplica { .. });
    let counts =
        |secret: &SecretPlan| (secret.changes.iter().filter(|change| of_link(change)).count(), secret.changes.len());
    assert_eq!((counts(&first.secrets[0]), counts(&links.secrets[1])), ((0, 1), (1, 1)));
    // What the first part changes is no change that somebody else made.
    let observed: Vec<bool> = links.secrets.iter().map(|secret| secret.observed.is_some()).collect();
    assert_eq!(observed, [true, false]);
    assert!(links.secrets.iter().all(|secret| secret.verb == Verb::Change && secret.depends_on.is_empty()));
    let waits: Vec<&OtherArn> = links.secrets[0].waits_for().collect();
    assert_eq!(waits, [&later()]);
}

#[test]
fn what_waits_of_a_secret_is_its_link_alone() {
    let whole = SecretPlan {
        depends_on: BTreeSet::from([name("app/needed")]),
        leaving: Leaving { named_by: BTreeSet::from([name("app/other")]), ..Leaving::default() },
        moved: Some(Move::To(Replacement::bare("app/new"))),
        verb: Verb::Adopt,
        ..linked("app/both", later(), vec![Action::Restore])
    };
    let staged = stages(&[Plan::bare(vec![whole.clone()])]);
    let (first, link) = (&staged[0][0].secrets[0], &staged[1][0].secrets[0]);
    assert_eq!((first.verb, &first.depends_on, &first.leaving), (Verb::Adopt, &whole.depends_on, &whole.leaving));
    assert!(first.moved_to().is_some(), "what takes its place is looked for before anything is written");
    assert_eq!((link.verb, &link.depends_on, &link.leaving), (Verb::Change, &BTreeSet::new(), &Leaving::default()));
    assert!(link.moved.is_none());
}

/// A secret that is made a replica of `app/db` of another target.
fn replica(secret: &str) -> SecretPlan {
    SecretPlan::bare(secret, Verb::Create, vec![Action::bare_create(None, Some(later()))])
}

#[test]
fn a_replica_that_is_made_waits_for_its_primary() {
    let replica = replica("app/replica");
    assert_eq!(replica.waits_for().collect::<Vec<_>>(), [&later()]);
    assert_eq!(linked("app/db", known(), Vec::new()).waits_for().collect::<Vec<_>>(), [&known()]);
}

#[test]
fn without_what_waits_for_others_a_plan_has_what_can_be_done_alone() {
    let needs = |secret: &str, needed: &str| SecretPlan {
        depends_on: BTreeSet::from([name(needed)]),
        ..SecretPlan::bare(secret, Verb::Change, vec![Action::Restore])
    };
    let plan = Plan::bare(vec![
        SecretPlan::bare("app/alone", Verb::Change, vec![Action::Restore]),
        linked("app/both", later(), vec![Action::Restore]),
        linked("app/link", later(), Vec::new()),
        needs("app/needs-replica", "app/replica"),
        needs("app/needs-that", "app/needs-replica"),
        replica("app/replica"),
    ]);
    let without = |targets: &[&str]| {
        let (plan, late) = plan.without_waiting(&targets.iter().copied().collect());
        let late: Vec<String> = late.iter().map(|name| name.as_str().to_owned()).collect();
        (names(&plan).join(" "), late.join(" "))
    };
    let all = "app/alone app/both app/link app/needs-replica app/needs-that app/replica";
    assert_eq!(without(&["dev", "other"]), (all.to_owned(), String::new()));
    let late = "app/both app/link app/needs-replica app/needs-that app/replica";
    assert_eq!(without(&["dev"]), ("app/alone app/both".to_owned(), late.to_owned()));
}
