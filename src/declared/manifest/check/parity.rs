//! Values of one manifest that have other keys in one target than in the others: often a key that was added to one file
//! and forgotten in the next.

use std::collections::{BTreeMap, BTreeSet};

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::source::Span;
use super::dependencies::Built;
use crate::collect::CollectSet as _;
use crate::domain::SecretName;

/// The most keys that a message names.
const MOST_NAMED: usize = 5;

/// The keys of values, by the manifest that they come from and the item of its list.
#[derive(Default)]
pub(crate) struct ValueKeys(BTreeMap<(Span, Option<Span>), Vec<OfTarget>>);

/// The keys in one target.
struct OfTarget {
    target: String,
    name: SecretName,
    keys: BTreeSet<String>,
    span: Span,
}

impl ValueKeys {
    /// Adds the secrets of a target.
    pub(crate) fn add(&mut self, target: &str, secrets: &BTreeMap<SecretName, Built>) {
        for built in secrets.values() {
            let Some((keys, span)) = &built.value_keys else { continue };
            self.0.entry((built.name_span, built.item)).or_default().push(OfTarget {
                target: target.to_owned(),
                name: built.secret.name.clone(),
                keys: keys.clone(),
                span: *span,
            });
        }
    }

    /// Warns where keys are missing that the same manifest's value has in another target.
    pub(crate) fn compare(&self, report: &mut Report) {
        for targets in self.0.values() {
            let all: BTreeSet<&String> = targets.iter().flat_map(|target| &target.keys).collect_set();
            for OfTarget { target, name, keys, span } in targets {
                let missing: Vec<&str> =
                    all.iter().filter(|key| !keys.contains(**key)).map(|key| key.as_str()).collect();
                let Some(first) = missing.first() else { continue };
                let has = targets.iter().find(|other| other.keys.contains(*first));
                let has = has.map_or_else(String::new, |other| format!(", which it has in `{}`", other.target));
                let more = missing.len().saturating_sub(MOST_NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let named = missing[..missing.len().min(MOST_NAMED)].join(", ");
                let message = format!("the value of `{name}` in target `{target}` lacks {named}{more}{has}");
                report.push(
                    Problem::new(&codes::VALUE_PARITY, *span, message.clone())
                        .label("has other keys elsewhere")
                        .help("put the same keys into each target's value, `null` where there is nothing to say")
                        .masked(true)
                        .about(message),
                );
            }
        }
    }
}
