//! Which part of a plan waits for other accounts.

use super::{at, name, names};
use crate::desired::Restriction;
use crate::domain::Arn;
use crate::live::LiveSecret;
use crate::plan::{Action, Change, LinkReason, OtherArn, Plan, PlannedLink, SecretPlan, Verb, stages};

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
