//! What is asked of CloudTrail, and which events answer a question.
//!
//! LookupEvents finds events by one attribute. By the name of a resource it misses some: which names it keeps of a
//! secret is not documented, and not the same for all operations. So events are asked for by their names, one chain of
//! pages for each operation that the questions need, and sorted out here. The newest events come first, and a chain is
//! followed until no newer answer to any of its questions can be in it, or nothing is left.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::change::Changed;
use super::event::{FoundEvent, TrailEvent};
use super::principal::Who;
use crate::collect::CollectMap as _;
use crate::domain::{Arn, SecretName};
use crate::sort_few::SortFew as _;

/// How many events answer a question at most.
const MOST_ANSWERS: usize = 3;

/// By how much CloudTrail's times and ours may differ: events have whole seconds, and clocks are not the same.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// The event of a secret that is made.
const CREATION: &str = "CreateSecret";

/// Who changed something of a secret?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The secret.
    pub secret: SecretName,
    /// Its ARN, where it is known: of one that does not exist it is not.
    pub arn: Option<Arn>,
    /// What was changed of it; one of these is enough.
    pub changed: BTreeSet<Changed>,
    /// When it was known not to be changed yet, if ever.
    pub since: Option<Timestamp>,
    /// Its LastChangedDate: an event of that moment is marked.
    pub last_changed: Option<Timestamp>,
}

/// An event that can have made a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Attributed {
    /// The event.
    pub event: TrailEvent,
    /// Whether it was made by the identity that asks.
    pub is_own: bool,
    /// Whether the secret was not changed after it, as its LastChangedDate says.
    pub is_last_change: bool,
}

/// What is known of who made a change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Events that can have made it, the newest first; a few of them.
    pub events: Vec<Attributed>,
    /// How many more were seen.
    pub more: usize,
    /// Whether there may be newer ones, or any, since not everything was looked through.
    pub incomplete: bool,
}

impl Eq for Answer {}

/// One page that is to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The events of this name.
    pub event_name: &'static str,
    /// The page behind this token; the first without one.
    pub token: Option<String>,
}

/// How far one chain of pages was followed.
#[derive(Default)]
struct Chain {
    /// Where the next page begins, once there was one.
    token: Option<String>,
    /// How many pages were read.
    pages: u32,
    /// Whether everything was read.
    ended: bool,
    /// The oldest moment that was read.
    read_to: Option<Timestamp>,
}

impl Chain {
    /// Whether what is not read yet may hold a newer event than the newest that is known.
    fn may_have_newer(&self, newest: Option<Timestamp>) -> bool {
        let covered = newest.is_some_and(|newest| self.read_to.is_some_and(|oldest| oldest <= newest));
        !self.ended && !covered
    }
}

/// A search in the events of one account and region.
pub struct Search {
    questions: Vec<Question>,
    now: Timestamp,
    chains: BTreeMap<&'static str, Chain>,
    /// The events that may answer a question, by its place; and by the id of the event, each once.
    found: Vec<Vec<TrailEvent>>,
    budget: u32,
}

impl Search {
    /// A search for the answers to these questions, with so many calls at most. `now` is the service's time.
    pub fn new(questions: Vec<Question>, now: Timestamp, budget: u32) -> Self {
        let names = questions.iter().flat_map(Question::event_names);
        let chains = names.map(|name| (name, Chain::default())).collect_map();
        let found = vec![Vec::new(); questions.len()];
        Self { questions, now, chains, found, budget }
    }

