//! A plan as people read it on a terminal, and in a log.

use std::fmt::Write as _;

use super::finding::{finding_help, finding_text};
use super::paint::Paint;
use super::policy_diff::policy_diff;
use super::{escape, words};
use crate::desired::OWNER_TAG;
use crate::origin::Origin;
use crate::plan::{Change, Counts, Finding, Plan, PlanReport, PlannedText, Refusal, SecretPlan, Severity, Verb};

/// The verbs in the order in which the summary names them.
const VERBS: [(Verb, &str); 6] = [
    (Verb::Create, "to create"),
    (Verb::Restore, "to restore"),
    (Verb::Adopt, "to adopt"),
    (Verb::Change, "to change"),
    (Verb::Release, "to release"),
    (Verb::Delete, "to delete"),
];

/// Width of the column that names a field.
const FIELD: usize = 12;

/// Findings of one kind of severity that are listed one by one; further ones are counted.
const LISTED_INFO: usize = 10;

/// The heading of one target.
pub fn heading(paint: Paint, name: &str, account: Option<&str>, region: &str) -> String {
    let account = account.unwrap_or("account not checked");
    let place = format!("  {} · {}", escape::line(account), escape::line(region));
    format!("{}{}\n", paint.strong(escape::line(name)), paint.faint(place))
}

/// One target's plan: its secrets with their differences, the findings, and a summary line.
pub fn target(paint: Paint, plan: &Plan, report: &PlanReport) -> String {
    let mut out = heading(paint, &plan.target, plan.account.as_deref(), &plan.region);
    for secret in &plan.secrets {
        out.push('\n');
        out.push_str(&secret_plan(paint, secret));
    }
    out.push_str(&findings(paint, &report.findings));
    let _ = writeln!(out, "\n  {}", summary(paint, plan, report));
    out
}

/// `3 to create, 1 to change; 28 unchanged`.
pub fn summary(paint: Paint, plan: &Plan, report: &PlanReport) -> String {
    let Counts { desired: _, unchanged, blocked, owned_live: _ } = report.counts;
    if plan.is_empty() && blocked > 0 {
        return format!(
            "Nothing planned: {} held back by errors; {unchanged} unchanged.",
            words::count(blocked, "secret")
        );
    }
    if plan.is_empty() {
        return format!("Nothing to do: {} as the manifests say.", words::count(unchanged, "secret"));
    }
    let planned: Vec<String> = VERBS
        .into_iter()
        .filter_map(|(verb, label)| {
            let number = plan.secrets.iter().filter(|secret| secret.verb == verb).count();
            (number > 0).then(|| words::paint_verb(paint, verb, &format!("{number} {label}")))
        })
        .collect();
    let blocked = if blocked > 0 {
        format!("; {}", paint.error(format!("{blocked} held back by errors")))
    } else {
        String::new()
    };
    format!("{}; {unchanged} unchanged{blocked}.", planned.join(", "))
}

