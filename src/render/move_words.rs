//! What comes along when a secret takes another one's place, what stays behind, and with which value one comes back, in
//! a few words.

use super::escape::{self, Escaped, Terminal};
use super::{count, escaped};
use crate::domain::VersionId;
use crate::plan::{CarriedVersion, LeftBehind, OtherValue};

/// What does not come along when a secret takes another one's place: what no manifest declares, and what nothing can
/// carry over.
pub(super) fn left_behind(left: &[LeftBehind]) -> Escaped<Terminal> {
    let declared = left.iter().map(|left| -> Escaped<Terminal> {
        match left {
            LeftBehind::CurrentValue(id) => {
                let why = if id.is_generated() {
                    "with a generated part that only it has"
                } else {
                    "which did not come from git"
                };
                escaped!("the current version {}, {}", escape::line(id.as_str()), why)
            }
            LeftBehind::Labelled(id, labels) => {
                let labels = labels.iter().map(|label| escape::line(label.as_str()));
                escaped!("the version {} ({})", escape::line(id.as_str()), Escaped::join(labels, ", "))
            }
            LeftBehind::OlderVersions(number) => escaped!("{}", count(*number, "older version")),
            LeftBehind::Description => escaped!("the description"),
            LeftBehind::KmsKey(key) => escaped!("the KMS key {}", escape::line(key.as_str())),
            LeftBehind::Tags(keys) => {
                escaped!("the tags {}", Escaped::join(keys.iter().map(|key| escape::line(key.as_str())), ", "))
            }
            LeftBehind::Policy => escaped!("the policy"),
            LeftBehind::Rotation => escaped!("the rotation"),
            LeftBehind::Replicas(regions) => {
                let regions = regions.iter().map(|region| escape::line(region.as_str()));
                escaped!("the replicas in {}", Escaped::join(regions, ", "))
            }
            LeftBehind::Protection => escaped!("the protection"),
        }
    });
    let always = ["versions without a label", "the creation date", "the ARN"].map(Escaped::from);
    Escaped::join(declared.chain(always), ", ")
}

/// The value that a restored secret has, where another one goes with another value.
pub(super) fn restored_value(other: &OtherValue) -> Escaped<Terminal> {
    let OtherValue { of, deleted } = other;
    let when =
        deleted.map(|date| -> Escaped<Terminal> { escaped!(", {}", escape::time::<Terminal>(date, "%Y-%m-%d")) });
    escaped!(
        "its value is the one that it had when it was scheduled for deletion{}; {} has another version",
        when,
        escape::line(of.as_str())
    )
}

/// A version that comes along, in a few words.
pub(super) fn carried(version: &CarriedVersion, there: bool) -> Escaped<Terminal> {
    let CarriedVersion { from, version, to, current, labels } = version;
    let labels = labels.iter().map(|label| escape::line(label.as_str()));
    let labels = current.then(|| escaped!("AWSCURRENT")).into_iter().chain(labels);
    let renamed = (version != to).then(|| -> Escaped<Terminal> { escaped!(" as {}", escape::line(to.as_str())) });
    let done = if there { ": is there, and is compared once more" } else { "" };
    let (from, version) = (escape::line(from.as_str()), escape::line(version.as_str()));
    escaped!("copied from {}, version {} ({}){}{}", from, version, Escaped::join(labels, ", "), renamed, done)
}

/// The new name has a newer value than the one that comes along.
pub(super) fn stays_current(stays: &VersionId) -> Escaped<Terminal> {
    escaped!("AWSCURRENT stays on {}, which the old one never had", escape::line(stays.as_str()))
}
