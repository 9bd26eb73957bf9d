//! The message that a webhook gets.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::escape::{self, Escaped, Json, Slack};
use super::super::{escaped, who};
use crate::attribution::Answer;
use crate::watch::{Change, Finding, Findings};

/// Findings that a message lists; further ones are counted.
const LISTED: usize = 20;

/// Findings that a message holds for programs; further ones are counted.
const HELD: usize = 200;

/// The body that a webhook gets: `text` for Slack and what understands its messages, `keywright` for programs.
///
/// `who` is who brought findings about, as far as CloudTrail was asked.
pub fn notification(project: &str, change: &Change, now: &Findings, who: &BTreeMap<Finding, Answer>) -> Escaped<Json> {
    let Change { appeared, again, disappeared } = change;
    let counts = now.counts();
    let total: usize = counts.values().sum();
    let changed_again = (!again.is_empty()).then(|| -> Escaped<Slack> { escaped!(", {} changed again", again.len()) });
    let mut text: Escaped<Slack> = escaped!(
        "keywright drift of {}: {} new{}, {} gone, {} in all",
        escape::slack(project),
        appeared.len(),
        changed_again,
        disappeared.len(),
        total
    );
    let signed = [("+", appeared), ("~", again), ("-", disappeared)];
    let lines = signed.iter().flat_map(|(sign, findings)| findings.iter().map(move |finding| (*sign, finding)));
    for (sign, finding) in lines.clone().take(LISTED) {
        let Finding { target, class, secret, what } = finding;
        let words = Escaped::join([target, secret, what].map(|word| escape::slack(word)), " ").trimmed();
        text.push(&escaped!("\n{} {}: {}", sign, class.word(), words));
        // One line of it: the message is for a channel.
        if let Some(line) = who.get(finding).and_then(|answer| who::lines(answer).into_iter().next()) {
            text.push(&escaped!("\n    {}", escape::slack(&line)));
        }
    }
    let left_out = lines.count().saturating_sub(LISTED);
    if left_out > 0 {
        text.push(&escaped!("\n{} more; `keywright drift` shows all", left_out));
    }
    let held =
        |findings: &[Finding]| findings.iter().take(HELD).map(|one| finding(one, who.get(one))).collect::<Vec<_>>();
    let left_out = |findings: &[Finding]| findings.len().saturating_sub(HELD);
    let counts: Map<String, Value> =
        counts.into_iter().map(|(class, number)| (class.word().to_owned(), number.into())).collect();
    escape::json_line(&json!({
        "text": text.as_str(),
        "keywright": {
            "project": project,
            "appeared": held(appeared),
            "changedAgain": held(again),
            "disappeared": held(disappeared),
            "leftOut": left_out(appeared) + left_out(again) + left_out(disappeared),
            "counts": counts,
        },
    }))
}

fn finding(finding: &Finding, who: Option<&Answer>) -> Value {
    let Finding { target, class, secret, what } = finding;
    let mut held = json!({ "class": class.word(), "target": target, "secret": secret, "what": what });
    if let Some(answer) = who {
        held["who"] = serde_json::to_value(who::document(answer)).unwrap_or_default();
    }
    held
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]
mod tests {
    use super::*;
    use crate::drift::Class;

    #[test]
    fn a_message_cannot_call_a_channel_and_is_bounded() {
        let what = "its value could not be compared: <!channel> <@U1>\n&".to_owned();
        let (target, secret) = ("prod".to_owned(), "prod/db".to_owned());
        let hostile = Finding { target, class: Class::Unknown, secret, what };
        let change = Change { appeared: vec![hostile; 300], ..Change::default() };
        let message: Value =
            serde_json::from_str(&notification("pay<b>", &change, &Findings::default(), &BTreeMap::new())).unwrap();
        let text = message["text"].as_str().unwrap();
        assert!(text.starts_with(
            "keywright drift of pay&lt;b&gt;: 300 new, 0 gone, 0 in all\n\
             + unknown: prod prod/db its value could not be compared: &lt;!channel&gt;"
        ));
        assert!(!text.contains('<') && text.ends_with("\n280 more; `keywright drift` shows all"), "{text}");
        assert_eq!(text.lines().count(), LISTED + 2);
        assert_eq!(message["keywright"]["appeared"].as_array().unwrap().len(), HELD);
        assert_eq!(message["keywright"]["leftOut"], 100);
    }

    #[test]
    fn a_message_says_who_did_it_and_calls_no_channel_by_that() {
        let (target, secret, what) = ("prod".to_owned(), "prod/db".to_owned(), "description".to_owned());
        let finding = Finding { target, class: Class::Changed, secret, what };
        let change = Change { appeared: vec![finding.clone()], ..Change::default() };
        let who = [(finding, who::sample("<!channel>\n+ all is well"))].into();
        let message: Value = serde_json::from_str(&notification("pay", &change, &Findings::default(), &who)).unwrap();
        let text = message["text"].as_str().unwrap();
        let last = text.lines().last().unwrap();
        assert!(last.starts_with("    who: IAM user &lt;!channel&gt;") && last.contains("+ all is well"), "{text}");
        assert_eq!(text.lines().count(), 3, "{text}");
        assert_eq!(message["keywright"]["appeared"][0]["who"]["complete"], false);
    }
}