fn secret_plan(paint: Paint, secret: &SecretPlan) -> String {
    let (sign, verb) = words::verb(secret.verb);
    let head = words::paint_verb(paint, secret.verb, &format!("{sign} {verb:<7}"));
    let name = paint.strong(escape::line(secret.name.as_str()));
    let at = secret.origin.as_ref().map_or_else(String::new, |origin| format!("  {}", paint.faint(place(origin))));
    let mut out = format!("  {head} {name}{at}\n");
    let mut fields = Fields { out: &mut out, paint, own: secret.origin.as_ref() };
    if !secret.depends_on.is_empty() {
        let names: Vec<_> = secret.depends_on.iter().map(|name| escape::line(name.as_str())).collect();
        fields.line("after", &paint.faint(names.join(", ")), None);
    }
    let (mut tags_labelled, mut replicas_labelled) = (false, false);
    for change in &secret.changes {
        match change {
            Change::Restored => fields.line("deletion", "is taken back", None),
            Change::Deleted { deletion, replicas } => {
                fields.line("deletion", &words::deletion(*deletion), None);
                if !replicas.is_empty() {
                    let regions: Vec<_> = replicas.iter().map(|region| escape::line(region)).collect();
                    let text = format!("the replicas in {} go first, at once and for good", regions.join(", "));
                    fields.line("replicas", &paint.removed(text), None);
                }
            }
            Change::Type { before, after, origin } => {
                let name = |kind: &Option<String>| {
                    kind.as_deref().map_or_else(|| "none".to_owned(), |kind| escape::line(kind).into_owned())
                };
                let new = secret.verb == Verb::Create;
                let text = if new { paint.added(name(after)) } else { change_of(paint, &name(before), &name(after)) };
                fields.line("type", &text, Some(origin));
            }
            Change::Rotation { before, after, run, origin } => {
                let text = match (before, after) {
                    (None, Some(after)) => paint.added(words::rotation(after)),
                    (Some(before), None) => format!("{} → off", paint.removed(words::rotation(before))),
                    (Some(before), Some(after)) => words::rotation_changes(before, after)
                        .into_iter()
                        .map(|(before, after)| change_of(paint, &before, &after))
                        .collect::<Vec<_>>()
                        .join(", "),
                    (None, None) => "off".to_owned(),
                };
                fields.line("rotation", &text, Some(origin));
                if let Some(run) = words::rotation_run(*run) {
                    fields.line("", &paint.warning(run), None);
                }
            }
            Change::Replica { region, before, after, reason, origin } => {
                let label = if replicas_labelled { "" } else { "replicas" };
                replicas_labelled = true;
                fields.line(label, &replica(paint, region, before.as_ref(), after.as_ref()), Some(origin));
                if let Some(reason) = words::replica_reason(region, reason) {
                    fields.line("", &paint.warning(reason), None);
                }
            }
            Change::Description { before, after, origin } => {
                fields.line("description", &text_change(paint, before.as_deref(), after.as_ref()), Some(origin));
            }
            Change::KmsKey { before, after, origin } => {
                let name = |key: &Option<String>| {
                    key.as_deref().map_or_else(|| "the default key".to_owned(), |key| escape::line(key).into_owned())
                };
                let new = secret.verb == Verb::Create;
                let text = if new { paint.added(name(after)) } else { change_of(paint, &name(before), &name(after)) };
                fields.line("kmsKeyId", &text, Some(origin));
            }
            Change::Tag { key, before, after, origin } => {
                let label = if tags_labelled { "" } else { "tags" };
                tags_labelled = true;
                fields.line(label, &tag(paint, key, before.as_deref(), after.as_ref()), origin.as_ref());
            }
            Change::Value { reason, source, origin } => {
                let text = format!("{}: {}", paint.changed(words::source(source)), words::value_reason(reason));
                fields.line("value", &text, Some(origin));
            }
            Change::Label { label, before, after, origin } => {
                let version = |id: &Option<String>, none: &str| {
                    id.as_deref().map_or_else(|| none.to_owned(), |id| escape::line(id).into_owned())
                };
                let change = change_of(paint, &version(before, "no version"), &version(after, "git's version"));
                fields.line("label", &format!("{}: {change}", escape::line(label)), Some(origin));
            }
            Change::Policy { before, after, origin } => {
                fields.line("policy", "", Some(origin));
                for line in policy_diff(paint, before, after) {
                    let _ = writeln!(fields.out, "          {line}");
                }
            }
        }
    }
    out
}

/// The fields of one secret, each on its line.
struct Fields<'a> {
    out: &'a mut String,
    paint: Paint,
    own: Option<&'a Origin>,
}

impl Fields<'_> {
    /// A field; its place is named when it is another file than the secret's own, as with defaults.
    fn line(&mut self, label: &str, text: &str, origin: Option<&Origin>) {
        let elsewhere = origin.filter(|origin| self.own.is_none_or(|own| own.file != origin.file));
        let at = elsewhere.map_or_else(String::new, |origin| format!("  {}", self.paint.faint(place(origin))));
        let line = format!("      {label:<FIELD$} {text}{at}");
        let _ = writeln!(self.out, "{}", line.trim_end());
    }
}

fn text_change(paint: Paint, before: Option<&str>, after: Option<&PlannedText>) -> String {
    match (before, after) {
        (Some(before), Some(after)) => words::word_diff(paint, before, &after.text),
        (None, Some(after)) => paint.added(words::quote(&escape::line(&after.text))),
        (Some(before), None) => format!("{} → none", paint.removed(words::quote(&escape::line(before)))),
        (None, None) => "none".to_owned(),
    }
}

