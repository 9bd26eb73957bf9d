//! One string with `${...}` in it: its parts once everything is filled in, or what is wrong with it.
//!
//! `${name}` is a variable, `${map.key}` a look-up, `${target.…}` an attribute, `${each…}` an item, and
//! `${secret:NAME:arn}` another secret's ARN. The key of a look-up may hold variables itself. What may not enter:
//! where the string stands.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use super::codes::{self, Code};
use super::diagnostic::{listed, nearest};
use super::fault::Fault;
use super::variables::{Lookup, Variables};
use crate::domain::{Part, SecretName};

/// Most mistakes of one string that are reported.
const MAX_FAULTS: usize = 10;

/// Most bytes that variables put into one string: as many as the largest value has.
const MAX_FILLED: usize = 65_536;

/// How deep the keys of look-ups are look-ups again.
const MAX_NESTING: usize = 4;

/// The word that `forEach` takes from its items: `${each}`, `${each.FIELD}` and `${each.index}`.
pub(crate) const EACH: &str = "each";

/// What came of one string.
pub(crate) struct Expansion {
    /// Its parts, or what is wrong with it: nothing new, where a variable in it is wrong.
    pub(crate) filled: Result<Vec<Part>, Vec<Fault>>,
    /// The variables that it names, each once.
    pub(crate) uses: Vec<String>,
}

/// Fills in one string.
pub(crate) fn expand(text: &str, variables: &dyn Variables) -> Expansion {
    let mut expander = Expander::new(variables);
    expander.run(text);
    let Expander { faults, mut parts, pending, poisoned, mut uses, .. } = expander;
    let mut known = HashSet::new();
    uses.retain(|name| known.insert(name.clone()));
    if poisoned || !faults.is_empty() {
        return Expansion { filled: Err(faults), uses };
    }
    if !pending.is_empty() {
        parts.push(Part::Text(pending));
    }
    Expansion { filled: Ok(parts), uses }
}

/// Writes a text so that `expand` gives it back: every `${` in it becomes `$${`.
pub fn escape(text: &str) -> String {
    text.replace("${", "$${")
}

struct Expander<'a> {
    variables: &'a dyn Variables,
    faults: Vec<Fault>,
    parts: Vec<Part>,
    pending: String,
    /// A variable in it is wrong, which is reported already.
    poisoned: bool,
    /// The variables that it names, each as often as it does.
    uses: Vec<String>,
    /// How many bytes came out of variables.
    grown: usize,
    /// In how many keys of look-ups this stands.
    nesting: usize,
}

impl<'a> Expander<'a> {
    fn new(variables: &'a dyn Variables) -> Self {
        Self {
            variables,
            faults: Vec::new(),
            parts: Vec::new(),
            pending: String::new(),
            poisoned: false,
            uses: Vec::new(),
            grown: 0,
            nesting: 0,
        }
    }

    fn run(&mut self, text: &str) {
        let mut at = 0;
        while self.faults.len() < MAX_FAULTS
            && let Some(found) = text.get(at..).and_then(|rest| rest.find("${"))
        {
            let open = at + found;
            if text.get(..open).is_some_and(|before| before.ends_with('$')) && open > at {
                self.pending.push_str(text.get(at..open - 1).unwrap_or_default());
                self.pending.push_str("${");
                at = open + 2;
                continue;
            }
            self.pending.push_str(text.get(at..open).unwrap_or_default());
            let Some(close) = closing(text, open + 2) else {
                self.fault(
                    &codes::BAD_INTERPOLATION,
                    open..open + 2,
                    "a `${` is never closed",
                    "no `}` after this",
                    vec!["close it with `}`; a literal ${ is written $${".to_owned()],
                );
                return;
            };
            self.expression(text.get(open + 2..close).unwrap_or_default(), open..close + 1);
            at = close + 1;
        }
        self.pending.push_str(text.get(at..).unwrap_or_default());
    }

    fn expression(&mut self, expression: &str, at: Range<usize>) {
        if let Some(reference) = expression.strip_prefix("secret:") {
            self.reference(reference, at);
            return;
        }
        let Some(name) = self.with_key(expression, &at) else { return };
        let Some(text) = self.variable(&name, &at) else { return };
        self.grown += text.len();
        if self.grown > MAX_FILLED {
            let message = format!("the variables of one text fill in more than {MAX_FILLED} bytes");
            self.fault(&codes::BAD_INTERPOLATION, at, &message, "with this one", Vec::new());
            return;
        }
        self.pending.push_str(&text);
    }

