//! What is asked before something is written: how much, and where.

use super::escape::{self, Escaped, Terminal};
use super::{count, escaped, words};
use crate::domain::AccountId;
use crate::plan::Plan;
use crate::workflow::Prepared;

/// What a confirmation takes as yes.
const ONLY_YES: &str = "Only \"yes\" is taken as one: ";

/// Where something is written.
pub struct Where<'a> {
    /// The target's name.
    pub target: &'a str,
    /// The account, when it is known.
    pub account: Option<&'a str>,
    /// The region.
    pub region: &'a str,
    /// The endpoint, when it is not AWS itself; `sandbox` for the embedded one.
    pub endpoint: Option<&'a str>,
}

impl Where<'_> {
    /// As in `prod-eu (account 333333333333, eu-west-1)`.
    fn text(&self) -> Escaped<Terminal> {
        let Where { target, account, region, endpoint } = self;
        let account = account.map_or_else(|| "account not checked".to_owned(), |id| format!("account {id}"));
        let mut parts = vec![account, (*region).to_owned()];
        match endpoint {
            Some("sandbox") => parts.insert(0, "SANDBOX".to_owned()),
            Some(endpoint) => parts.push(format!("endpoint {endpoint}")),
            None => {}
        }
        escape::line(&format!("{target} ({})", parts.join(", ")))
    }
}

/// A question, and the only answer that is taken as a yes.
pub struct Question {
    /// What is asked.
    pub text: Escaped<Terminal>,
    /// What must be typed.
    pub yes: String,
}

/// From this many deletions on, their number has to be typed: a `yes` is written before it is thought.
const MANY_DELETES: usize = 5;

/// The question before an apply.
pub fn apply(prepared: &Prepared<'_>) -> Question {
    let plans = || prepared.planned().map(|(_, planned)| &planned.target.plan).filter(|plan| !plan.is_empty());
    let places: Vec<Escaped<Terminal>> = plans()
        .map(|plan| {
            let place = Where {
                target: &plan.target,
                account: plan.account.as_ref().map(AccountId::as_str),
                region: plan.region.as_str(),
                endpoint: plan.endpoint.as_deref(),
            };
            escaped!("{}: {}", place.text(), kinds(plan))
        })
        .collect();
    let changes = count(plans().map(|plan| plan.secrets.len()).sum(), "change");
    let project = escape::line(prepared.project);
    let asked: Escaped<Terminal> = match places.as_slice() {
        [place] => escaped!("Apply {} of {} to {}? ", changes, project, place),
        places => {
            let each = places.iter().map(|place| -> Escaped<Terminal> { escaped!("  {}\n", place) });
            escaped!("Apply {} of {}?\n{}", changes, project, each.collect::<Escaped<_>>())
        }
    };
    let deletes = plans()
        .flat_map(|plan| &plan.secrets)
        .filter(|secret| secret.is_removal() || secret.moved_from().is_some())
        .count();
    if deletes < MANY_DELETES {
        return Question { text: escaped!("{}{}", asked, ONLY_YES), yes: "yes".to_owned() };
    }
    let text = escaped!(
        "{}\n{} will be DELETED. Only their number is taken as a yes: ",
        asked.trimmed(),
        count(deletes, "secret")
    );
    Question { text, yes: deletes.to_string() }
}

/// How many secrets each verb has.
fn kinds(plan: &Plan) -> Escaped<Terminal> {
    let kinds = words::verb_counts(&plan.secrets).into_iter();
    Escaped::join(kinds.map(|(_, number, label)| -> Escaped<Terminal> { escaped!("{} {}", number, label) }), ", ")
}

/// The question before a call that writes to one secret: a sentence such as `Rotate it`.
pub fn one_secret(what: &str, place: &Where<'_>) -> Question {
    let text = escaped!("{} in {}? {}", escape::line(what), place.text(), ONLY_YES);
    Question { text, yes: "yes".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_says_where_it_runs() {
        let place =
            |endpoint| Where { target: "prod-eu", account: Some("333333333333"), region: "eu-west-1", endpoint };
        assert_eq!(place(None).text(), "prod-eu (account 333333333333, eu-west-1)");
        assert_eq!(place(Some("sandbox")).text(), "prod-eu (SANDBOX, account 333333333333, eu-west-1)");
        assert_eq!(
            place(Some("http://127.0.0.1:4566")).text(),
            "prod-eu (account 333333333333, eu-west-1, endpoint http://127.0.0.1:4566)"
        );
        let unknown = Where { account: None, ..place(None) };
        assert_eq!(
            one_secret("Rotate it", &unknown).text,
            format!("Rotate it in prod-eu (account not checked, eu-west-1)? {ONLY_YES}").as_str()
        );
    }
}
