//! `${...}` in strings: variables, the target's attributes, and other secrets' ARNs.
//!
//! It never reads the environment: a manifest from a pull request is untrusted text.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::codes::{self, Code};
use super::diagnostic::{Problem, Report, listed, nearest};
use super::fault::Fault;
use super::mask;
use super::source::{Sources, Span};
use super::tree::{Kind, Node};
pub(crate) use super::variables::{Lookup, VariablePlace, Variables};
use crate::domain::{Part, SecretName};

/// A reference to another secret, where it is written.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) name: SecretName,
    pub(crate) span: Span,
    pub(crate) masked: bool,
}

/// Fills in every string beneath `node`, and gives the secrets that are referred to.
pub(crate) fn fill(
    node: &mut Node,
    variables: &dyn Variables,
    sources: &Sources,
    report: &mut Report,
) -> Vec<Reference> {
    let mut filler = Filler { variables, sources, report, references: Vec::new() };
    filler.node(node, false);
    filler.references
}

struct Filler<'a> {
    variables: &'a dyn Variables,
    sources: &'a Sources,
    report: &'a mut Report,
    references: Vec<Reference>,
}

impl Filler<'_> {
    fn node(&mut self, node: &mut Node, masked: bool) {
        match &mut node.kind {
            Kind::Seq(items) => items.iter_mut().for_each(|item| self.node(item, masked)),
            Kind::Map(entries) => {
                for (key, value) in entries {
                    let masked = masked || mask::holds_values(&key.text);
                    self.node(value, masked);
                }
            }
            Kind::String(text) if text.contains("${") => {
                let text = Arc::clone(text);
                node.kind = self.string(&text, node.span, masked);
                node.plain = false;
            }
            _ => {}
        }
    }

    fn string(&mut self, text: &str, span: Span, masked: bool) -> Kind {
        let Expansion { filled, uses } = expand(text, self.variables);
        let parts = match filled {
            Ok(parts) => parts,
            Err(faults) => {
                let masked = masked || !self.sources.shows(span);
                for fault in faults {
                    let problem = if masked {
                        Problem::new(fault.code, span, "a ${...} cannot be filled in")
                            .help("a literal ${ is written $${")
                            .masked(true)
                    } else {
                        fault.in_text(text, span, self.sources)
                    };
                    self.report.push(problem);
                }
                return Kind::Poison;
            }
        };
        self.report.filled(span, uses.iter().flat_map(|name| self.variables.places(name)));
        for part in &parts {
            if let Part::SecretArn(name) = part {
                self.references.push(Reference { name: name.clone(), span, masked });
            }
        }
        match parts.as_slice() {
            [] => Kind::String("".into()),
            [Part::Text(text)] => Kind::String(text.as_str().into()),
            _ => Kind::Template(parts.into()),
        }
    }
}

/// Most mistakes of one string that are reported.
const MAX_FAULTS: usize = 10;

/// Most bytes that variables put into one string: as many as the largest value has.
const MAX_FILLED: usize = 65_536;

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

/// Writes a text so that [`expand`] gives it back: every `${` in it becomes `$${`.
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
        } else if let Some(text) = self.variable(expression, &at) {
            self.grown += text.len();
            if self.grown > MAX_FILLED {
                let message = format!("the variables of one text fill in more than {MAX_FILLED} bytes");
                self.fault(&codes::BAD_INTERPOLATION, at, &message, "with this one", Vec::new());
                return;
            }
            self.pending.push_str(&text);
        }
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
        let mut inner = Expander { grown: self.grown, ..Expander::new(self.variables) };
        let nested = name.contains("${secret:");
        if nested {
            self.fault(&codes::BAD_INTERPOLATION, at, "a reference to a secret within another one", "", Vec::new());
            return;
        }
        inner.run(name);
        for mut fault in inner.faults {
            let shift = at.start + "${secret:".len();
            fault.at = fault.at.start + shift..fault.at.end + shift;
            self.faults.push(fault);
        }
        self.grown = inner.grown;
        self.poisoned |= inner.poisoned;
        self.uses.append(&mut inner.uses);
        if !self.pending.is_empty() {
            self.parts.push(Part::Text(std::mem::take(&mut self.pending)));
        }
        self.parts.push(Part::SecretArn(SecretName::new(inner.pending)));
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
        if let Some(fault) = misplaced(name, at) {
            self.faults.push(fault);
            return None;
        }
        let names = self.variables.names();
        let near = nearest(name, names.iter().copied().chain(["target.name", "target.account", "target.region"]));
        let target = self.variables.target();
        let known = if names.is_empty() {
            format!("target `{target}` has no variables: declare it in that target's `vars`")
        } else {
            format!("target `{target}` has {}", listed(names.iter().copied()))
        };
        self.fault(
            &codes::UNKNOWN_VARIABLE,
            at.clone(),
            &format!("unknown variable `{name}`"),
            &near
                .map_or_else(|| "not in the target's `vars`".to_owned(), |near| format!("did you mean `${{{near}}}`?")),
            vec![known],
        );
        None
    }

    fn attribute(&mut self, name: &str, attribute: &str, at: &Range<usize>) -> Option<String> {
        match self.variables.attribute(attribute) {
            Lookup::Text(text) => Some(text.to_owned()),
            Lookup::Wrong => {
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
