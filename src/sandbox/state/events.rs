//! The events of CloudTrail: what was called in each account and region, by whom, and what the service did by itself.
//!
//! | table | key | value |
//! |---|---|---|
//! | events | account, region, when, serial | the event's name, and the event, JSON |
//! | event order | whether it changed nothing, serial | where the event is |
//! | event numbers | whether it changed nothing | how many there are |
//!
//! The event of a change is written with the change, in one transaction. What changed nothing waits in memory for the
//! next change, for somebody who looks, or for the end of the process, so that no read waits for the disk; a process
//! that is killed takes these with it. Events of more than ninety days ago are gone, and of each kind only so many are
//! kept: what was read must not push out what was changed. A database that has no such tables yet gets them when it is
//! opened.

use std::ops::{Bound, ControlFlow};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redb::TableDefinition;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::store::StoreError;
use super::tables::{Reader, Writer};
use super::transaction::SharedTransaction;
use crate::clock::Moment;
use crate::home::Home;

/// A place among the events: when it happened, and a serial number.
pub(crate) type EventPlace = (Moment, u64);

/// An account and a region, when it happened, and a serial number.
type EventKey = (&'static str, &'static str, i64, u64);

/// The event's name, and the event.
type Stored = (&'static str, &'static [u8]);

const EVENTS: TableDefinition<EventKey, Stored> = TableDefinition::new("events");
const ORDER: TableDefinition<(bool, u64), (&str, &str, i64)> = TableDefinition::new("event order");
const NUMBERS: TableDefinition<bool, u64> = TableDefinition::new("event numbers");

/// How long CloudTrail's event history goes back (documented).
const KEPT: Duration = Duration::from_hours(90 * 24);

/// How many events of changes are kept, and how many of calls that changed nothing: the sandbox's own limit.
const MOST: u64 = 20_000;

/// How many events are removed at most with one that is written.
const REMOVED_AT_ONCE: usize = 8;

/// How many events wait in memory at most.
const MOST_WAITING: usize = 1_024;

/// One event. It never holds a value of a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// The operation, or what the service did.
    pub(crate) name: String,
    /// Whether it can change nothing.
    pub(crate) read_only: bool,
    /// Whether the service did it by itself.
    pub(crate) of_service: bool,
    /// `userIdentity`.
    pub(crate) identity: Value,
    /// The user, or the session of a role.
    pub(crate) username: Option<String>,
    pub(crate) access_key_id: Option<String>,
    pub(crate) source_ip: String,
    pub(crate) user_agent: Option<String>,
    pub(crate) error_code: Option<String>,
    pub(crate) error_message: Option<String>,
    /// `requestParameters`.
    pub(crate) parameters: Value,
    /// `responseElements`.
    pub(crate) response: Value,
    /// `additionalEventData`.
    pub(crate) additional: Option<Value>,
    /// What the request calls its secret.
    pub(crate) resource: Option<String>,
}

/// Events that wait to be written, the oldest first.
#[derive(Default)]
pub(super) struct Waiting(Mutex<Vec<(Home, Moment, Event)>>);

impl Waiting {
    /// Lets one wait; whether there are so many that they must be written now.
    pub(super) fn push(&self, home: &Home, time: Moment, event: Event) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push((home.clone(), time, event));
        waiting.len() >= MOST_WAITING
    }

    pub(super) fn take(&self) -> Vec<(Home, Moment, Event)> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts those back that were not written.
    pub(super) fn put_back(&self, mut unwritten: Vec<(Home, Moment, Event)>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unwritten.append(&mut waiting);
        *waiting = unwritten;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    pub(super) fn clear(&self) {
        self.take();
    }
}

/// Makes the tables where there are none.
pub(super) fn make(transaction: &SharedTransaction) -> Result<(), StoreError> {
    transaction.open(EVENTS)?;
    transaction.open(ORDER)?;
    transaction.open(NUMBERS)?;
    Ok(())
}

impl Writer<'_> {
    /// Writes an event of this moment.
    pub(crate) fn note_event(&self, home: &Home, event: &Event) -> Result<(), StoreError> {
        self.note_event_of(home, self.now, event)
    }

    pub(super) fn note_event_of(&self, home: &Home, time: Moment, event: &Event) -> Result<(), StoreError> {
        let (account, region) = (home.account.as_str(), home.region.as_str());
        let serial = self.count_up("event")?;
        let stored = serde_json::to_vec(event)?;
        let mut events = self.transaction.open(EVENTS)?;
        let mut order = self.transaction.open(ORDER)?;
        let mut numbers = self.transaction.open(NUMBERS)?;
        events.insert((account, region, time.0, serial), (event.name.as_str(), stored.as_slice()))?;
        order.insert((event.read_only, serial), (account, region, time.0))?;
        let mut number = numbers.get(event.read_only)?.map_or(0, |number| number.value()) + 1;
        let oldest_kept = time.minus(KEPT);
        for _ in 0..REMOVED_AT_ONCE {
            let Some(oldest) = order.range((event.read_only, 0)..=(event.read_only, u64::MAX))?.next() else { break };
            let (place, key) = {
                let (place, key) = oldest?;
                let (account, region, time) = key.value();
                (place.value(), (account.to_owned(), region.to_owned(), time))
            };
            if number <= MOST && Moment(key.2) >= oldest_kept {
                break;
            }
            order.remove(place)?;
            events.remove((key.0.as_str(), key.1.as_str(), key.2, place.1))?;
            number -= 1;
        }
        numbers.insert(event.read_only, number)?;
        Ok(())
    }
}

