//! Counts and cost, of everything or by target, owner and tag.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::{AuditFinding, Entry, Inventory, TargetInventory};
use crate::desired::{AuditKind, Severity};
use crate::domain::TagKey;
use crate::plan::LIST_PRICE_CENTS;
use crate::sort_few::SortFew as _;

/// Counts and cost of some secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many secrets there are.
    pub secrets: usize,
    /// How many AWS bills.
    pub billed: u64,
    /// Secrets that nobody reads.
    pub unused: usize,
    /// How many AWS bills for those.
    pub unused_billed: u64,
    /// Findings by severity.
    pub findings: BTreeMap<Severity, usize>,
}

impl Totals {
    fn add(&mut self, entry: &Entry) {
        self.secrets += 1;
        self.billed += entry.billed;
        let mut kinds = entry.findings.iter().map(AuditFinding::kind);
        if kinds.any(|kind| matches!(kind, AuditKind::Unused | AuditKind::NeverRead)) {
            self.unused += 1;
            self.unused_billed += entry.billed;
        }
        for finding in &entry.findings {
            *self.findings.entry(finding.severity()).or_default() += 1;
        }
    }

    /// What they cost a month by the list price, in US cents, requests apart.
    pub fn monthly_cents(&self) -> u64 {
        self.billed * LIST_PRICE_CENTS
    }

    /// What those cost a year that nobody reads, in US cents.
    pub fn unused_yearly_cents(&self) -> u64 {
        self.unused_billed * LIST_PRICE_CENTS * 12
    }
}

/// What totals are grouped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// The target.
    Target,
    /// Who manages the secret.
    Owner,
    /// The value of a tag.
    Tag(TagKey),
}

/// Text that names no grouping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("totals are grouped by `target`, `owner` or a tag as `tag:KEY`")]
pub struct NotAGrouping;

impl FromStr for GroupBy {
    type Err = NotAGrouping;

    fn from_str(text: &str) -> Result<Self, NotAGrouping> {
        match (text, text.strip_prefix("tag:")) {
            ("target", _) => Ok(Self::Target),
            ("owner", _) => Ok(Self::Owner),
            (_, Some(key)) if !key.is_empty() => Ok(Self::Tag(TagKey::of_service(key))),
            _ => Err(NotAGrouping),
        }
    }
}

impl GroupBy {
    fn name(&self, target: &TargetInventory, entry: &Entry) -> Option<String> {
        match self {
            Self::Target => Some(target.name.clone()),
            Self::Owner => Some(match entry.owner.name() {
                Some(name) => format!("{} {name}", entry.owner.word()),
                None => entry.owner.word().to_owned(),
            }),
            Self::Tag(key) => entry.secret.tags.get(key).cloned(),
        }
    }
}

/// Totals of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name; none for secrets without the tag.
    pub name: Option<String>,
    /// Its totals.
    pub totals: Totals,
}

impl Inventory {
    /// Everything together.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.entries().for_each(|(_, entry)| totals.add(entry));
        totals
    }

    /// The totals of groups, the dearest first.
    pub fn groups(&self, by: &GroupBy) -> Vec<Group> {
        let mut groups: BTreeMap<Option<String>, Totals> = BTreeMap::new();
        for (target, entry) in self.entries() {
            groups.entry(by.name(target, entry)).or_default().add(entry);
        }
        let mut groups: Vec<Group> = groups.into_iter().map(|(name, totals)| Group { name, totals }).collect();
        groups.sort_few_by_key(|group| std::cmp::Reverse(group.totals.billed));
        groups
    }
}
