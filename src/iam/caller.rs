//! What belongs to whoever runs keywright, whatever role a target assumes.

use std::collections::BTreeSet;

use super::document::{Draft, Permission};
use super::keys::Keys;
use super::{Purpose, Scope};
use crate::value::SopsKey;

/// Adds the role of a target (STS AssumeRole).
pub(super) fn add_role(role: &str, draft: &mut Draft) {
    draft.add(Permission::new("AssumeRoles", ["sts:AssumeRole"]).on([role.to_owned()]));
}

/// Adds the keys of SOPS files, where values are decrypted: an apply does, and a comparison with live values. A file
/// may ask for a role to be assumed for its key; then the key is that role's business.
pub(super) fn add_sops(keys: &BTreeSet<SopsKey>, scope: Scope, draft: &mut Draft) {
    if scope.purpose != Purpose::Apply && !scope.read_values {
        return;
    }
    let own = keys.iter().filter(|key| key.role.is_none()).map(|key| key.arn.as_str());
    Keys::of_arns(own).add("DecryptSopsFiles", &["kms:Decrypt"], &[], draft);
    let roles = keys.iter().filter_map(|key| key.role.clone());
    draft.add(Permission::new("AssumeSopsRoles", ["sts:AssumeRole"]).on(roles));
}
