//! Which secrets ListSecrets and the filters of BatchGetSecretValue mean, and in which order.
//!
//! A page is read from an ordered index, from behind the place where the last page ended. Only the orders by a date
//! that changes have no index: for these the dates of all secrets are sorted for each page.

use std::ops::ControlFlow;

use super::Context;
use super::filter::Filters;
use crate::sandbox::clock::Moment;
use crate::sandbox::home::Home;
use crate::sandbox::state::{Reader, SecretRecord};
use crate::sandbox::wire::{Place, ServiceError};

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
    /// Where the list lags: the moment that it shows. Such a list is sorted for each page.
    pub(super) as_of: Option<Moment>,
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
        if let Some(moment) = self.as_of {
            return self.page_as_of(reader, home, moment, after.as_ref(), size);
        }
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

    /// The next secrets behind a place, as they were at an earlier moment.
    fn page_as_of(
        &self,
        reader: &Reader<'_>,
        home: &Home,
        moment: Moment,
        after: Option<&Place>,
        size: usize,
    ) -> Result<Page, ServiceError> {
        let mut page = Page::new();
        for name in reader.names_remembered(home)? {
            if let Some(record) = reader.secret_as_of(home, &name, moment)?.filter(|record| self.accepts(record)) {
                page.push((self.place_of(&record), record));
            }
        }
        let key = |place: &Place| (place.date, place.serial, place.name.clone());
        page.sort_by_cached_key(|(place, _)| key(place));
        if self.descending {
            page.reverse();
        }
        page.retain(|(place, _)| {
            after.is_none_or(|after| if self.descending { key(place) < key(after) } else { key(place) > key(after) })
        });
        page.truncate(size);
        Ok(page)
    }

    fn place_of(&self, record: &SecretRecord) -> Place {
        match self.order {
            Order::Name => Place { date: Moment(0), serial: 0, name: record.name.clone() },
            Order::Created | Order::Accessed | Order::Changed => {
                Place { date: self.date_of(record), serial: record.serial, name: String::new() }
            }
        }
    }

    /// The date that a secret is sorted by. One that was never read comes before all others.
    fn date_of(&self, record: &SecretRecord) -> Moment {
        match self.order {
            Order::Accessed => record.accessed.unwrap_or(Moment(i64::MIN)),
            Order::Changed => record.changed,
            Order::Created | Order::Name => record.created,
        }
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
                places.push((self.date_of(&record), serial, record.name));
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
