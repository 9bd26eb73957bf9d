//! Which calls a plan makes beside the list, and of which secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use futures::executor::block_on;
use jiff::Timestamp;

use super::{audit, only_listed, read_leaving, replicas_over_unknown_places, wanted};
use crate::desired::{Declared, Deletion, DesiredReplica, RenamedFrom, State};
use crate::domain::{Region, SecretName, VersionId};
use crate::live::in_memory::InMemory;
use crate::live::{Live, LivePolicy, LiveSecret, Seen};
use crate::origin::Origin;
use crate::plan::bare::bare_desired;
use crate::plan::{
    Action, Change, Finding, FindingKind, MoveObstacle, Plan, PlanReport, ReplicaKey, ReplicaReason, Rules, SecretPlan,
    Selection, Verb,
};

fn name(name: &str) -> SecretName {
    SecretName::new(name)
}

fn region(name: &str) -> Region {
    Region::of_service(name)
}

fn at(line: u32) -> Origin {
    Origin::new(Path::new("app.yaml"), line, 1)
}

fn live(secrets: &[LiveSecret]) -> Live {
    let secrets = secrets.iter().map(|secret| (secret.name.clone(), secret.clone())).collect();
    Live { region: region("eu-west-1"), secrets, ..Live::default() }
}

fn of_names(names: &BTreeSet<SecretName>) -> Vec<&str> {
    names.iter().map(SecretName::as_str).collect()
}

#[test]
fn an_audit_looks_at_what_is_in_reach_here_and_stays() {
    let secrets = [
        LiveSecret { policy: LivePolicy::Unparsable("x".to_owned()), ..LiveSecret::bare("app/listed") },
        LiveSecret { seen: Seen::Described, ..LiveSecret::bare("app/described") },
        LiveSecret { policy: LivePolicy::None, seen: Seen::Described, ..LiveSecret::bare("app/read") },
        LiveSecret { primary_region: Some(region("us-east-1")), ..LiveSecret::bare("app/replica") },
        LiveSecret { deleted_at: Some(Timestamp::UNIX_EPOCH), ..LiveSecret::bare("app/leaving") },
        LiveSecret::bare("app/not-chosen"),
        LiveSecret::bare("other/db"),
    ];
    let reader = InMemory::new(secrets.clone());
    let mut listed = live(&secrets);
    // The list does not show policies.
    listed.secrets.insert(name("app/listed"), LiveSecret::bare("app/listed"));
    let chosen = ["app/listed", "app/described", "app/read", "app/replica", "app/leaving", "other/db"].map(name);
    let rules = Rules { selection: Selection::exactly(&chosen), as_of: None };
    let done = block_on(audit(&reader, &bare_desired("app/", &[]), &rules, &mut listed, &|_| {}));
    assert!(done.is_ok() && listed.audited);
    assert_eq!(
        reader.calls(),
        [
            "DescribeSecret app/listed",
            "GetResourcePolicy app/listed",
            "ListResourcePolicies app/described",
            "ListResourcePolicies app/listed",
            "ListResourcePolicies app/read",
        ]
    );
    assert_eq!(listed.secrets[&name("app/listed")].policy, LivePolicy::Unparsable("x".to_owned()));
    assert_eq!(listed.secrets[&name("app/described")].policy, LivePolicy::None, "the list of its policies says so");
}

#[test]
fn policies_are_read_of_what_goes_and_has_none_that_is_known() {
    let goes = |name: &str, policy: LivePolicy| SecretPlan {
        observed: Some(LiveSecret { policy, ..LiveSecret::bare(name) }),
        ..SecretPlan::bare(name, Verb::Delete, Vec::new())
    };
    let changes = SecretPlan { verb: Verb::Change, ..goes("app/changed", LivePolicy::NotRead) };
    let force = vec![Action::Delete { deletion: Deletion::Force }];
    let anew = SecretPlan { verb: Verb::Change, actions: force, ..goes("app/anew", LivePolicy::NotRead) };
    let known = goes("app/known", LivePolicy::None);
    let secrets = ["app/anew", "app/changed", "app/goes", "app/known"].map(LiveSecret::bare);
    let reader = InMemory::new(secrets.clone());
    let mut live = live(&secrets);
    let plan = Plan::bare(vec![anew, changes.clone(), goes("app/goes", LivePolicy::NotRead), known.clone()]);
    assert_eq!(block_on(read_leaving(&reader, &plan, &mut live, &|_| {})).ok(), Some(true));
    assert_eq!(reader.calls(), ["GetResourcePolicy app/anew", "GetResourcePolicy app/goes"]);
    assert_eq!(live.secrets[&name("app/goes")].policy, LivePolicy::None);
    let plan = Plan::bare(vec![changes, known]);
    assert_eq!(
        block_on(read_leaving(&reader, &plan, &mut live, &|_| {})).ok(),
        Some(false),
        "there is nothing to read"
    );
    assert_eq!(reader.calls(), Vec::<String>::new());
}

