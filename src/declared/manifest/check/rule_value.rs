//! What a rule requires of values: keys or a schema, held against what is known of a value without any key.

use std::cell::OnceCell;
use std::sync::Arc;

use super::super::diagnostic::Report;
use super::super::field::{Field, Spanned};
use super::super::named::Files;
use super::super::schema::RuleValue;
use super::super::source::{Sources, Span};
use super::rule::{Reader, Requirement, Rules};
use super::rule_kept::Declaration;
use crate::value::{Known, Shape};

/// What a rule requires of a value.
pub(super) enum ValueRequirement {
    /// A shape that the rule itself gives.
    Keys(Arc<Shape>),
    /// The one of a file, read once; none when the file is wrong, which is reported.
    File { named: String, span: Span, shape: OnceCell<Option<Arc<Shape>>> },
}

impl ValueRequirement {
    fn shape(&self) -> Option<&Arc<Shape>> {
        match self {
            Self::Keys(shape) => Some(shape),
            Self::File { shape, .. } => shape.get()?.as_ref(),
        }
    }
}

impl Reader<'_> {
    pub(super) fn value(&mut self, spec: &Spanned<RuleValue>) -> Option<ValueRequirement> {
        let RuleValue { keys, optional, schema } = &spec.value;
        let (keys, optional, schema) = (self.get(keys), self.get(optional), self.get(schema));
        match (keys, schema) {
            (None, None) => {
                self.wrong(spec.span, "this says nothing about values", "it has `keys`, or `schema` with a file");
            }
            (Some(_), Some(schema)) => {
                self.wrong(
                    schema.span,
                    "`schema` beside `keys`",
                    "a schema says which keys there are: keep one of the two",
                );
            }
            (None, Some(schema)) => {
                if let Some(optional) = optional {
                    let help = "a schema says which keys there may be";
                    self.wrong(optional.span, "`optional` beside `schema`", help);
                }
                let (named, span) = (schema.value.clone(), schema.span);
                return Some(ValueRequirement::File { named, span, shape: OnceCell::new() });
            }
            (Some(keys), None) => {
                let required = self.names(keys);
                let optional = optional.map(|optional| self.names(optional));
                if required.is_empty() && optional.is_none() {
                    self.wrong(keys.span, "no key is required", "name at least one");
                }
                let optional = optional.as_ref().map(|optional| optional.iter().map(String::as_str));
                return Some(ValueRequirement::Keys(Shape::of_keys(required.iter().map(String::as_str), optional)));
            }
        }
        None
    }

    fn names(&mut self, names: &Spanned<Vec<Field<String>>>) -> Vec<String> {
        names.value.iter().filter_map(|name| self.get(name)).map(|name| name.value.clone()).collect()
    }
}

impl Rules {
    /// Reads the schemas that rules name. What is wrong with one is reported once, whether or not a secret needs it.
    pub(crate) fn read_schemas(&self, files: &mut Files, sources: &Sources, report: &mut Report) {
        for (requirement, _) in self.usable.iter().flat_map(|rule| &rule.requirements) {
            if let Requirement::Value(ValueRequirement::File { named, span, shape }) = requirement {
                shape.get_or_init(|| files.value_schema(named, *span, sources, report).map(Arc::new));
            }
        }
    }

    /// Holds the value of a secret against the rules that are for it: what is known of it breaks is reported, and what
    /// only the value itself shows is for an apply, where the rule is an error.
    pub(super) fn check_value(
        &self,
        secret: &Declaration<'_>,
        (value, span): (&Known, Span),
        report: &mut Report,
    ) -> Vec<(String, Arc<Shape>)> {
        let mut shapes = Vec::new();
        for rule in self.usable.iter().filter(|rule| rule.applies.to(secret)) {
            for (at, (requirement, required)) in rule.requirements.iter().enumerate() {
                let Requirement::Value(wanted) = requirement else { continue };
                let Some(shape) = wanted.shape() else { continue };
                for breach in shape.check(value, value) {
                    report.push(rule.broken_by_value(at, *required, span, &breach));
                }
                if rule.is_error() {
                    shapes.push((rule.name.clone(), Arc::clone(shape)));
                }
            }
        }
        shapes
    }
}
