//! The fields of one target with variables filled in: those of the project, of the matrix and of the target itself.

use std::collections::BTreeMap;

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::field::{Field, Map, Spanned};
use super::super::interpolate::{Expansion, Lookup, VariablePlace, Variables, expand};
use super::super::matrix::Combination;
use super::super::schema::{ProjectSpec, TargetSpec};
use super::super::source::Sources;
use super::variables::{Entry, FilledVariables, check_names, fill_variables};
use crate::domain::Part;

/// Longest key and value of a label, as Kubernetes has it.
const MAX_LABEL: usize = 63;

/// The fields of a target as they are for one combination.
pub(super) struct FilledTarget {
    pub(super) name: Field<String>,
    pub(super) account: Field<String>,
    pub(super) region: Field<String>,
    pub(super) assume_role: Field<String>,
    pub(super) profile: Field<String>,
    pub(super) endpoint_url: Field<String>,
    pub(super) labels: Vec<(Spanned<String>, Spanned<String>)>,
}

/// Fills in the variables of a target, and its fields.
pub(super) fn filled_target(
    spec: &TargetSpec,
    combination: &Combination,
    project: &ProjectSpec,
    sources: &Sources,
    report: &mut Report,
) -> (FilledVariables, FilledTarget) {
    let TargetSpec { name, matrix: _, account, region, assume_role, profile, endpoint_url, labels, vars } = spec;
    check_names(vars.value().into_iter().flat_map(|vars| vars.0.iter().map(|(key, _)| key)), report);
    let mut written = Entry::variables(&project.vars);
    written.extend(Entry::maps(&project.maps));
    written.extend(combination.0.iter().map(|(key, value)| Entry::of_matrix(key, value)));
    written.extend(Entry::variables(vars));
    let attributes = [("name", name), ("account", account), ("region", region)];
    written.extend(attributes.iter().filter_map(|(attribute, text)| Entry::attribute(attribute, text)));
    let label = name.value().map_or("", String::as_str);
    let variables = fill_variables(&written, label, sources, report);
    let mut filler = Filler { vars: &variables, label, sources, report };
    let target = FilledTarget {
        name: filler.attribute_field("name", name),
        account: filler.attribute_field("account", account),
        region: filler.attribute_field("region", region),
        assume_role: filler.field(assume_role),
        profile: filler.field(profile),
        endpoint_url: filler.field(endpoint_url),
        labels: filler.labels(labels),
    };
    (variables, target)
}

struct Filler<'a> {
    vars: &'a FilledVariables,
    label: &'a str,
    sources: &'a Sources,
    report: &'a mut Report,
}

impl Variables for Filler<'_> {
    fn target(&self) -> &str {
        match self.vars.attribute("name") {
            Lookup::Text(name) => name,
            _ => self.label,
        }
    }

    fn variable(&self, name: &str) -> Lookup<'_> {
        self.vars.look_up(name)
    }

    fn names(&self) -> Vec<&str> {
        self.vars.names()
    }

    fn attribute(&self, name: &str) -> Lookup<'_> {
        self.vars.attribute(name)
    }

    fn places(&self, name: &str) -> &[VariablePlace] {
        self.vars.places(name)
    }
}

impl Filler<'_> {
    /// An attribute, which was filled in among the variables.
    fn attribute_field(&mut self, name: &str, written: &Field<String>) -> Field<String> {
        match (written, self.vars.attribute(name)) {
            (Field::Set(set), Lookup::Text(text)) => {
                let places = self.vars.places(&format!("target.{name}"));
                self.report.filled(set.span, places.iter().filter(|place| place.span != set.span));
                Field::Set(Spanned { value: text.to_owned(), span: set.span })
            }
            (Field::Absent, _) => Field::Absent,
            _ => Field::Invalid,
        }
    }

    fn field(&mut self, written: &Field<String>) -> Field<String> {
        match written {
            Field::Set(set) => self.text(set).map_or(Field::Invalid, Field::Set),
            Field::Absent => Field::Absent,
            Field::Invalid => Field::Invalid,
        }
    }

    fn labels(&mut self, labels: &Field<Map<String>>) -> Vec<(Spanned<String>, Spanned<String>)> {
        let labels = labels.value().map_or(&[][..], |labels| &labels.0);
        labels.iter().filter_map(|(key, value)| Some((key.clone(), self.text(value.get()?)?))).collect()
    }

    fn text(&mut self, set: &Spanned<String>) -> Option<Spanned<String>> {
        let Expansion { filled, uses } = expand(&set.value, self);
        let parts = match filled {
            Ok(parts) => parts,
            Err(faults) => {
                let problems = faults.into_iter().map(|fault| fault.in_text(&set.value, set.span, self.sources));
                problems.for_each(|problem| self.report.push(problem));
                return None;
            }
        };
        self.report.filled(set.span, uses.iter().flat_map(|name| self.vars.places(name)));
        let value = match parts.as_slice() {
            [] => String::new(),
            [Part::Text(text)] => text.clone(),
            _ => {
                self.report.push(
                    Problem::new(&codes::REFERENCE_NOT_ALLOWED, set.span, "another secret's ARN cannot stand here")
                        .label("plain text and variables only"),
                );
                return None;
            }
        };
        Some(Spanned { value, span: set.span })
    }
}

/// Checks labels. Those that are wrong are reported, and left out.
pub(super) fn check_labels(
    labels: &[(Spanned<String>, Spanned<String>)],
    report: &mut Report,
) -> BTreeMap<String, String> {
    let mut checked = BTreeMap::new();
    for (key, value) in labels {
        let fits = [(key, false), (value, true)].into_iter().all(|(text, may_be_empty)| {
            if may_be_empty && text.value.is_empty() || is_label(&text.value) {
                return true;
            }
            let what = if may_be_empty { "value" } else { "key" };
            report.push(
                Problem::new(&codes::TARGET_LABEL, text.span, format!("`{}` cannot be a label's {what}", text.value))
                    .label("at most 63 letters, digits, -, _ and ., with a letter or digit at both ends"),
            );
            false
        });
        if fits {
            checked.insert(key.value.clone(), value.value.clone());
        }
    }
    checked
}

/// Whether a text can be a label's key or value, as Kubernetes has them without a prefix.
pub(crate) fn is_label(text: &str) -> bool {
    let ends = |end: Option<char>| end.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= MAX_LABEL
        && ends(text.chars().next())
        && ends(text.chars().next_back())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}
