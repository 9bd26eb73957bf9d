//! What planning knows of values beside the live snapshot, and what version ids say of them. No value is in here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::change::ValueReason;
use crate::desired::VALUE_TAG;
use crate::domain::{SecretName, VersionId};
use crate::live::{LiveSecret, VersionEntry};
use crate::value::{DifferingParts, Edges, Identity, MadeOnce, Source, generated_whole};

/// What is known about the values of one target beside the live snapshot.
#[derive(Clone, Debug, Default)]
pub struct ValueFacts {
    /// The version id that each declared value stands for.
    pub identities: BTreeMap<SecretName, Identity>,
    /// Version ids that the service has although no label shows them (ListSecretVersionIds).
    pub unlabelled: BTreeMap<SecretName, BTreeSet<VersionId>>,
    /// When versions were made (ListSecretVersionIds), of the secrets whose current version is undone.
    pub made: BTreeMap<SecretName, BTreeMap<VersionId, Timestamp>>,
    /// Comparisons of live values with declared ones, where `--read-values` asked for them.
    pub compared: BTreeMap<SecretName, Comparison>,
    /// What stands at the edges of the declared values that were decrypted for that.
    pub edges: BTreeMap<SecretName, Edges>,
    /// Declared secrets, each with one that no manifest names, that both have what git gives the first.
    pub same_of_git: SameOfGit,
}

/// By a declared secret and another one: their versions of one value of git's.
pub type SameOfGit = BTreeMap<(SecretName, SecretName), SameValue>;

/// Two versions with the ids that git's value for a secret has under its name and under another one. A rename copies
/// such a version under the id of the new name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SameValue {
    /// The declared secret's.
    pub here: VersionId,
    /// The other one's.
    pub there: VersionId,
    /// Whether the ids stand for all of the value. Of what is generated they do not: two secrets that were never one
    /// have such a pair of ids too.
    pub whole: bool,
    /// Whether some of it is encrypted in git: two that were never one secret hardly have the same ciphertext.
    pub encrypted: bool,
}

impl SameValue {
    /// Whether both secrets still have it as the current one.
    pub(super) fn is_current(&self, here: &LiveSecret, there: &LiveSecret) -> bool {
        here.current_version() == Some(&self.here) && there.current_version() == Some(&self.there)
    }
}

impl ValueFacts {
    /// Remembers which versions the service has of a secret, and when they were made.
    pub fn learn_versions(&mut self, name: SecretName, versions: Vec<VersionEntry>) {
        let made = versions.iter().filter_map(|version| Some((version.id.clone(), version.created?)));
        self.made.insert(name.clone(), made.collect());
        self.unlabelled.insert(name, versions.into_iter().map(|version| version.id).collect());
    }
}

/// How a live value compares with the declared one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// They are the same.
    Equal,
    /// They are not.
    Differs {
        /// The live text, where its version's id proves that it stood in git: then it is no secret.
        was: Option<String>,
        /// Which parts differ, of a value that is made of parts.
        parts: Option<DifferingParts>,
    },
    /// What is live is no JSON object, so that no generated part of it can be kept.
    NothingToKeep,
    /// One of the two could not be read.
    Unreadable(String),
}

/// Why what is live is made anew, and no generated part of it stays, as far as the id of its version tells: where all
/// of it was in git, or where it was generated in another form. Whoever made a version of no id of ours owns it.
pub(super) fn why_made_anew(source: &Source, live: &LiveSecret) -> Option<ValueReason> {
    let current = live.current_version().filter(|current| current.is_ours())?.clone();
    if !current.is_generated() {
        return Some(ValueReason::NowGenerated { current });
    }
    let is_json = !matches!(source, Source::Generate(_));
    let was_whole = || *live_name_of(&generated_whole(&live.name), Some(live)) == current;
    (!is_json || was_whole()).then_some(ValueReason::NothingToKeep { current })
}

/// Which id git's value has by the tag `keywright:value`, which counts only while the version that it names is current.
fn claimed(observed: Option<&LiveSecret>) -> Option<(&str, &VersionId)> {
    let secret = observed?;
    let (git, live) = secret.tags.get(VALUE_TAG)?.split_once('=')?;
    secret.current_version().filter(|current| **current == live).map(|current| (git, current))
}

/// The id under which git's value is live: the wanted one, or the one that the tag `keywright:value` calls equal to it.
pub(crate) fn live_name_of<'a>(wanted: &'a VersionId, observed: Option<&'a LiveSecret>) -> &'a VersionId {
    claimed(observed).filter(|(git, _)| *wanted == **git).map_or(wanted, |(_, live)| live)
}

/// What the id of the current version says of a value of which a part is made once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// It is the one that git stands for.
    Whole,
    /// It is, but for the names of the generated parts: the id is of a release that did not hash them.
    PlacesUnknown,
    /// It is another one.
    No,
}

impl Held {
    /// What the current version of a secret is to git's value.
    pub(super) fn by(made: &MadeOnce, observed: Option<&LiveSecret>) -> Self {
        let Some(current) = observed.and_then(LiveSecret::current_version) else { return Self::No };
        // All of it was in git, whatever the tag says: up to release 0.2.0 an apply could call it generated.
        if current.is_ours() && !current.is_generated() {
            return Self::No;
        }
        let is = |id: &VersionId| live_name_of(id, observed) == current;
        // Once it is written down what the current version is, its own id has no say any more.
        let has_a_say = |id: &VersionId| claimed(observed).is_none_or(|(git, _)| *id == *git);
        match &made.earlier {
            _ if is(&made.id) => Self::Whole,
            Some(earlier) if has_a_say(earlier) && is(earlier) => Self::PlacesUnknown,
            _ => Self::No,
        }
    }
}
