//! Who made a change, as CloudTrail knows it: sentences for people and documents for programs. Nothing is escaped here.

use jiff::Timestamp;
use serde::Serialize;

use crate::attribution::{Answer, Attributed, Principal, TrailEvent, Who};

/// How much of a user agent people are shown, in characters: the tools come first, what they run on follows.
const SHOWN_AGENT: usize = 40;

/// What CloudTrail says of one change. None of it is a guess: an event is listed because it can have made the change.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WhoDocument {
    /// The events that can have made the change, the newest first; three at most.
    pub events: Vec<WhoEventDocument>,
    /// How many more there are, older than these.
    pub more: usize,
    /// Whether everything was looked through that can hold a newer event. It is not where `--who-budget` was used up.
    /// With no event it is known then that CloudTrail has none: events take up to 15 minutes to appear, and are kept 90
    /// days.
    pub complete: bool,
}

/// One event of CloudTrail.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WhoEventDocument {
    /// Its id, by which CloudTrail finds it again.
    pub event_id: String,
    /// The operation, such as `PutSecretValue`, or what the service did by itself, such as `RotationSucceeded`.
    pub event_name: String,
    /// When, as RFC 3339 in UTC, to the second.
    pub time: String,
    /// Who, in words.
    pub by: String,
    /// The ARN of the identity, where it has one; for a role that of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The twelve-digit account of the identity, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Where the call came from: an address, or a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// With which tool; at most 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Whether it is the identity of this run: the same user, or a session of the same role.
    pub is_own: bool,
    /// Whether it was at the moment of the secret's LastChangedDate.
    pub is_last_change: bool,
}

/// An answer as sentences.
pub fn lines(answer: &Answer) -> Vec<String> {
    let Answer { events, more, incomplete } = answer;
    let mut lines: Vec<String> = events
        .iter()
        .enumerate()
        .map(|(at, event)| format!("{}: {}", if at == 0 { "who" } else { "before" }, one(event)))
        .collect();
    if *more > 0 {
        lines.push(format!("before: {more} more"));
    }
    match (lines.is_empty(), incomplete) {
        (true, false) => lines.push(
            "who: nothing found in CloudTrail; events take up to 15 minutes to appear, and are kept 90 days".to_owned(),
        ),
        (true, true) => lines.push("who: not found before --who-budget was used up".to_owned()),
        (false, true) => lines.push("there may be a newer event: --who-budget is used up".to_owned()),
        (false, false) => {}
    }
    lines
}

/// An answer for programs.
pub fn document(answer: &Answer) -> WhoDocument {
    let Answer { events, more, incomplete } = answer;
    WhoDocument { events: events.iter().map(event_document).collect(), more: *more, complete: !incomplete }
}

fn event_document(attributed: &Attributed) -> WhoEventDocument {
    let Attributed { event, is_own, is_last_change } = attributed;
    let TrailEvent { id, name, time, principal, source, user_agent, .. } = event;
    WhoEventDocument {
        event_id: id.clone(),
        event_name: name.clone(),
        time: time.to_string(),
        by: by(principal),
        arn: principal.arn.clone(),
        account: principal.account.clone(),
        source: source.clone(),
        user_agent: user_agent.clone(),
        is_own: *is_own,
        is_last_change: *is_last_change,
    }
}

/// `IAM user alice, UpdateSecret 2026-01-01 12:00:00 UTC from 203.0.113.7 with aws-cli/2.31.0 (event 1b9d…)`.
fn one(attributed: &Attributed) -> String {
    let Attributed { event, is_own, is_last_change } = attributed;
    let TrailEvent { id, name, time, principal, source, user_agent, .. } = event;
    let own = if *is_own { " (the user or role of this run)" } else { "" };
    let mut text = format!("{}{own}, {name} {}", by(principal), date(*time));
    // A service names itself again in both.
    if !matches!(principal.who, Who::Service(_)) {
        text.extend(source.iter().map(|source| format!(" from {source}")));
        text.extend(user_agent.iter().map(|agent| format!(" with {}", tool(agent))));
    }
    let last = if *is_last_change { ", its last change" } else { "" };
    if !id.is_empty() {
        text.push_str(&format!(" (event {id}{last})"));
    }
    text
}