    /// What an expression names, with the key of a look-up filled in: `accounts.${stage}`.
    fn with_key<'t>(&mut self, expression: &'t str, at: &Range<usize>) -> Option<Cow<'t, str>> {
        let parts = expression.split_once('.').filter(|(map, key)| is_variable_name(map) && key.contains("${"));
        let Some((map, key)) = parts else { return Some(Cow::Borrowed(expression)) };
        let wrong = |expander: &mut Self, message: &str| {
            expander.fault(&codes::BAD_INTERPOLATION, at.clone(), message, "plain text and variables only", Vec::new());
        };
        if self.nesting >= MAX_NESTING {
            wrong(self, &format!("look-ups are nested more than {MAX_NESTING} deep"));
            return None;
        }
        if key.contains("${secret:") {
            wrong(self, "another secret's ARN cannot be the key of a look-up");
            return None;
        }
        let key = self.within(key, at.start + "${".len() + map.len() + 1)?;
        Some(Cow::Owned(format!("{map}.{key}")))
    }

    /// Fills in the text within an expression, which begins at `start`; none when something in it is wrong.
    fn within(&mut self, text: &str, start: usize) -> Option<String> {
        let mut inner = Expander { grown: self.grown, nesting: self.nesting + 1, ..Expander::new(self.variables) };
        inner.run(text);
        let whole = inner.faults.is_empty() && !inner.poisoned;
        for mut fault in inner.faults {
            fault.at = fault.at.start + start..fault.at.end + start;
            self.faults.push(fault);
        }
        self.grown = inner.grown;
        self.poisoned |= inner.poisoned;
        self.uses.append(&mut inner.uses);
        whole.then_some(inner.pending)
    }

    fn reference(&mut self, reference: &str, at: Range<usize>) {
        let Some(name) = reference.strip_suffix(":arn").filter(|name| !name.is_empty()) else {
            self.fault(
                &codes::BAD_INTERPOLATION,
                at,
                "a reference to a secret that has another form than `${secret:NAME:arn}`",
                "only `:arn` can be asked for",
                vec!["for example ${secret:prod/payments/db:arn}".to_owned()],
            );
            return;
        };
        // Names usually begin with a variable, so variables are filled in here too; one reference within another makes
        // no sense.
        if name.contains("${secret:") {
            self.fault(&codes::BAD_INTERPOLATION, at, "a reference to a secret within another one", "", Vec::new());
            return;
        }
        let name = self.within(name, at.start + "${secret:".len()).unwrap_or_default();
        if !self.pending.is_empty() {
            self.parts.push(Part::Text(std::mem::take(&mut self.pending)));
        }
        self.parts.push(Part::SecretArn(SecretName::new(name)));
    }

    fn variable(&mut self, name: &str, at: &Range<usize>) -> Option<String> {
        if let Some(attribute) = name.strip_prefix("target.") {
            return self.attribute(name, attribute, at);
        }
        match self.variables.variable(name) {
            Lookup::Text(text) => {
                self.uses.push(name.to_owned());
                return Some(text.to_owned());
            }
            Lookup::Wrong => {
                self.uses.push(name.to_owned());
                self.poisoned = true;
                return None;
            }
            Lookup::LeftOut | Lookup::Unknown => {}
        }
        let fault = unknown_item(name, at, self.variables)
            .or_else(|| unknown_key(name, at, self.variables))
            .or_else(|| misplaced(name, at))
            .unwrap_or_else(|| unknown_variable(name, at, self.variables));
        self.faults.push(fault);
        None
    }

    fn attribute(&mut self, name: &str, attribute: &str, at: &Range<usize>) -> Option<String> {
        match self.variables.attribute(attribute) {
            Lookup::Text(text) => {
                self.uses.push(name.to_owned());
                Some(text.to_owned())
            }
            Lookup::Wrong => {
                self.uses.push(name.to_owned());
                self.poisoned = true;
                None
            }
            Lookup::LeftOut => {
                let target = self.variables.target();
                self.fault(
                    &codes::UNKNOWN_VARIABLE,
                    at.clone(),
                    &format!("target `{target}` has no {attribute}"),
                    "needed here",
                    vec![format!("set `{attribute}` of target `{target}` in the project file")],
                );
                None
            }
            Lookup::Unknown => {
                self.fault(
                    &codes::UNKNOWN_VARIABLE,
                    at.clone(),
                    &format!("unknown variable `{name}`"),
                    "not an attribute of a target",
                    vec!["a target has `target.name`, `target.account` and `target.region`".to_owned()],
                );
                None
            }
        }
    }

    fn fault(&mut self, code: &'static Code, at: Range<usize>, message: &str, label: &str, help: Vec<String>) {
        self.faults.push(Fault { code, at, message: message.to_owned(), label: label.to_owned(), help });
    }
}

