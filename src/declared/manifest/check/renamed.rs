//! `metadata.renamedFrom`: the name before, which must be in scope and nobody's any more.

use std::collections::BTreeMap;

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::schema::SecretMetadata;
use super::super::source::{Sources, Span};
use super::dependencies::Built;
use super::name::check_secret_name;
use super::target::TargetModel;
use crate::desired::{RenamedFrom, State};
use crate::domain::SecretName;

fn problem(span: Span, message: impl Into<String>) -> Problem {
    Problem::new(&codes::RENAMED_FROM, span, message)
}

/// The name before, when it can be one.
pub(crate) fn renamed_from(
    metadata: &SecretMetadata,
    state: State,
    target: &TargetModel,
    sources: &Sources,
    report: &mut Report,
) -> Option<RenamedFrom> {
    let written = metadata.renamed_from.get()?;
    let (name, span) = (written.value.as_str(), written.span);
    if !check_secret_name(name, None, span, report) {
        return None;
    }
    if let Some(service) = metadata.managed_by.get() {
        report.push(
            problem(span, "`renamedFrom` beside `managedBy`: only the service makes and deletes such a secret")
                .label("no name of ours")
                .related(service.span, "of a service"),
        );
        return None;
    }
    if state == State::Absent {
        report.push(
            problem(span, "`renamedFrom` beside `state: absent`: nothing is made that could take the old one's place")
                .label("is not renamed")
                .help("to delete the old secret, declare it under its own name with `state: absent`"),
        );
        return None;
    }
    if metadata.name.value().is_some_and(|own| own == name) {
        report.push(problem(span, "`renamedFrom` is the secret's own name").label("the same name"));
        return None;
    }
    if !target.scope.contains(name) && !target.scope.prefixes().is_empty() {
        report.push(
            problem(span, format!("`renamedFrom` names `{name}`, which is outside the project's scope"))
                .label("begins with no prefix of the scope")
                .help("what is outside the scope is never read or deleted; widen the scope, or copy the value by hand"),
        );
        return None;
    }
    Some(RenamedFrom { name: SecretName::new(name), origin: sources.origin(span) })
}

/// Nobody else has the old name, and it goes to one secret alone.
pub(crate) fn check_renames(secrets: &BTreeMap<SecretName, Built>, report: &mut Report) {
    let mut given: BTreeMap<&SecretName, Span> = BTreeMap::new();
    for built in secrets.values() {
        let (Some(renamed), Some(span)) = (&built.secret.renamed_from, built.renamed_span) else { continue };
        if let Some(other) = secrets.get(&renamed.name) {
            report.push(
                problem(span, format!("`{}` is still declared under its old name", renamed.name))
                    .label("renamed from it")
                    .related(other.name_span, "declared here")
                    .help("remove that manifest; names that change round go one after the other, each with an apply"),
            );
        }
        if let Some(first) = given.insert(&renamed.name, span) {
            report.push(
                problem(span, format!("two secrets are renamed from `{}`", renamed.name))
                    .label("again here")
                    .related(first, "first here")
                    .help("one of them takes the old one's place; the other is a secret of its own"),
            );
        }
    }
}