    /// What is to be asked next; nothing more once every question has its answer, or the budget is used up. First each
    /// chain has a page, the one that most questions need first.
    pub fn next(&self) -> Option<Ask> {
        if self.budget == 0 {
            return None;
        }
        let wanted = |name: &'static str, chain: &Chain| {
            let questions = self.questions.iter().zip(&self.found);
            questions
                .filter(|(question, found)| {
                    question.event_names().contains(name) && chain.may_have_newer(newest(found))
                })
                .count()
        };
        let open = self.chains.iter().map(|(name, chain)| (*name, chain, wanted(name, chain)));
        let open = open.filter(|(_, _, wanted)| *wanted > 0);
        // Nearly every question needs it, and it is nearly never the answer.
        let unlikely = |name: &str| name == CREATION && !self.questions.iter().any(Question::is_of_creation);
        let next = open.min_by_key(|(name, chain, wanted)| (chain.pages, unlikely(name), Reverse(*wanted), *name));
        next.map(|(event_name, chain, _)| Ask { event_name, token: chain.token.clone() })
    }

    /// Takes a page that was asked for.
    pub fn learn(&mut self, ask: &Ask, events: &[FoundEvent], next: Option<String>) {
        self.budget = self.budget.saturating_sub(1);
        let Some(chain) = self.chains.get_mut(ask.event_name) else { return };
        chain.pages += 1;
        // A token that leads nowhere else would lead here forever.
        chain.ended = next.is_none() || next == ask.token;
        chain.token = next;
        for event in events.iter().filter_map(TrailEvent::read) {
            chain.read_to = Some(chain.read_to.map_or(event.time, |oldest| oldest.min(event.time)));
            for (question, found) in self.questions.iter().zip(&mut self.found) {
                let known = found.iter().any(|known| !known.id.is_empty() && known.id == event.id);
                if !known && question.may_be_answered_by(&event, self.now) {
                    found.push(event.clone());
                }
            }
        }
    }

    /// The answers, in the order of the questions. `caller` is the ARN of the identity that asks, where it is known.
    pub fn answers(self, caller: Option<&str>) -> Vec<Answer> {
        let Self { questions, chains, found, .. } = self;
        let answer = |(question, events): (Question, Vec<TrailEvent>)| question.answer(events, &chains, caller);
        questions.into_iter().zip(found).map(answer).collect()
    }
}

impl Question {
    fn event_names(&self) -> BTreeSet<&'static str> {
        self.changed.iter().flat_map(Changed::event_names).copied().collect()
    }

    fn is_of_creation(&self) -> bool {
        self.changed.contains(&Changed::Created)
    }

    fn may_be_answered_by(&self, event: &TrailEvent, now: Timestamp) -> bool {
        let later = |moment: Timestamp| moment.saturating_add(SLACK).unwrap_or(Timestamp::MAX);
        let in_time = event.time <= later(now) && self.since.is_none_or(|since| later(event.time) >= since);
        !event.failed
            && in_time
            && self.changed.iter().any(|changed| changed.can_be(event))
            && event.is_about(self.secret.as_str(), self.arn.as_ref())
    }

    fn answer(
        self,
        mut events: Vec<TrailEvent>,
        chains: &BTreeMap<&'static str, Chain>,
        caller: Option<&str>,
    ) -> Answer {
        // Whoever names the very version made it; other events of a value are then of other versions.
        let names_version = |event: &TrailEvent| self.changed.iter().any(|changed| changed.names_version(event));
        let about_value = |event: &TrailEvent| {
            let others = self.changed.iter().filter(|changed| !matches!(changed, Changed::Value { .. }));
            !others.into_iter().any(|changed| changed.can_be(event))
        };
        if events.iter().any(names_version) {
            events.retain(|event| names_version(event) || !about_value(event));
        }
        // Of one second, who called goes before what the service did then.
        let by_service = |event: &TrailEvent| matches!(event.principal.who, Who::Service(_));
        events.sort_few_by_key(|event| (Reverse(event.time), by_service(event), event.id.clone()));
        // What was done to a secret of the same name before this one was made is not about this one.
        let made = events.iter().position(|event| event.name == CREATION && self.arn.is_some());
        events.truncate(made.map_or(events.len(), |made| made + 1));
        // The service ends what somebody began.
        if events.iter().any(|event| event.name == "DeleteSecret") {
            events.retain(|event| event.name != "EndSecretVersionDelete");
        }
        // How it was made says nothing of what was changed since.
        let later = |changed: &Changed| events.iter().any(|event| event.name != CREATION && changed.can_be(event));
        if self.changed.iter().all(later) {
            events.retain(|event| event.name != CREATION);
        }
        let newest = newest(&events);
        let unread = |name: &'static str| chains.get(name).is_some_and(|chain| chain.may_have_newer(newest));
        let incomplete = self.event_names().into_iter().any(unread);
        let more = events.len().saturating_sub(MOST_ANSWERS);
        let attributed = |event: TrailEvent| Attributed {
            is_own: caller.is_some_and(|caller| event.principal.is(caller)),
            is_last_change: self.last_changed.is_some_and(|last| last.duration_since(event.time).abs() <= SLACK),
            event,
        };
        Answer { events: events.into_iter().take(MOST_ANSWERS).map(attributed).collect(), more, incomplete }
    }
}

/// The time of the newest event that answers. What the service ends, somebody began: that is still to be found.
fn newest(events: &[TrailEvent]) -> Option<Timestamp> {
    events.iter().filter(|event| event.name != "EndSecretVersionDelete").map(|event| event.time).max()
}
