//! Desired states, plans and their parts with nothing in them but a name, for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use globset::GlobSet;

use super::{Action, Leaving, OtherArn, Plan, PlannedValue, Replacement, SecretPlan, Verb};
use crate::desired::{
    AuditRules, Deletion, Desired, DesiredSecret, GuardLimits, Place, Prune, Scope, State, TagPatterns, Target,
};
use crate::domain::{Region, SecretName};
use crate::origin::Origin;

/// The project `shop` in the target `dev`, whose manifests name these secrets and say no more of them.
pub(crate) fn bare_desired(scope: &str, names: &[&str]) -> Desired {
    Desired {
        project: "shop".to_owned(),
        target: Target {
            name: "dev".to_owned(),
            account: None,
            region: Region::of_service("eu-west-1"),
            assume_role: None,
            profile: None,
            endpoint_url: None,
            origin: Origin::new(Path::new("app.yaml"), 1, 1),
        },
        targets: BTreeMap::from([("dev".to_owned(), Place { account: None, region: Region::of_service("eu-west-1") })]),
        scope: Scope::new([scope.to_owned()]),
        prune: Prune::Report,
        prune_window_days: 30,
        ignore_tags: TagPatterns::new(GlobSet::empty()),
        guards: GuardLimits::default(),
        audit: AuditRules::default(),
        value_owner_tag: None,
        skipped: Vec::new(),
        left_out: Arc::default(),
        of_other_targets: BTreeMap::new(),
        lists: Vec::new(),
        secrets: names.iter().map(|name| (SecretName::new(*name), bare_secret(name))).collect(),
    }
}

/// A secret of which a manifest says that it exists, in line 7 of `app.yaml`.
pub(crate) fn bare_secret(name: &str) -> DesiredSecret {
    DesiredSecret {
        name: SecretName::new(name),
        origin: Origin::new(Path::new("app.yaml"), 7, 1),
        item: None,
        managed_by: None,
        renamed_from: None,
        state: State::Present,
        protect: None,
        depends_on: BTreeSet::new(),
        description: None,
        kms_key_id: None,
        tags: None,
        policy: None,
        block_public_policy: true,
        deletion: Deletion::Window(30),
        value: None,
        value_expected: true,
        labels: BTreeMap::new(),
        no_labels: None,
        secret_type: None,
        rotation: None,
        replicas: None,
        cross_account_primary: None,
        cross_account_replica: None,
    }
}

impl Plan {
    /// A plan of these secrets, of the project `shop` in the target `dev`.
    pub(crate) fn bare(secrets: Vec<SecretPlan>) -> Self {
        Self {
            project: "shop".to_owned(),
            target: "dev".to_owned(),
            account: None,
            region: Region::of_service("eu-west-1"),
            endpoint: None,
            secrets,
        }
    }
}

impl Replacement {
    /// What takes this name, of which nothing is asked but to be there.
    pub(crate) fn bare(name: &str) -> Self {
        Self {
            name: SecretName::new(name),
            owner_tag: String::new(),
            valued: false,
            versions: BTreeMap::new(),
            outdated: BTreeSet::new(),
        }
    }
}

impl Action {
    /// A secret is made, with a value or as the replica of another account's secret, and with nothing else.
    pub(crate) fn bare_create(value: Option<Box<PlannedValue>>, primary: Option<OtherArn>) -> Self {
        Self::Create {
            description: None,
            kms_key_id: None,
            tags: BTreeMap::new(),
            secret_type: None,
            value,
            replicas: BTreeMap::new(),
            cross_account_primary: primary,
        }
    }
}

impl SecretPlan {
    /// What these actions would do to a secret, without a reader's view of them.
    pub(crate) fn bare(name: &str, verb: Verb, actions: Vec<Action>) -> Self {
        Self {
            name: SecretName::new(name),
            origin: None,
            verb,
            changes: Vec::new(),
            actions,
            depends_on: BTreeSet::new(),
            observed: None,
            leaving: Leaving::default(),
            moved: None,
            item: None,
        }
    }
}
