//! A secret would take another one's place: the old one is deleted once the new one is verified. Whoever reads it by
//! its old name or ARN then finds nothing.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::plan::SecretPlan;

pub(super) const DELETES: Guard = Guard {
    name: "move-deletes-old",
    flag: Some(&MOVE),
    words: "a secret would be deleted under its old name once the new one is verified: whoever reads it by the old \
            name or ARN finds nothing then",
    check: Check::Secret(deletes_old),
};

const MOVE: Flag = Flag::switch("allow-moves", "Delete secrets under their old names (metadata.renamedFrom)");

pub(super) const COPIES: Guard = Guard {
    name: "copy-value",
    flag: Some(&COPY),
    words: "the value of a secret would be read, and put under its new name",
    check: Check::Secret(copies_a_value),
};

const COPY: Flag =
    Flag::switch("allow-copy-values", "Read values and put them under the new names of secrets (metadata.renamedFrom)");

fn deletes_old(_: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    secret.moved_from().is_some()
}

fn copies_a_value(_: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    secret.carried().next().is_some()
}
