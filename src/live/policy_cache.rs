//! Policies that were read before, for `--cache FILE`.
//!
//! The service moves LastChangedDate on every change of a policy, so a policy that was read under one date holds while
//! the list shows that date. Two things are watched: a date that was younger than ten minutes when the policy was read
//! may hide a second change, so nothing is remembered of it; and an entry is used for half a day to a day and then read
//! again, whatever the dates say. A cache holds no values. Its key is the ARN, which names account and region.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{LivePolicy, LiveSecret};
use crate::domain::{ArnParts, OtherFormat, Partition, check_format};
use crate::policy::PolicyDocument;

/// The version of the file's format.
const FORMAT_VERSION: u32 = 1;

/// What the file is, for whoever finds one.
const KIND: &str = "keywright policy cache";

/// How old LastChangedDate must be when a policy is read: twice what ListSecrets may lag.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// An entry is used for this long, and for up to as long again, spread by the ARN so that not all end at once.
const SHORTEST_LIFE: SignedDuration = SignedDuration::from_hours(12);

/// Policies of several targets, by ARN.
#[derive(Debug, Default)]
pub struct PolicyCache {
    entries: Mutex<BTreeMap<String, Entry>>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    last_changed: Timestamp,
    read_at: Timestamp,
    /// The document's text; none when there is no policy.
    policy: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    kind: String,
    format_version: u32,
    policies: BTreeMap<String, Entry>,
}

/// A file that is no cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It is damaged, or something else.
    #[error("it is no policy cache, or a damaged one")]
    Damaged,
    /// It is of another version.
    #[error(transparent)]
    Version(#[from] OtherFormat),
}

impl PolicyCache {
    /// Whether the beginning of a file is that of a cache, of any version and however damaged.
    pub fn is_one(beginning: &[u8]) -> bool {
        let kind = format!("\"kind\":\"{KIND}\"");
        beginning.starts_with(b"{") && beginning.windows(kind.len()).take(64).any(|seen| seen == kind.as_bytes())
    }

    /// Reads the text of a file.
    pub fn parse(text: &[u8]) -> Result<Self, CacheError> {
        if Self::is_one(text) {
            check_format(text, &FORMAT_VERSION.to_string())?;
        }
        let file: File = serde_json::from_slice(text).map_err(|_| CacheError::Damaged)?;
        if file.kind != KIND {
            return Err(CacheError::Damaged);
        }
        Ok(Self { entries: Mutex::new(file.policies) })
    }

    /// The text of a file, without entries that are over.
    pub fn to_text(&self, now: Timestamp) -> String {
        let mut policies = self.entries().clone();
        // A clock of our own that runs behind the service's must not drop what was read just now.
        policies.retain(|arn, entry| now.duration_since(entry.read_at) < life(arn));
        let file = File { kind: KIND.to_owned(), format_version: FORMAT_VERSION, policies };
        // Text, numbers and maps with text keys: this cannot fail.
        format!("{}\n", serde_json::to_string(&file).unwrap_or_default())
    }

    /// The policy of a secret, when it is known.
    pub fn lookup(&self, secret: &LiveSecret, now: Timestamp) -> Option<LivePolicy> {
        let entries = self.entries();
        let entry = entries.get(secret.arn.as_str())?;
        if Some(entry.last_changed) != secret.last_changed || !entry.holds(secret.arn.as_str(), now) {
            return None;
        }
        Some(match &entry.policy {
            None => LivePolicy::None,
            Some(text) => match PolicyDocument::parse_lenient(text, &Partition::of_arn(secret.arn.as_str())) {
                Some(document) => LivePolicy::Document(document),
                None => LivePolicy::Unparsable(text.clone()),
            },
        })
    }

    /// The names of the secrets that something is known of. The policies of all others can be read before their dates
    /// are known.
    pub fn names(&self) -> BTreeSet<String> {
        let name = |arn: &String| ArnParts::parse(arn)?.secret_name().map(str::to_owned);
        self.entries().keys().filter_map(name).collect()
    }

    /// Remembers a policy that was read at `now`, by the service's clock.
    pub fn remember(&self, secret: &LiveSecret, now: Timestamp) {
        let Some(last_changed) = secret.last_changed else { return };
        let policy = match &secret.policy {
            LivePolicy::None => None,
            LivePolicy::Document(document) => Some(document.to_wire()),
            LivePolicy::Unparsable(text) => Some(text.clone()),
            LivePolicy::NotRead | LivePolicy::Unreadable => return,
        };
        if now.duration_since(last_changed) < SETTLED_AFTER {
            self.entries().remove(secret.arn.as_str());
            return;
        }
        self.entries().insert(secret.arn.to_string(), Entry { last_changed, read_at: now, policy });
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Entry>> {
        // A map is whole even if another task died while it held the lock.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Whether it is still used. A clock that ran backwards ends it too.
    fn holds(&self, arn: &str, now: Timestamp) -> bool {
        let age = now.duration_since(self.read_at);
        !age.is_negative() && age < life(arn)
    }
}

/// 12 to 24 hours.
fn life(arn: &str) -> SignedDuration {
    let digest = Sha256::digest(arn.as_bytes());
    let share = u32::from(u16::from_be_bytes([digest[0], digest[1]]));
    let spread = SHORTEST_LIFE.as_secs() * i64::from(share) / i64::from(u32::from(u16::MAX) + 1);
    SHORTEST_LIFE + SignedDuration::from_secs(spread)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "the texts of these tests are well-formed")]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn secret(changed: &str, policy: LivePolicy) -> LiveSecret {
        LiveSecret { last_changed: Some(time(changed)), policy, ..LiveSecret::bare("prod/db") }
    }