#[test]
fn policies_and_replicas_are_wanted_of_what_is_to_exist_and_declares_them() {
    let mut desired = bare_desired("app/", &["app/both", "app/gone", "app/neither", "app/new"]);
    for secret in ["app/both", "app/gone"] {
        let secret = desired.secrets.get_mut(&name(secret)).expect("it is one of them");
        secret.policy = Some(Declared { value: None, origin: at(3) });
        secret.replicas = Some(Declared { value: None, origin: at(3) });
    }
    desired.secrets.get_mut(&name("app/gone")).expect("it is one of them").state = State::Absent;
    let moved = desired.secrets.get_mut(&name("app/new")).expect("it is one of them");
    moved.renamed_from = Some(RenamedFrom { name: name("app/old"), origin: at(2) });
    moved.depends_on = BTreeSet::from([name("app/needed")]);
    let wanted_of = |selection: &Selection| {
        let wanted = wanted(&desired, selection);
        (wanted.names.clone(), wanted.policies.clone(), wanted.replicated.clone(), wanted.names_only)
    };
    let (names, policies, replicated, names_only) = wanted_of(&Selection::default());
    assert_eq!(of_names(&names), ["app/both", "app/gone", "app/needed", "app/neither", "app/new", "app/old"]);
    // Of an old name, what stays behind is said.
    assert_eq!(of_names(&policies), ["app/both", "app/old"]);
    assert_eq!(of_names(&replicated), ["app/both", "app/old"]);
    assert!(!names_only);
    let chosen = Selection::exactly([&name("app/neither"), &name("app/orphan"), &name("other/db")]);
    let (names, policies, _, names_only) = wanted_of(&chosen);
    assert_eq!((of_names(&names), of_names(&policies)), (vec!["app/neither", "app/orphan"], Vec::new()));
    assert!(names_only);
}

#[test]
fn what_a_plan_rests_on_is_described_when_only_a_list_has_shown_it() {
    let change = |name: &str| SecretPlan::bare(name, Verb::Change, Vec::new());
    let report = PlanReport {
        findings: [
            FindingKind::MoveRefused { from: name("app/refused"), obstacle: MoveObstacle::NotDeletable },
            FindingKind::MoveWaits { from: name("app/waits"), version: VersionId::of_service("v2") },
            FindingKind::Unmanaged { last_changed: None },
        ]
        .into_iter()
        .zip(["app/a", "app/b", "app/unmanaged"])
        .map(|(kind, secret)| Finding { secret: name(secret), origin: None, kind })
        .collect(),
        ..PlanReport::default()
    };
    let listed = ["app/a", "app/b", "app/changed", "app/refused", "app/unmanaged", "app/waits"].map(LiveSecret::bare);
    let mut live = live(&listed);
    live.secrets.insert(name("app/known"), LiveSecret { seen: Seen::Described, ..LiveSecret::bare("app/known") });
    let plan = Plan::bare(vec![change("app/changed"), change("app/known"), change("app/made")]);
    let unknown = only_listed(&plan, &report, &live);
    assert_eq!(of_names(&unknown), ["app/a", "app/b", "app/changed", "app/refused", "app/waits"]);
}

#[test]
fn places_are_looked_at_where_a_replica_is_made_that_may_overwrite() {
    let replica = |region_name: &str, after: Option<ReplicaKey>| Change::Replica {
        region: region(region_name),
        before: None,
        after,
        reason: ReplicaReason::Added,
        origin: at(3),
    };
    let declared = |overwrite| DesiredReplica { kms_key_id: None, overwrite, origin: at(3) };
    let mut desired = bare_desired("app/", &["app/db"]);
    let regions = [("us-east-1", true), ("us-east-2", true), ("us-west-1", false), ("us-west-2", true)];
    let regions: BTreeMap<_, _> =
        regions.into_iter().map(|(at, overwrite)| (region(at), declared(overwrite))).collect();
    for secret in desired.secrets.values_mut() {
        secret.replicas = Some(Declared { value: Some(regions.clone()), origin: at(3) });
    }
    let made = |at: &str| replica(at, Some(ReplicaKey::Default));
    let changes = vec![made("us-east-1"), made("us-east-2"), made("us-west-1"), replica("us-west-2", None)];
    let plan = Plan::bare(vec![SecretPlan { changes, ..SecretPlan::bare("app/db", Verb::Change, Vec::new()) }]);
    let mut live = live(&[]);
    live.other_regions.insert((region("us-east-2"), name("app/db")), None);
    let places = replicas_over_unknown_places(&desired, &live, &plan);
    assert_eq!(places, [(region("us-east-1"), name("app/db"))]);
}
