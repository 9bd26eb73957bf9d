//! What is asked before something is written: how much, and where.

use super::escape::{self, Escaped, Terminal};
use super::{count, escaped};
use crate::domain::AccountId;
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

/// The question before an apply.
pub fn apply(prepared: &Prepared<'_>) -> Escaped<Terminal> {
    let places: Vec<(usize, Escaped<Terminal>)> = prepared
        .planned()
        .map(|(_, planned)| &planned.target.plan)
        .filter(|plan| !plan.is_empty())
        .map(|plan| {
            let place = Where {
                target: &plan.target,
                account: plan.account.as_ref().map(AccountId::as_str),
                region: plan.region.as_str(),
                endpoint: plan.endpoint.as_deref(),
            };
            (plan.secrets.len(), place.text())
        })
        .collect();
    let changes = count(places.iter().map(|(number, _)| number).sum(), "change");
    match places.as_slice() {
        [(_, place)] => escaped!("Apply {} to {}? {}", changes, place, ONLY_YES),
        places => {
            let each =
                places.iter().map(|(number, place)| -> Escaped<Terminal> { escaped!("  {} to {}\n", number, place) });
            escaped!("Apply {}?\n{}{}", changes, each.collect::<Escaped<_>>(), ONLY_YES)
        }
    }
}

/// The question before a call that writes to one secret: a sentence such as `Rotate it`.
pub fn one_secret(what: &str, place: &Where<'_>) -> Escaped<Terminal> {
    escaped!("{} in {}? {}", escape::line(what), place.text(), ONLY_YES)
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
            one_secret("Rotate it", &unknown),
            format!("Rotate it in prod-eu (account not checked, eu-west-1)? {ONLY_YES}").as_str()
        );
    }
}
