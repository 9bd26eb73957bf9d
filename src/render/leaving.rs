//! Why a secret goes, and what is live about it that matters then.

use super::escape::{self, Escaped, Terminal};
use super::rows::{Row, Tone, nor_item, piece, place};
use super::{escaped, policy_words, words};
use crate::live::{LivePolicy, LiveSecret};
use crate::plan::{Commit, Leaving, SecretPlan, Verb};

/// Secrets that are named one by one.
const NAMED: usize = 3;

/// The rows of a secret that is deleted or released.
pub(super) fn rows(secret: &SecretPlan, live: &LiveSecret, rows: &mut Vec<Row>) {
    let why = why(secret);
    match rows.iter_mut().find(|row| row.label == "deletion") {
        None => rows.push(Row::new("because", vec![piece(Tone::Plain, why)], None)),
        Some(deletion) => {
            for known in [Some(why), scheduled(live), Some(last_read(live))].into_iter().flatten() {
                deletion.pieces.extend([piece(Tone::Plain, "; "), piece(Tone::Plain, known)]);
            }
        }
    }
    let readers = readers(secret.verb, live);
    rows.extend(readers.map(|readers| Row::new("readers", vec![piece(Tone::Plain, readers)], None)));
    let named_by = &secret.leaving.named_by;
    if !named_by.is_empty() {
        let names = named_by.iter().map(|name| escape::line(name.as_str()));
        let text = escaped!("its ARN is in the policy of {}", words::first_few::<Terminal, _>(names, NAMED));
        rows.push(Row::new("named by", vec![piece(Tone::Warning, text)], None));
    }
}

/// Why it goes, as far as manifests and git tell.
pub(super) fn why(secret: &SecretPlan) -> Escaped<Terminal> {
    if secret.origin.is_some() {
        return "its manifest says state: absent".into();
    }
    match &secret.leaving {
        Leaving { by_hand: true, .. } => "you asked for it".into(),
        Leaving { other_targets: Some(named), .. } => {
            escaped!("{} names it for other targets alone", place(&named.origin))
        }
        Leaving { removed_in: Some(Commit { id, date, subject }), .. } => {
            let date = date
                .map(|date| -> Escaped<Terminal> { escaped!(" of {}", escape::time::<Terminal>(date, "%Y-%m-%d")) });
            escaped!("its manifest left git in {}{} ({})", escape::line(id), date, escape::line(subject))
        }
        Leaving { left_list, .. } => escaped!("no manifest names it any longer{}", nor_item(left_list.as_ref())),
    }
}

/// Of a secret that is to go at once, that somebody deleted it before.
fn scheduled(live: &LiveSecret) -> Option<Escaped<Terminal>> {
    let date = live.deleted_at?;
    Some(escaped!("it was scheduled for deletion on {}", escape::time::<Terminal>(date, "%Y-%m-%d")))
}

fn last_read(live: &LiveSecret) -> Escaped<Terminal> {
    live.last_accessed.map_or_else(
        || "no read is recorded".into(),
        |date| escaped!("last read on {}", escape::time::<Terminal>(date, "%Y-%m-%d")),
    )
}

/// Whom its policy lets read it; nothing where it lets nobody.
fn readers(verb: Verb, live: &LiveSecret) -> Option<Escaped<Terminal>> {
    match &live.policy {
        LivePolicy::Document(policy) => {
            Some(policy_words::readers(policy, &live.arn)).filter(|readers| !readers.is_empty())
        }
        LivePolicy::Unparsable(_) => Some("not known: its policy is not a JSON object".into()),
        LivePolicy::NotRead if verb == Verb::Delete => Some("not known: its policy was not read".into()),
        LivePolicy::NotRead | LivePolicy::Unreadable | LivePolicy::None => None,
    }
}
