//! What lists find secrets by: the beginnings of names, tags, primary regions and services, and the date of the last
//! change.
//!
//! | table | key | value |
//! |---|---|---|
//! | facets | account, region, what the text is of, text, name | creation date, serial |
//! | changed | account, region, date of the last change, serial | the name |
//!
//! Both follow from the records, and change with them in one transaction.

use std::collections::BTreeSet;

use redb::{ReadableTable as _, TableDefinition};

use super::record::SecretRecord;
use super::store::StoreError;
use super::tables::{Created, Reader, SECRETS, Transaction as _};
use super::transaction::SharedTransaction;
use crate::clock::Moment;
use crate::home::Home;

type FacetKey = (&'static str, &'static str, u8, &'static str, &'static str);

pub(super) const FACETS: TableDefinition<FacetKey, (i64, u64)> = TableDefinition::new("facets");
pub(super) const CHANGED: TableDefinition<(&str, &str, i64, u64), &str> = TableDefinition::new("changed");

/// What secrets are found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Facet {
    Name = 0,
    TagKey = 1,
    TagValue = 2,
    PrimaryRegion = 3,
    OwningService = 4,
}

/// A secret that an index found: its place in the order of creation, and its name.
pub(crate) type Indexed = (Created, String);

/// What a record is found by.
fn facets(record: &SecretRecord) -> BTreeSet<(Facet, &str)> {
    let tags = record.tags.iter().flatten();
    let of_tags = tags.flat_map(|tag| [(Facet::TagKey, tag.key.as_str()), (Facet::TagValue, tag.value.as_str())]);
    let region = record.primary_region().map(|region| (Facet::PrimaryRegion, region));
    let service = record.owning_service.as_deref().map(|service| (Facet::OwningService, service));
    of_tags.chain(region).chain(service).chain([(Facet::Name, record.name.as_str())]).collect()
}

/// Brings the indexes from what a secret was to what it is; none is a secret that was not there, or is there no more.
pub(super) fn follow(
    transaction: &SharedTransaction,
    home: &Home,
    former: Option<&SecretRecord>,
    record: Option<&SecretRecord>,
) -> Result<(), StoreError> {
    let (account, region) = (home.account.as_str(), home.region.as_str());
    let (before, after) = (former.map(facets).unwrap_or_default(), record.map(facets).unwrap_or_default());
    if before != after {
        let mut table = transaction.open(FACETS)?;
        for (facet, text) in before.difference(&after) {
            let name = former.map_or("", |former| former.name.as_str());
            table.remove((account, region, *facet as u8, *text, name))?;
        }
        for ((facet, text), record) in after.difference(&before).zip(std::iter::repeat(record).flatten()) {
            let place = (record.created.0, record.serial);
            table.insert((account, region, *facet as u8, *text, record.name.as_str()), place)?;
        }
    }
    let changed = |record: &SecretRecord| (record.changed.0, record.serial);
    if former.map(changed) != record.map(changed) {
        let mut table = transaction.open(CHANGED)?;
        if let Some((date, serial)) = former.map(changed) {
            table.remove((account, region, date, serial))?;
        }
        if let Some(record) = record {
            table.insert((account, region, record.changed.0, record.serial), record.name.as_str())?;
        }
    }
    Ok(())
}

/// Makes the indexes of a database that has none.
pub(super) fn make(transaction: &SharedTransaction) -> Result<(), StoreError> {
    // A read transaction cannot open a table that was never made.
    transaction.open(FACETS)?;
    transaction.open(CHANGED)?;
    for entry in transaction.table(SECRETS)?.iter()? {
        let (key, stored) = entry?;
        let (account, region, _) = key.value();
        let record: SecretRecord = serde_json::from_slice(stored.value())?;
        follow(transaction, &Home::new(account, region), None, Some(&record))?;
    }
    Ok(())
}

impl Reader<'_> {
    /// The secrets of a home of which a text begins so, in no order and each once for each text; none when they are
    /// more than `most`.
    pub(crate) fn indexed(
        &self,
        home: &Home,
        facet: Facet,
        beginning: &str,
        most: usize,
    ) -> Result<Option<Vec<Indexed>>, StoreError> {
        let (account, region) = (home.account.as_str(), home.region.as_str());
        let mut found = Vec::new();
        let facets = self.transaction.open_table(FACETS)?;
        for entry in facets.range((account, region, facet as u8, beginning, "")..)? {
            let (key, place) = entry?;
            let (at_account, at_region, at_facet, text, name) = key.value();
            let here = (at_account, at_region, at_facet) == (account, region, facet as u8);
            if !here || !text.starts_with(beginning) {
                break;
            }
            if found.len() == most {
                return Ok(None);
            }
            let (created, serial) = place.value();
            found.push(((Moment(created), serial), name.to_owned()));
        }
        Ok(Some(found))
    }
}
