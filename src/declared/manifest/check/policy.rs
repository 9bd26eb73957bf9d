//! `spec.policy`: an inline document or a JSON file, checked as IAM would.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::source::{Sources, Span};
use super::super::tree::{Kind, Node};
use super::unquoted;
use crate::desired::PolicyTemplate;
use crate::domain::{Arn, Part, Template};
use crate::policy::PolicyDocument;

/// An inline policy as JSON, with the places that wait for another secret's ARN, and whether nothing is wrong with it.
pub(crate) fn inline_policy(node: &Node, sources: &Sources, report: &mut Report) -> Option<(PolicyTemplate, bool)> {
    let mut holes = BTreeMap::new();
    let rewritten = unquoted::check(node, sources, report);
    let document = to_json(node, &mut String::new(), &mut holes);
    if is_poisoned(node) {
        return None;
    }
    let template = PolicyTemplate { document, holes };
    // An ARN that isn't known yet is checked as one of the right form and length.
    let checked = template
        .resolve(&|name| {
            Some(Arn::of_service(format!("arn:aws:secretsmanager:us-east-1:111111111111:secret:{name}-abcdef")))
        })
        .map_or_else(|_| template.document.clone(), |document| document.as_written().clone());
    let problems = PolicyDocument::check(&checked);
    let is_good = problems.is_empty() && !rewritten;
    for problem in problems {
        let span = place_of(node, &problem.pointer);
        let number = match &node.at_pointer(&problem.pointer).kind {
            Kind::Number(raw) if sources.quotes(span) => Some(format!("quote it: \"{raw}\"")),
            _ => None,
        };
        // Nothing of a file that a manifest refers to is ever shown.
        let message = if sources.quotes(span) { problem.message } else { problem.unquoted };
        report.push(Problem::new(&codes::POLICY, span, message).help_if(number).help_if(problem.help));
    }
    Some((template, is_good))
}

/// The place of what a pointer into a policy leads to.
pub(crate) fn place_of(policy: &Node, pointer: &str) -> Span {
    let place = policy.at_pointer(pointer);
    let key = pointer.rsplit_once('/').and_then(|(parent, step)| policy.at_pointer(parent).entry(step));
    match (key, &place.kind) {
        (Some((key, _)), Kind::Map(_) | Kind::Seq(_)) => key.span,
        (None, Kind::Map(_) | Kind::Seq(_)) => place.span.begin(),
        // The key may be what is wrong, or its value.
        (Some((key, value)), _) if key.span.start < value.span.start => Span { end: value.span.end, ..key.span },
        _ => place.span,
    }
}

/// The problems of a policy file. `tree` is the same text read as YAML, of which JSON is a part: it knows the places.
pub(crate) fn file_policy(
    text: &str,
    tree: Option<&Node>,
    file_start: Span,
    named: Span,
    problems: &mut Vec<Problem>,
) -> Option<PolicyTemplate> {
    if let Err(error) = serde_json::from_str::<Value>(text) {
        let line = u32::try_from(error.line()).unwrap_or(1).max(1);
        let column = u32::try_from(error.column()).unwrap_or(1).max(1);
        let what = if error.is_eof() { "it ends too early" } else { "a syntax error" };
        problems.push(
            Problem::new(
                &codes::POLICY,
                Span { line, column, ..file_start },
                format!("this policy file is not JSON: {what}"),
            )
            .related(named, "the file is named here"),
        );
        return None;
    }
    match PolicyDocument::parse(text) {
        Ok(policy) => Some(PolicyTemplate { document: policy.as_written().clone(), holes: BTreeMap::new() }),
        Err(found) => {
            for problem in found {
                let span = tree.map_or(file_start, |tree| tree.at_pointer(&problem.pointer).span.begin());
                problems.push(
                    // Nothing of a file that a manifest refers to is ever shown.
                    Problem::new(&codes::POLICY, span, problem.unquoted)
                        .help_if(problem.help)
                        .related(named, "the file is named here"),
                );
            }
            None
        }
    }
}

fn is_poisoned(node: &Node) -> bool {
    match &node.kind {
        Kind::Poison => true,
        Kind::Seq(items) => items.iter().any(is_poisoned),
        Kind::Map(entries) => entries.iter().any(|(_, value)| is_poisoned(value)),
        _ => false,
    }
}

fn to_json(node: &Node, pointer: &mut String, holes: &mut BTreeMap<String, Template>) -> Value {
    match &node.kind {
        Kind::Null | Kind::Poison => Value::Null,
        Kind::Bool(value) => Value::Bool(*value),
        // What JSON would write in another way is reported, and taken for the text that was meant.
        Kind::Number(raw) => unquoted::json_number(raw).map_or_else(|| Value::String(raw.to_string()), Value::Number),
        Kind::String(text) => Value::String(text.to_string()),
        Kind::Template(parts) => {
            holes.insert(pointer.clone(), Template::new(parts.to_vec()));
            let placeholder = parts.iter().map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::SecretArn(name) => format!("${{secret:{name}:arn}}"),
            });
            Value::String(placeholder.collect())
        }
        Kind::Seq(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| beneath(pointer, &at.to_string(), |pointer| to_json(item, pointer, holes)))
            .collect(),
        Kind::Map(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, value)| {
                    let step = key.text.replace('~', "~0").replace('/', "~1");
                    (key.text.to_string(), beneath(pointer, &step, |pointer| to_json(value, pointer, holes)))
                })
                .collect::<Map<_, _>>(),
        ),
    }
}

fn beneath<T>(pointer: &mut String, step: &str, read: impl FnOnce(&mut String) -> T) -> T {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(step);
    let result = read(pointer);
    pointer.truncate(length);
    result
}
