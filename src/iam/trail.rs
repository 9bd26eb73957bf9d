//! What CloudTrail needs to be asked who made a change.

use super::Scope;
use super::document::{Draft, Permission};

/// Adds the permission of `--who`. LookupEvents has no resource type and no condition keys (service authorization
/// reference of CloudTrail).
pub(super) fn add(scope: Scope, draft: &mut Draft) {
    if scope.who {
        draft.add(Permission::new("LookUpEvents", ["cloudtrail:LookupEvents"]).on_everything());
    }
}
