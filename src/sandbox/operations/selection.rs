//! Which secrets ListSecrets and the filters of BatchGetSecretValue mean, and in which order.
//!
//! A page is read from an ordered index, from behind the place where the last page ended. Where a filter lets few
//! secrets through, these are found by an index of their own and sorted. Only the order by the last access has no
//! index: for it the dates of all secrets are sorted for each page.

use std::ops::ControlFlow;

use super::Context;
use super::filter::Filters;
use crate::clock::Moment;
use crate::home::Home;
use crate::state::{Indexed, Reader, SecretRecord};
use crate::wire::{Place, ServiceError};

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

/// What places are sorted by.
fn order_of(place: &Place) -> (Moment, u64, String) {
    (place.date, place.serial, place.name.clone())
}

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
        if self.order != Order::Accessed
            && let Some(found) = self.filters.narrow(reader, home)?
        {
            return self.page_of(reader, home, found, after.as_ref(), size);
        }
        let mut page = Page::with_capacity(size);
        match self.order {
            Order::Created => {
                let after = after.map(|place| (place.date, place.serial));
                reader.walk_by_creation(home, after, self.descending, |(date, serial), name| {
                    let place = Place { date, serial, name: String::new() };
                    self.visit(reader, home, &mut page, size, place, name)
                })?;
            }
            Order::Changed => {
                let after = after.map(|place| (place.date, place.serial));
                reader.walk_by_change(home, after, self.descending, |(date, serial), name| {
                    let place = Place { date, serial, name: String::new() };
                    self.visit(reader, home, &mut page, size, place, name)
                })?;
            }
            Order::Name => {
                let after = after.map(|place| place.name);
                reader.walk_by_name(home, after.as_deref(), self.descending, |name| {
                    let place = Place { date: Moment(0), serial: 0, name: name.to_owned() };
                    self.visit(reader, home, &mut page, size, place, name)
                })?;
            }
            Order::Accessed => {
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
        self.cut(&mut page, after, size);
        Ok(page)
    }

    fn is_behind(&self, place: &Place, after: Option<&Place>) -> bool {
        let behind =
            |after| if self.descending { order_of(place) < order_of(after) } else { order_of(place) > order_of(after) };
        after.is_none_or(behind)
    }

    /// Sorts secrets and leaves the next ones behind a place.
    fn cut(&self, page: &mut Page, after: Option<&Place>, size: usize) {
        page.retain(|(place, _)| self.is_behind(place, after));
        page.sort_by_cached_key(|(place, _)| order_of(place));
        if self.descending {
            page.reverse();
        }
        page.truncate(size);
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

    /// Looks at a secret that a walk met; its name alone may say that it is not wanted.
    fn visit(
        &self,
        reader: &Reader<'_>,
        home: &Home,
        page: &mut Page,
        size: usize,
        place: Place,
        name: &str,
    ) -> Result<ControlFlow<()>, ServiceError> {
        if !self.filters.accept_name(name) {
            return Ok(ControlFlow::Continue(()));
        }
        Ok(self.take(page, size, place, reader.secret(home, name)?))
    }

    /// The next of the secrets that an index found, behind a place.
    fn page_of(
        &self,
        reader: &Reader<'_>,
        home: &Home,
        found: Vec<Indexed>,
        after: Option<&Place>,
        size: usize,
    ) -> Result<Page, ServiceError> {
        let mut page = Page::new();
        if self.order == Order::Changed {
            // Only the record has this date.
            for (_, name) in found {
                let record = reader.secret(home, &name)?.filter(|record| self.accepts(record));
                page.extend(record.map(|record| (self.place_of(&record), record)));
            }
            self.cut(&mut page, after, size);
            return Ok(page);
        }
        let mut places: Vec<(Place, String)> = found
            .into_iter()
            .filter(|(_, name)| self.filters.accept_name(name))
            .map(|((date, serial), name)| match self.order {
                Order::Name => (Place { date: Moment(0), serial: 0, name: name.clone() }, name),
                _ => (Place { date, serial, name: String::new() }, name),
            })
            .filter(|(place, _)| self.is_behind(place, after))
            .collect();
        places.sort_by_cached_key(|(place, _)| order_of(place));
        if self.descending {
            places.reverse();
        }
        for (place, name) in places {
            if self.take(&mut page, size, place, reader.secret(home, &name)?).is_break() {
                break;
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
