//! Known noise of a command line (`--ignore`), with the targets that each is for.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::error::{Error, ErrorKind};
use crate::desired::Ignore;
use crate::domain::SecretName;
use crate::manifest::Outline;

/// Known noise, with the names of the targets that each is for; none for all.
pub(super) struct Noise<'a, K>(Vec<(&'a Ignore<K>, Option<BTreeSet<String>>)>);

impl<'a, K: Copy + PartialEq> Noise<'a, K> {
    pub(super) fn of(ignored: &'a [Ignore<K>], outline: Option<&Outline>) -> Result<Self, Error> {
        let wrong = |words: String| Error::from(ErrorKind::WrongFlag { flag: "ignore" }).because(words);
        let members = |text: &str| outline.map_or_else(|| Ok(BTreeSet::new()), |outline| outline.members(text));
        let with_targets = |ignore: &'a Ignore<K>| {
            let targets = ignore.targets().map(members).transpose().map_err(wrong)?;
            Ok((ignore, targets))
        };
        ignored.iter().map(with_targets).collect::<Result<_, Error>>().map(Self)
    }

    /// Whether what is found of a secret of a target is known noise at this time.
    pub(super) fn excuses(&self, target: &str, kind: K, secret: &SecretName, now: Timestamp) -> bool {
        let is_for = |targets: &Option<BTreeSet<String>>| targets.as_ref().is_none_or(|all| all.contains(target));
        self.0.iter().any(|(ignore, targets)| is_for(targets) && ignore.excuses(kind, secret, now))
    }
}
