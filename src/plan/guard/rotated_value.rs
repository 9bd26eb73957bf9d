//! Git's value would replace a version that a rotation made: that version may be the only credential that works.

use super::{Check, Flag, Guard, GuardedTarget};
use crate::plan::SecretPlan;

pub(super) const GUARD: Guard = Guard {
    name: "undo-rotation",
    flag: Some(&FLAG),
    words: "git's value would replace one that a rotation made, which may be the only credential that works \
            (ownership: seed leaves it alone)",
    check: Check::Secret(undoes_a_rotation),
};

const FLAG: Flag = Flag::switch("allow-undo-rotation", "Put git's value back over one that a rotation made");

fn undoes_a_rotation(_: &GuardedTarget<'_>, secret: &SecretPlan) -> bool {
    // Of a secret that takes another one's place, it is the other one that was rotated.
    let made_by_rotation = secret
        .in_use()
        .is_some_and(|live| live.rotation.last.is_some() && live.current_version().is_some_and(|id| !id.is_ours()));
    made_by_rotation && (secret.puts_current_value() || secret.moved_from().is_some() && secret.gets_value_of_git())
}
