//! Which secrets ListSecrets and the filters of BatchGetSecretValue mean, and in which order.
//!
//! A page is read from an ordered index, from behind the place where the last page ended. Only the orders by a date
//! that changes have no index: for these the dates of all secrets are sorted for each page.

use std::ops::ControlFlow;

use super::super::clock::Moment;
use super::super::error::ServiceError;
use super::super::filter::Filters;
use super::super::page::Place;
use super::super::record::SecretRecord;
use super::super::tables::Reader;
use super::Context;

/// What SortBy names. Secrets are in the order of their creation where it is absent, the oldest first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Created,
    Accessed,
    Changed,
    Name,
}

impl Order {
    pub(super) fn named(name: Option<&str>) -> Self {
        match name {
            Some("last-accessed-date") => Self::Accessed,
            Some("last-changed-date") => Self::Changed,
            Some("name") => Self::Name,
            _ => Self::Created,
        }
    }
}

/// Which secrets a request wants, and in which order.
pub(super) struct Selection {
    pub(super) order: Order,
    pub(super) descending: bool,
    pub(super) planned_deletion: bool,
    pub(super) filters: Filters,
}

/// Secrets with their places in the order.
pub(super) type Page = Vec<(Place, SecretRecord)>;

impl Selection {
    fn accepts(&self, record: &SecretRecord) -> bool {
        (self.planned_deletion || record.deletion.is_none()) && self.filters.accept(record)
    }

    /// The next secrets behind a place, at most `size`.
    pub(super) fn page(
        &self,
        reader: &Reader<'_>,
        context: &Context<'_>,
        after: Option<Place>,
        size: usize,
    ) -> Result<Page, ServiceError> {
        let home = context.caller;
        let mut page = Page::with_capacity(size);
        match self.order {
            Order::Created => {
                let after = after.map(|place| (place.date, place.serial));
                reader.walk_by_creation(home, after, self.descending, |(date, serial), name| {
                    let place = Place { date, serial, name: String::new() };
                    Ok::<_, ServiceError>(self.take(&mut page, size, place, reader.secret(home, name)?))
                })?;
            }
            Order::Name => {
                let after = after.map(|place| place.name);
                reader.walk_by_name(home, after.as_deref(), self.descending, |name| {
                    let place = Place { date: Moment(0), serial: 0, name: name.to_owned() };
                    Ok::<_, ServiceError>(self.take(&mut page, size, place, reader.secret(home, name)?))
                })?;
            }
            Order::Accessed | Order::Changed => {
                for (date, serial, name) in self.sorted_by_date(reader, context, after)? {
                    let place = Place { date, serial, name: String::new() };
                    if self.take(&mut page, size, place, reader.secret(home, &name)?).is_break() {
                        break;
                    }
                }
            }
        }
        Ok(page)
    }

    /// Takes a secret into the page if it is wanted, and breaks when the page is full.
    fn take(&self, page: &mut Page, size: usize, place: Place, record: Option<SecretRecord>) -> ControlFlow<()> {
        if let Some(record) = record.filter(|record| self.accepts(record)) {
            page.push((place, record));
        }
        if page.len() < size { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// The dates of all accepted secrets behind a place, in order. A secret that was never read comes before all
    /// others, and one that is changed between two pages may come twice or not at all: neither is known from the real
    /// service.
    fn sorted_by_date(
        &self,
        reader: &Reader<'_>,
        context: &Context<'_>,
        after: Option<Place>,
    ) -> Result<Vec<(Moment, u64, String)>, ServiceError> {
        let mut places = Vec::new();
        reader.walk_by_creation(context.caller, None, false, |(_, serial), name| {
            if let Some(record) = reader.secret(context.caller, name)?.filter(|record| self.accepts(record)) {
                let date = match self.order {
                    Order::Accessed => record.accessed.unwrap_or(Moment(i64::MIN)),
                    _ => record.changed,
                };
                places.push((date, serial, record.name));
            }
            Ok::<_, ServiceError>(ControlFlow::Continue(()))
        })?;
        places.sort_unstable();
        if self.descending {
            places.reverse();
        }
        if let Some(after) = after {
            let after = (after.date, after.serial);
            places.retain(|(date, serial, _)| {
                let place = (*date, *serial);
                if self.descending { place < after } else { place > after }
            });
        }
        Ok(places)
    }
}
