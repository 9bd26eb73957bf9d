//! What a replica may take the place of in its region.

use std::collections::BTreeMap;

use super::{at, live, name, ours, region};
use crate::desired::{Declared, Desired, DesiredReplica, OWNER_TAG};
use crate::domain::TagKey;
use crate::live::LiveSecret;
use crate::plan::{Action, FindingKind, Rules, ValueFacts, plan};

/// Whether a replica that may overwrite, or may not, destroys the secret that is there; else whose that is.
fn overwrites(overwrite: bool, there: Option<LiveSecret>) -> Result<bool, String> {
    let mut desired = Desired::bare("app/", &["app/db"]);
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
    let own = ours(&Desired::bare("app/", &[]), "app/db");
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
