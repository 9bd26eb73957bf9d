//! `${...}` in a policy: what IAM fills in, and what only looks like that.
//!
//! Source: "IAM policy elements: variables and tags". Variables stand in resources and in values of conditions, and
//! only under version 2012-10-17; `${*}`, `${?}` and `${$}` are the characters themselves.

use serde_json::Value;

use super::super::PolicyProblem;
use super::super::syntax::child;
use super::statement::Statement;
use super::{Found, Lint};

/// Lints the variables of a statement. `has_variables` says whether the document's version has any.
pub(super) fn lint(statement: &Statement<'_>, has_variables: bool, found: &mut Found) {
    let mut texts: Vec<(String, &str)> = Vec::new();
    for key in ["Resource", "NotResource"] {
        texts.extend(statement.strings(key));
    }
    texts.extend(statement.condition_values());
    for (pointer, text) in texts {
        if let Some((message, help, quoted)) = wrong(text, has_variables) {
            found.push((Lint::Variable, PolicyProblem::new(pointer, message).quoting(quoted).with_help(help)));
        }
    }
}

/// What is wrong with the first variable of a text that has something wrong: a message, a help, and what it quotes.
fn wrong(text: &str, has_variables: bool) -> Option<(String, &'static str, &str)> {
    let mut from = 0;
    while let Some(found) = text.get(from..)?.find("${") {
        let open = from + found;
        let Some(length) = text.get(open..)?.find('}') else {
            let message = "a `${` is never closed, so IAM fills in nothing".to_owned();
            return Some((message, "close it with `}`", ""));
        };
        let end = open + length + 1;
        let whole = text.get(open..end)?;
        let name = text.get(open + 2..end - 1)?;
        let escaped = open > 0 && text.as_bytes().get(open - 1) == Some(&b'$');
        if let Some((message, help)) = judge(whole, name, escaped, has_variables) {
            return Some((message, help, whole));
        }
        from = end;
    }
    None
}

fn judge(whole: &str, name: &str, escaped: bool, has_variables: bool) -> Option<(String, &'static str)> {
    // A default may follow: `${aws:PrincipalTag/team, 'none'}`.
    let key = name.split_once(',').map_or(name, |(key, _)| key);
    let is_character = matches!(name, "*" | "?" | "$");
    if !is_character && key.trim() != key {
        let help = "write it without blanks: they would be part of its name";
        return Some((format!("`{whole}` has blanks in it, so IAM does not know the variable"), help));
    }
    if !is_character && !key.contains(':') {
        let help = "IAM's variables are named after condition keys, such as `aws:PrincipalTag/team`; keywright fills \
                    in its own in a manifest, and nothing in a policy file";
        return Some((format!("`{whole}` is no variable that IAM fills in"), help));
    }
    if escaped {
        let help = "write one `$`: nothing is escaped in a policy file, and `$${` in a manifest becomes `${`";
        return Some((format!("a `$` stands before `{whole}`, and stays in what IAM compares"), help));
    }
    if !has_variables {
        let help = "write `Version`: \"2012-10-17\"";
        return Some((format!("`{whole}` is plain text: this version of the policy language has no variables"), help));
    }
    None
}

impl<'a> Statement<'a> {
    /// The values of its conditions that are texts, each with its pointer.
    fn condition_values(&self) -> Vec<(String, &'a str)> {
        let mut texts = Vec::new();
        let place = child(&self.pointer, "Condition");
        let Some(operators) = self.member("Condition").and_then(Value::as_object) else { return texts };
        for (operator, keys) in operators {
            let place = child(&place, operator);
            for (key, values) in keys.as_object().into_iter().flatten() {
                texts.extend(super::statement::strings(values, &child(&place, key)));
            }
        }
        texts
    }
}