fn change_of(paint: Paint, before: &str, after: &str) -> String {
    format!("{} → {}", paint.removed(before), paint.added(after))
}

fn tag(paint: Paint, key: &str, before: Option<&str>, after: Option<&PlannedText>) -> String {
    let shown = escape::line(key);
    match (before, after) {
        (before, Some(after)) => {
            let value = escape::line(&after.text);
            match before {
                None => paint.added(format!("+ {shown} = {value}")),
                Some(before) => {
                    let change = change_of(paint, &escape::line(before), &value);
                    format!("{} {shown} = {change}", paint.changed("~"))
                }
            }
        }
        (Some(before), None) => {
            let text = paint.removed(format!("- {shown} = {}", escape::line(before)));
            if key == OWNER_TAG { format!("{text}  {}", paint.faint("(no longer managed)")) } else { text }
        }
        (None, None) => shown.into_owned(),
    }
}

fn replica(paint: Paint, region: &str, before: Option<&Option<String>>, after: Option<&Option<String>>) -> String {
    let key = |key: &Option<String>| match key.as_deref() {
        None | Some("alias/aws/secretsmanager") => "the region's default key".to_owned(),
        Some(key) => escape::line(key).into_owned(),
    };
    let region = escape::line(region);
    match (before, after) {
        (None, Some(after)) => paint.added(format!("+ {region} with {}", key(after))),
        (Some(_), None) => paint.removed(format!("- {region}")),
        (Some(before), Some(after)) if key(before) == key(after) => {
            format!("{} {region} with {}", paint.changed("~"), key(after))
        }
        (Some(before), Some(after)) => {
            format!("{} {region}: {}", paint.changed("~"), change_of(paint, &key(before), &key(after)))
        }
        (None, None) => region.into_owned(),
    }
}

/// `file:line`: what editors and terminals turn into a link.
fn place(origin: &Origin) -> String {
    format!("{}:{}", escape::line(&origin.file), origin.line)
}

/// The findings, the worst first.
fn findings(paint: Paint, findings: &[Finding]) -> String {
    let mut out = String::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        let of_severity: Vec<&Finding> = findings.iter().filter(|finding| finding.severity() == severity).collect();
        let listed = if severity == Severity::Info { LISTED_INFO } else { usize::MAX };
        for finding in of_severity.iter().take(listed) {
            let label = match severity {
                Severity::Error => paint.error("error"),
                Severity::Warning => paint.warning("warning"),
                Severity::Info => paint.faint("note"),
            };
            let name = paint.strong(escape::line(finding.secret.as_str()));
            let origin = finding.origin.as_ref().map_or_else(String::new, |at| format!("  {}", paint.faint(place(at))));
            let _ = writeln!(out, "\n  {label}: {name} {}{origin}", finding_text(finding));
            if let Some(help) = finding_help(finding) {
                let _ = writeln!(out, "      {}", paint.faint(help));
            }
        }
        if of_severity.len() > listed {
            let rest = of_severity.len() - listed;
            let _ = writeln!(out, "\n  {} more like these; --format json lists all.", words::count(rest, "note"));
        }
    }
    out
}

/// Secrets of one refusal that are named; the others are counted.
const NAMED_IN_REFUSAL: usize = 5;

/// The guards that did not let the apply pass, each with what lifts it.
pub fn refusals(paint: Paint, refusals: &[Refusal]) -> String {
    let mut out = String::new();
    for refusal in refusals {
        let names: Vec<_> = refusal.secrets.iter().map(|name| escape::line(name.as_str())).collect();
        let shown = names.iter().take(NAMED_IN_REFUSAL).map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
        let secrets = match names.len() {
            0 => String::new(),
            number if number <= NAMED_IN_REFUSAL => format!(" ({shown})"),
            number => format!(" ({shown} and {} more)", number - NAMED_IN_REFUSAL),
        };
        let target = escape::line(&refusal.target);
        let kind = refusal.kind.to_string();
        let kind = escape::line(&kind);
        let _ = writeln!(out, "{}: {target}: {kind}{secrets}", paint.error("refused"));
        let help = refusal.kind.lifted_by().map_or_else(
            || "this guard cannot be lifted".to_owned(),
            |flag| format!("when that is what you want: {flag}"),
        );
        let _ = writeln!(out, "  {}", paint.faint(help));
    }
    out
}
