//! What a watch knew when it ended, in a file: so that one that starts again tells nobody again what was told. It holds
//! names and words about them, never a value.

use std::str::FromStr as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::findings::{Finding, Findings};
use crate::domain::{OtherFormat, check_format};
use crate::drift::Class;

/// The version of the format.
const FORMAT_VERSION: &str = "1";

/// What the file is for: no other kind of file is written over.
const KIND: &str = "keywright watch state";

/// What a watch knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The project's name; empty while it is not known.
    pub project: String,
    /// What differs.
    pub known: Findings,
    /// What the webhook was notified of.
    pub notified: Findings,
}

/// Why a text is not a state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It is no JSON of this form.
    #[error("it is no state of a watch: {0}")]
    Form(String),
    /// Another version wrote it.
    #[error(transparent)]
    Version(#[from] OtherFormat),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    kind: String,
    format_version: String,
    project: String,
    known: Vec<Entry>,
    notified: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    target: String,
    class: String,
    secret: String,
    what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changed: Option<Timestamp>,
}

impl State {
    /// Whether bytes begin as a state does.
    pub fn is_one(beginning: &[u8]) -> bool {
        let opening = format!("{{\n  \"kind\": \"{KIND}\"");
        beginning.starts_with(opening.as_bytes())
    }

    /// Reads what [`State::to_text`] wrote.
    pub fn parse(text: &[u8]) -> Result<Self, StateError> {
        check_format(text, FORMAT_VERSION)?;
        let document: Document = serde_json::from_slice(text).map_err(|error| StateError::Form(error.to_string()))?;
        if document.kind != KIND {
            return Err(StateError::Form("it is another kind of document".to_owned()));
        }
        Ok(Self { project: document.project, known: findings(document.known)?, notified: findings(document.notified)? })
    }

    /// The state as text.
    pub fn to_text(&self) -> String {
        let document = Document {
            kind: KIND.to_owned(),
            format_version: FORMAT_VERSION.to_owned(),
            project: self.project.clone(),
            known: entries(&self.known),
            notified: entries(&self.notified),
        };
        // Neither numbers nor maps are in it that JSON could not hold.
        serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
    }
}

fn findings(entries: Vec<Entry>) -> Result<Findings, StateError> {
    let finding = |Entry { target, class, secret, what, changed }: Entry| {
        let class = Class::from_str(&class).map_err(|_| StateError::Form(format!("there is no class {class:?}")))?;
        Ok((Finding { target, class, secret, what }, changed))
    };
    entries.into_iter().map(finding).collect::<Result<_, _>>().map(Findings)
}

fn entries(findings: &Findings) -> Vec<Entry> {
    let entry = |(Finding { target, class, secret, what }, changed): (&Finding, &Option<Timestamp>)| Entry {
        target: target.clone(),
        class: class.word().to_owned(),
        secret: secret.clone(),
        what: what.clone(),
        changed: *changed,
    };
    findings.0.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let finding = Finding {
            target: "prod".to_owned(),
            class: Class::Changed,
            secret: "prod/\u{1b}\"db".to_owned(),
            what: "description".to_owned(),
        };
        let known = Findings([(finding, Some(Timestamp::UNIX_EPOCH))].into());
        let state = State { project: "pay".to_owned(), known, notified: Findings::default() };
        let text = state.to_text();
        assert!(State::is_one(text.as_bytes()), "{text}");
        assert_eq!(State::parse(text.as_bytes()), Ok(state));
    }

    #[test]
    fn what_is_no_state_is_refused() {
        let of_version = State::default().to_text().replace("\"1\"", "\"2\"");
        assert_eq!(
            State::parse(of_version.as_bytes()),
            Err(StateError::Version(OtherFormat {
                found: "2".to_owned(),
                reads: FORMAT_VERSION.to_owned(),
                earlier: false,
            }))
        );
        for text in ["", "{}", "[1]", &State::default().to_text().replace("watch state", "plan")] {
            assert!(matches!(State::parse(text.as_bytes()), Err(StateError::Form(_))), "{text}");
        }
    }
}