/// What is wrong with a variable that the target does not have.
fn unknown_variable(name: &str, at: &Range<usize>, variables: &dyn Variables) -> Fault {
    let names: Vec<&str> = variables.names().into_iter().filter(|name| !name.contains('.')).collect();
    let near = nearest(name, names.iter().copied().chain(["target.name", "target.account", "target.region"]));
    let target = variables.target();
    let known = if names.is_empty() {
        format!("target `{target}` has no variables: declare it in that target's `vars`")
    } else {
        format!("target `{target}` has {}", listed(names.iter().copied()))
    };
    Fault {
        code: &codes::UNKNOWN_VARIABLE,
        at: at.clone(),
        message: format!("unknown variable `{name}`"),
        label: near
            .map_or_else(|| "not in the target's `vars`".to_owned(), |near| format!("did you mean `${{{near}}}`?")),
        help: vec![known],
    }
}

/// What is wrong with `${map.key}`, where the map is known, or its name is much like that of one.
fn unknown_key(name: &str, at: &Range<usize>, variables: &dyn Variables) -> Option<Fault> {
    let (map, key) = name.split_once('.').filter(|(map, _)| is_variable_name(map))?;
    let names = variables.names();
    let pairs = || names.iter().filter_map(|name| name.split_once('.')).filter(|(map, _)| *map != EACH);
    let keys: Vec<&str> = pairs().filter(|(known, _)| *known == map).map(|(_, key)| key).collect();
    let (message, near, help) = if keys.is_empty() {
        let maps: std::collections::BTreeSet<&str> = pairs().map(|(map, _)| map).collect();
        let near = nearest(map, maps.iter().copied())?;
        let help = format!("the project's maps are {}", listed(maps.iter().copied()));
        (format!("unknown map `{map}`"), Some(format!("{near}.{key}")), help)
    } else {
        let near = nearest(key, keys.iter().copied()).map(|near| format!("{map}.{near}"));
        let help = format!("it has {}", listed(keys.iter().copied()));
        (format!("the map `{map}` has no key `{key}`"), near, help)
    };
    let label = near.map_or_else(|| "no such key".to_owned(), |near| format!("did you mean `${{{near}}}`?"));
    Some(Fault { code: &codes::UNKNOWN_VARIABLE, at: at.clone(), message, label, help: vec![help] })
}

/// What is wrong with `${each}` or one of its fields.
fn unknown_item(name: &str, at: &Range<usize>, variables: &dyn Variables) -> Option<Fault> {
    let field = name.strip_prefix(EACH).filter(|rest| rest.is_empty() || rest.starts_with('.'))?;
    let names = variables.names();
    let fields: Vec<&str> = names.iter().copied().filter(|name| name.split('.').next() == Some(EACH)).collect();
    let (message, label, help) = if fields.is_empty() {
        let help = "it stands for an item of `forEach`, which this document does not have".to_owned();
        (format!("`${{{name}}}` has no item here"), "no `forEach`".to_owned(), help)
    } else if variables.unshown() > 0 {
        // The nearest of them is one that is not shown either.
        let help = format!("it has {} columns, which the first row of the list's file names", variables.unshown());
        let message = if field.is_empty() { "the item is a row" } else { "the row has no such column" };
        (format!("`${{{name}}}`: {message}"), "name one of its columns".to_owned(), help)
    } else if field.is_empty() {
        let help = format!("its fields are {}", listed(fields.iter().copied()));
        ("the item is a map, and `${each}` is a text".to_owned(), "name one of its fields".to_owned(), help)
    } else {
        let near = nearest(name, fields.iter().copied());
        let label = near.map_or_else(|| "no such field".to_owned(), |near| format!("did you mean `${{{near}}}`?"));
        (format!("the item has no `{name}`"), label, format!("it has {}", listed(fields.iter().copied())))
    };
    Some(Fault { code: &codes::UNKNOWN_VARIABLE, at: at.clone(), message, label, help: vec![help] })
}

/// What looks like a variable and is something else.
fn misplaced(name: &str, at: &Range<usize>) -> Option<Fault> {
    let of_iam = name.trim();
    let (message, label, help) =
        if of_iam.starts_with("aws:") || of_iam.contains(":aws:") || matches!(of_iam, "*" | "?" | "$") {
            (
                format!("`${{{name}}}` is an IAM policy variable, not one of keywright's"),
                "filled in by IAM, not here",
                format!("an IAM policy variable is written $${{{of_iam}}}"),
            )
        } else if name.starts_with("env.") || name.starts_with("env:") {
            (
                format!("`${{{name}}}` would read the environment, which manifests never do"),
                "not a variable",
                "declare it in the target's `vars`; for a secret's value there is the source `env`".to_owned(),
            )
        } else if name.trim() != name {
            (
                format!("`${{{name}}}` has spaces in it"),
                "spaces are part of the name",
                format!("write ${{{}}}", name.trim()),
            )
        } else if name.split_once('.').is_some_and(|(map, key)| is_variable_name(map) && !key.is_empty()) {
            (
                format!("there is no map for `${{{name}}}`"),
                "not a look-up",
                "look-ups are declared in `spec.maps` of the project; a literal ${ is written $${".to_owned(),
            )
        } else if name.is_empty() || !is_variable_name(name) {
            (format!("`${{{name}}}` is not a variable"), "not a name", "a literal ${ is written $${".to_owned())
        } else {
            return None;
        };
    Some(Fault { code: &codes::BAD_INTERPOLATION, at: at.clone(), message, label: label.to_owned(), help: vec![help] })
}

