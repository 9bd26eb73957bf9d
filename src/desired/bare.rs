//! Desired states for tests: what a manifest that says nothing but names comes to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use globset::GlobSet;

use super::{Deletion, Desired, DesiredSecret, GuardLimits, Place, Prune, Scope, State, TagPatterns, Target};
use crate::domain::{Region, SecretName};
use crate::origin::Origin;

impl Desired {
    /// The project `shop` in the target `dev`, whose manifests name these secrets and say no more of them.
    pub(crate) fn bare(scope: &str, names: &[&str]) -> Self {
        Self {
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
            targets: BTreeMap::from([(
                "dev".to_owned(),
                Place { account: None, region: Region::of_service("eu-west-1") },
            )]),
            scope: Scope::new([scope.to_owned()]),
            prune: Prune::Report,
            prune_window_days: 30,
            ignore_tags: TagPatterns::new(GlobSet::empty()),
            guards: GuardLimits::default(),
            audit: super::AuditRules::default(),
            value_owner_tag: None,
            skipped: Vec::new(),
            of_other_targets: BTreeMap::new(),
            lists: Vec::new(),
            secrets: names.iter().map(|name| (SecretName::new(*name), DesiredSecret::bare(name))).collect(),
        }
    }
}

impl DesiredSecret {
    /// A secret of which a manifest says that it exists, in line 7 of `app.yaml`.
    pub(crate) fn bare(name: &str) -> Self {
        Self {
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
}
