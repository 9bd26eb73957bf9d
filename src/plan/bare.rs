//! Plans and their parts with nothing in them but a name, for tests.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Leaving, OtherArn, Plan, PlannedValue, Replacement, SecretPlan, Verb};
use crate::domain::{Region, SecretName};

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