/// Whether a variable can have this name.
pub(crate) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.len() <= 128
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// The `}` that closes what begins at `from`.
fn closing(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 1;
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                depth += 1;
                at += 1;
            }
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::super::variables::VariablePlace;
    use super::*;

    struct Staging;

    impl Variables for Staging {
        fn target(&self) -> &'static str {
            "staging"
        }
        fn variable(&self, name: &str) -> Lookup<'_> {
            match name {
                "env" => Lookup::Text("stg"),
                "broken" => Lookup::Wrong,
                _ => Lookup::Unknown,
            }
        }
        fn names(&self) -> Vec<&str> {
            vec!["env"]
        }
        fn attribute(&self, name: &str) -> Lookup<'_> {
            match name {
                "region" => Lookup::Text("eu-west-1"),
                "account" => Lookup::LeftOut,
                _ => Lookup::Unknown,
            }
        }
        fn places(&self, _: &str) -> &[VariablePlace] {
            &[]
        }
    }

    fn expand(text: &str, variables: &dyn Variables) -> Result<Vec<Part>, Vec<Fault>> {
        super::expand(text, variables).filled
    }

    fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    #[test]
    fn variables_attributes_and_escapes() {
        assert_eq!(expand("${env}/db in ${target.region}", &Staging).unwrap(), [text("stg/db in eu-west-1")]);
        assert_eq!(expand("$${aws:username} costs $5 $", &Staging).unwrap(), [text("${aws:username} costs $5 $")]);
        assert_eq!(expand("", &Staging).unwrap(), []);
    }

    #[test]
    fn references_may_hold_variables() {
        let parts = expand("see ${secret:${env}/db:arn}!", &Staging).unwrap();
        assert_eq!(parts, [text("see "), Part::SecretArn(SecretName::new("stg/db")), text("!")]);
    }

    #[test]
    fn mistakes_say_what_is_meant() {
        let fault = |source: &str| expand(source, &Staging).unwrap_err().remove(0);
        assert_eq!(fault("${aws:username}").help, ["an IAM policy variable is written $${aws:username}"]);
        assert_eq!(fault("x${enw}").label, "did you mean `${env}`?");
        assert_eq!(fault("x${enw}").at, 1..7);
        assert_eq!(fault("${secret:${enw}/db:arn}").at, 9..15);
        assert_eq!(fault("${target.account}").help, ["set `account` of target `staging` in the project file"]);
        assert_eq!(fault("a ${env").message, "a `${` is never closed");
        assert_eq!(fault("${secret:a:value}").label, "only `:arn` can be asked for");
        assert_eq!(fault("${env.HOME}").code.id, "bad-interpolation");
    }

    #[test]
    fn wrong_variable_causes_no_second_mistake() {
        assert_eq!(expand("a ${broken} b", &Staging).unwrap_err(), []);
        assert_eq!(expand("${secret:${broken}/db:arn}", &Staging).unwrap_err(), []);
    }

    #[test]
    fn blanks_around_a_policy_variable_do_not_make_it_one_of_ours() {
        let fault = expand("${ aws:username }", &Staging).unwrap_err().remove(0);
        assert_eq!(fault.help, ["an IAM policy variable is written $${aws:username}"]);
    }

    #[test]
    fn what_variables_fill_in_is_bounded() {
        let many = "${env}".repeat(MAX_FILLED / 3 + 1);
        assert_eq!(expand(&many, &Staging).unwrap_err().len(), 1);
        assert!(expand(&"${env}".repeat(100), &Staging).is_ok());
    }

    proptest! {
        #[test]
        fn escaped_text_comes_back(source in "[$ {}a-z]{0,40}") {
            let parts = expand(&escape(&source), &Staging).unwrap();
            let text = |part: &Part| match part {
                Part::Text(text) => text.clone(),
                Part::SecretArn(_) => "?".to_owned(),
            };
            let whole: String = parts.iter().map(text).collect();
            prop_assert_eq!(whole, source);
        }

        #[test]
        fn any_text_is_taken_without_panic(source in "[${}:a-z.]{0,60}") {
            let _ = expand(&source, &Staging);
        }
    }
}
