//! `spec.audit`: what an audit measures with, and what it excuses.

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::field::Field;
use super::super::schema::{AuditIgnoreSpec, ProjectSpec};
use super::super::source::Span;
use super::project::Project;
use super::tags::check_key;
use super::{in_range, required};
use crate::desired::{AuditKind, AuditRules, Ignore, IgnoreError, TagPatterns};
use crate::domain::TagKey;

/// Most findings that are excused one by one.
const MAX_IGNORED: usize = 500;

/// What an audit measures with, over all targets.
#[derive(Default)]
pub(crate) struct Audit(AuditRules);

impl Audit {
    /// What counts in a target; `is_for` says whether a text stands for it.
    pub(super) fn in_target(&self, is_for: impl Fn(&str) -> bool) -> AuditRules {
        let mut rules = self.0.clone();
        rules.ignored.retain(|ignore| ignore.targets().is_none_or(&is_for));
        rules
    }
}

pub(super) fn check_audit(spec: &ProjectSpec, project: &Project, report: &mut Report) -> Audit {
    let mut rules = AuditRules::default();
    let Some(audit) = spec.audit.value() else { return Audit(rules) };
    let days = |field: &Field<i64>, what: &str, most: i64, days: &mut u32, report: &mut Report| {
        let given = in_range(field, &codes::AUDIT, what, 1..=most, report);
        *days = given.and_then(|given| u32::try_from(given).ok()).unwrap_or(*days);
    };
    days(&audit.unused_days, "unusedDays", 365, &mut rules.unused_days, report);
    days(&audit.value_age_days, "valueAgeDays", 3650, &mut rules.value_age_days, report);
    days(&audit.rotation_days, "rotationDays", 1000, &mut rules.rotation_days, report);
    for key in audit.required_tags.value().map_or(&[][..], Vec::as_slice).iter().filter_map(Field::get) {
        check_key(&key.value, key.span, &TagPatterns::new(globset::GlobSet::empty()), report);
        rules.required_tags.push(TagKey::of_service(key.value.clone()));
    }
    let ignored = audit.ignore.get();
    if let Some(ignored) = ignored.filter(|ignored| ignored.value.len() > MAX_IGNORED) {
        let message = format!("at most {MAX_IGNORED} findings are excused, not {}", ignored.value.len());
        report.push(Problem::new(&codes::AUDIT, ignored.span, message).label("too many"));
    }
    for one in ignored.map_or(&[][..], |ignored| &ignored.value).iter().filter_map(Field::get) {
        rules.ignored.extend(check_ignore(&one.value, one.span, project, report));
    }
    Audit(rules)
}

fn check_ignore(spec: &AuditIgnoreSpec, at: Span, project: &Project, report: &mut Report) -> Option<Ignore<AuditKind>> {
    let place = "spec.audit.ignore";
    let finding = required(&spec.finding, &format!("{place}.finding"), at, report);
    let secrets = required(&spec.secrets, &format!("{place}.secrets"), at, report);
    let until = required(&spec.until, &format!("{place}.until"), at, report);
    let (finding, secrets, until) = (finding?, secrets?, until?);
    let targets = spec.targets.get();
    if let Some(targets) = targets
        && let Err(problem) = project.members(&targets.value, targets.span)
    {
        report.push(*problem);
        return None;
    }
    let ignore =
        Ignore::new(&finding.value, &secrets.value, &until.value, targets.map(|targets| targets.value.as_str()));
    ignore
        .map_err(|error| {
            let (code, span, label) = match &error {
                IgnoreError::Kind(_) | IgnoreError::Form => (&codes::AUDIT, finding.span, "no such finding"),
                IgnoreError::Glob(_) => (&codes::GLOB, secrets.span, "not a pattern"),
                IgnoreError::Date => (&codes::AUDIT, until.span, "not a day"),
            };
            let message = match error {
                IgnoreError::Date => "a day is written YYYY-MM-DD".to_owned(),
                error => error.to_string(),
            };
            report.push(Problem::new(code, span, message).label(label));
        })
        .ok()
}