    fn document() -> LivePolicy {
        LivePolicy::Document(
            PolicyDocument::parse_lenient(r#"{"Version":"2012-10-17"}"#, &Partition::default()).unwrap(),
        )
    }

    const CHANGED: &str = "2026-01-01T00:00:00Z";

    #[test]
    fn a_policy_is_known_while_the_date_stands() {
        let cache = PolicyCache::default();
        cache.remember(&secret(CHANGED, document()), time("2026-01-01T00:10:00Z"));
        let now = time("2026-01-01T12:09:59Z");
        assert_eq!(cache.lookup(&secret(CHANGED, LivePolicy::NotRead), now), Some(document()));
        assert_eq!(cache.lookup(&secret("2026-01-01T00:00:00.001Z", LivePolicy::NotRead), now), None);
        let copy = PolicyCache::parse(cache.to_text(now).as_bytes()).unwrap();
        assert_eq!(copy.lookup(&secret(CHANGED, LivePolicy::NotRead), now), Some(document()));
        assert_eq!(copy.names(), BTreeSet::from(["prod/db".to_owned()]));
    }

    #[test]
    fn a_date_that_is_too_young_is_not_remembered() {
        let cache = PolicyCache::default();
        cache.remember(&secret(CHANGED, LivePolicy::None), time("2026-01-01T00:09:59Z"));
        assert_eq!(cache.lookup(&secret(CHANGED, LivePolicy::NotRead), time("2026-01-01T01:00:00Z")), None);
    }

    #[test]
    fn an_entry_ends_within_a_day_and_never_lives_in_the_future() {
        let cache = PolicyCache::default();
        cache.remember(&secret(CHANGED, LivePolicy::None), time("2026-01-02T00:00:00Z"));
        let seen = secret(CHANGED, LivePolicy::NotRead);
        assert_eq!(cache.lookup(&seen, time("2026-01-02T11:59:59Z")), Some(LivePolicy::None));
        assert_eq!(cache.lookup(&seen, time("2026-01-03T00:00:00Z")), None);
        assert_eq!(cache.lookup(&seen, time("2026-01-01T23:59:59Z")), None);
        assert!(!cache.to_text(time("2026-01-03T00:00:00Z")).contains("prod/db"));
        assert!(cache.to_text(time("2026-01-01T23:00:00Z")).contains("prod/db"), "our clock may run behind");
    }

    #[test]
    fn an_entry_ends_when_its_life_is_over_and_not_before() {
        let cache = PolicyCache::default();
        let seen = secret(CHANGED, LivePolicy::NotRead);
        let read_at = time("2026-01-02T00:00:00Z");
        cache.remember(&secret(CHANGED, LivePolicy::None), read_at);
        let end = read_at + life(seen.arn.as_str());
        let just_before = end - SignedDuration::from_nanos(1);
        assert_eq!(cache.lookup(&seen, just_before), Some(LivePolicy::None));
        assert!(cache.to_text(just_before).contains("prod/db"));
        assert_eq!(cache.lookup(&seen, end), None);
        assert!(!cache.to_text(end).contains("prod/db"));
    }

    #[test]
    fn lives_are_spread() {
        let lives: std::collections::BTreeSet<_> = (0..100).map(|n| life(&format!("arn:{n}")).as_secs()).collect();
        assert!(lives.len() > 90);
        assert!(lives.iter().all(|life| (12 * 3600..24 * 3600).contains(life)));
        // Its digest begins with FFFF: no life is longer.
        assert_eq!(life("arn:50148").as_secs(), 24 * 3600 - 1);
    }

    #[test]
    fn a_file_is_a_cache_by_how_it_begins() {
        let text = PolicyCache::default().to_text(time(CHANGED));
        assert!(PolicyCache::is_one(text.as_bytes()));
        let kind = r#""kind":"keywright policy cache""#;
        assert!(PolicyCache::is_one(format!("{{ {kind}, damaged").as_bytes()));
        for other in
            [kind.to_owned(), format!("[{kind}]"), "{}".to_owned(), r#"{"kind":"keywright approved plan"}"#.to_owned()]
        {
            assert!(!PolicyCache::is_one(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn what_is_no_cache_is_said_to_be_none() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"kind":"keywright policy cache","formatVersion":1}"#,
            r#"{"kind":"x","formatVersion":1,"policies":{}}"#,
        ] {
            assert!(matches!(PolicyCache::parse(text.as_bytes()), Err(CacheError::Damaged)), "{text}");
        }
        let other = r#"{"kind":"keywright policy cache","formatVersion":2,"policies":{}}"#;
        assert!(matches!(PolicyCache::parse(other.as_bytes()), Err(CacheError::Version(_))));
    }
}