impl Reader<'_> {
    /// Walks the events of a home from `first` to `last`, the newest first, from behind `after`, until `visit` breaks.
    /// It is given an event's place, its name, and the event, which it reads where it needs it.
    pub(crate) fn walk_events<E: From<StoreError>>(
        &self,
        home: &Home,
        (first, last): (Moment, Moment),
        after: Option<EventPlace>,
        mut visit: impl FnMut(EventPlace, &str, &dyn Fn() -> Result<Event, StoreError>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let (account, region) = (home.account.as_str(), home.region.as_str());
        let first = first.max(self.now.minus(KEPT));
        let from = Bound::Included((account, region, first.0, 0));
        let to = match after {
            Some((time, serial)) if time <= last => Bound::Excluded((account, region, time.0, serial)),
            _ => Bound::Included((account, region, last.0, u64::MAX)),
        };
        if first > last || after.is_some_and(|(time, _)| time < first) {
            return Ok(());
        }
        let events = self.transaction.open_table(EVENTS).map_err(StoreError::from)?;
        for entry in events.range((from, to)).map_err(StoreError::from)?.rev() {
            let (key, stored) = entry.map_err(StoreError::from)?;
            let (_, _, time, serial) = key.value();
            let (name, event) = stored.value();
            let read = || Ok(serde_json::from_slice(event)?);
            if visit((Moment(time), serial), name, &read)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a store in memory does not fail")]
mod tests {
    use super::*;
    use crate::state::Store;

    fn event(name: &str, read_only: bool) -> Event {
        Event {
            name: name.to_owned(),
            read_only,
            of_service: false,
            identity: Value::Null,
            username: None,
            access_key_id: None,
            source_ip: String::new(),
            user_agent: None,
            error_code: None,
            error_message: None,
            parameters: Value::Null,
            response: Value::Null,
            additional: None,
            resource: None,
        }
    }

    fn names(store: &Store, now: Moment, after: Option<EventPlace>) -> Vec<(EventPlace, String)> {
        let home = Home::new("000000000000", "eu-west-1");
        let mut names = Vec::new();
        store
            .read(now, |reader| {
                reader.walk_events(&home, (Moment(0), Moment(i64::MAX)), after, |place, name, read| {
                    assert_eq!(read()?.name, name);
                    names.push((place, name.to_owned()));
                    Ok::<_, StoreError>(ControlFlow::Continue(()))
                })
            })
            .unwrap();
        names
    }

    #[test]
    fn what_is_read_does_not_push_out_what_was_changed() {
        let store = Store::in_memory().unwrap();
        let home = Home::new("000000000000", "eu-west-1");
        let note = |times: u64, name: &str, read_only| {
            store
                .write(Moment(1), |writer| {
                    (0..times).try_for_each(|_| writer.note_event(&home, &event(name, read_only)))
                })
                .unwrap();
        };
        note(1, "PutSecretValue", false);
        note(MOST + 3, "DescribeSecret", true);
        let kept = names(&store, Moment(1), None);
        assert_eq!(kept.len() as u64, MOST + 1);
        assert_eq!(kept.last().map(|(_, name)| name.as_str()), Some("PutSecretValue"));
        let rest = names(&store, Moment(1), Some(kept[9].0));
        assert_eq!(rest.first(), kept.get(10), "it goes on behind a place");
    }

    #[test]
    fn events_are_gone_after_ninety_days() {
        let store = Store::in_memory().unwrap();
        let home = Home::new("000000000000", "eu-west-1");
        let start = Moment(1_000_000);
        let note = |now: Moment| {
            store.write(now, |writer| writer.note_event(&home, &event("TagResource", false))).unwrap();
        };
        note(start);
        assert_eq!(names(&store, start.plus_days(90), None).len(), 1);
        assert_eq!(names(&store, start.plus_days(90).next(), None).len(), 0);
        note(start.plus_days(91));
        assert_eq!(names(&store, start, None).len(), 1, "and are removed with the next one");
    }
}