fn by(principal: &Principal) -> String {
    let Principal { who, arn: _, account, through } = principal;
    let mut text = match who {
        Who::Root => match account {
            Some(account) => format!("the root user of account {account}"),
            None => "the root user".to_owned(),
        },
        Who::User(name) => format!("IAM user {name}"),
        Who::Role { role, session } if session.is_empty() => format!("role {role}"),
        Who::Role { role, session } => format!("role {role}, session {session}"),
        Who::SsoUser { user, permission_set } => format!("{user} by IAM Identity Center, {permission_set}"),
        Who::Federated { user, provider: Some(provider) } => format!("{user} of {provider}"),
        Who::Federated { user, provider: None } => format!("federated user {user}"),
        Who::Service(name) => format!("the service {name}"),
        Who::Account(account) => format!("somebody of account {account}"),
        Who::Other { kind, name } if kind.is_empty() && name.is_empty() => {
            "somebody whom the event does not name".to_owned()
        }
        Who::Other { kind, name } if kind.is_empty() || name.is_empty() => format!("{kind}{name}"),
        Who::Other { kind, name } => format!("{kind} {name}"),
    };
    text.extend(through.iter().map(|service| format!(" through {service}")));
    text
}

/// The beginning of a user agent: whole words, as far as there is room.
fn tool(agent: &str) -> String {
    let mut shown = String::new();
    for word in agent.split(' ') {
        if !shown.is_empty() && shown.chars().count() + 1 + word.chars().count() > SHOWN_AGENT {
            break;
        }
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(word);
    }
    shown.chars().take(SHOWN_AGENT).collect()
}

fn date(date: Timestamp) -> String {
    date.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// An answer of one event, with this text wherever an event can have some.
#[cfg(test)]
pub(in crate::render) fn sample(text: &str) -> Answer {
    let document = serde_json::json!({
        "userIdentity": { "type": "IAMUser", "userName": text, "arn": text, "accountId": text, "invokedBy": text },
        "sourceIPAddress": text,
        "userAgent": text,
    });
    let found = crate::attribution::FoundEvent {
        id: Some(text.to_owned()),
        name: Some(text.to_owned()),
        time: Some(Timestamp::UNIX_EPOCH),
        document: Some(document.to_string()),
        ..crate::attribution::FoundEvent::default()
    };
    let attributed = |event| Attributed { event, is_own: true, is_last_change: true };
    let events = TrailEvent::read(&found).map(attributed).into_iter().collect();
    Answer { events, more: 1, incomplete: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_shown_by_its_first_words() {
        assert_eq!(tool("aws-cli/2.31.0"), "aws-cli/2.31.0");
        assert_eq!(
            tool("Boto3/1.40.0 md/Botocore#1.40.0 ua/2.1 os/linux#6.1"),
            "Boto3/1.40.0 md/Botocore#1.40.0 ua/2.1"
        );
        assert_eq!(tool(&"x".repeat(300)).len(), SHOWN_AGENT);
    }

    #[test]
    fn an_event_is_told_with_all_that_is_known_of_it() {
        assert_eq!(
            lines(&sample("x")),
            [
                "who: IAM user x through x (the user or role of this run), x 1970-01-01 00:00:00 UTC from x with x \
                 (event x, its last change)",
                "before: 1 more",
                "there may be a newer event: --who-budget is used up",
            ]
        );
    }

    #[test]
    fn an_answer_says_what_is_not_known() {
        let said = |incomplete| lines(&Answer { incomplete, ..Answer::default() }).join("");
        assert!(said(false).contains("nothing found") && said(false).contains("90 days"));
        assert!(said(true).contains("before --who-budget was used up"));
    }
}
