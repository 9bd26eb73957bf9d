//! Whether a secret keeps the rules of its project.
//!
//! A rule is about what the manifests declare once defaults and overrides are merged: what is left out is not managed,
//! and fails a rule that requires it. A field that is wrong in itself is reported elsewhere, and breaks no rule.

use super::super::codes;
use super::super::diagnostic::{Problem, Report, nearest};
use super::super::field::{Field, Map, Nullable, Text};
use super::super::schema::{Defaults, RotationSpec};
use super::super::source::Span;
use super::super::tree::Node;
use super::project::key_span;
use super::rule::{Match, Requirement, Rule, Rules};
use super::target::TargetModel;
use crate::desired::State;
use crate::domain::Schedule;
use crate::domain::schedule::HOURS_A_DAY;
use crate::domain::{AccountId, Arn};
use crate::value::ShapeBreach;

/// A secret as it is declared for one target.
pub(super) struct Declaration<'a> {
    pub(super) name: &'a str,
    /// Where the name is written.
    pub(super) name_span: Span,
    pub(super) state: State,
    /// The merged and interpolated `spec`, as fields and as a tree.
    pub(super) fields: &'a Defaults,
    pub(super) spec: &'a Node,
    pub(super) target: &'a TargetModel,
}

/// A requirement that is not met: where, what is wrong, and what to say beneath the line.
struct Breach {
    span: Span,
    message: String,
    label: String,
    help: Option<String>,
}

impl Rules {
    /// Reports every rule that the secret breaks.
    pub(super) fn check(&self, secret: &Declaration<'_>, report: &mut Report) {
        for rule in self.usable.iter().filter(|rule| rule.applies.to(secret)) {
            for (at, (requirement, required)) in rule.requirements.iter().enumerate() {
                // A secret that is to be deleted needs no tags, but the way of its deletion matters.
                if secret.state == State::Absent && !matches!(requirement, Requirement::NoForceDeletion) {
                    continue;
                }
                for breach in self.breaches(requirement, secret) {
                    report.push(problem(rule, at, requirement, *required, breach));
                }
            }
        }
    }

    fn breaches(&self, requirement: &Requirement, secret: &Declaration<'_>) -> Vec<Breach> {
        let fields = secret.fields;
        match requirement {
            Requirement::Tag { key, pattern } => secret.tag(key, &pattern.written, |value| pattern.fits(value)),
            Requirement::Name(pattern) if pattern.fits(secret.name) => Vec::new(),
            Requirement::Name(pattern) => {
                let message = format!("the name `{}` does not fit `{}`", secret.name, pattern.written);
                vec![breach(secret.name_span, message, "another name is required")]
            }
            Requirement::Rotation => secret.declared(&fields.rotation, "rotation").into_iter().collect(),
            Requirement::RotationEvery { days } => {
                fields.rotation.set().and_then(|(rotation, _)| self.too_rare(rotation, *days)).into_iter().collect()
            }
            Requirement::Replica { region } => secret.replica(region).into_iter().collect(),
            Requirement::NoReplica { region } => secret
                .replica_regions()
                .filter(|(there, _)| *there == region.as_str())
                .map(|(_, span)| breach(span, format!("a replica in {region} is forbidden"), "declared here"))
                .collect(),
            Requirement::NoForceDeletion => fields
                .deletion
                .value()
                .and_then(|deletion| deletion.force.get())
                .filter(|force| force.value)
                .map(|force| breach(force.span, "deletion by force is forbidden", "leaves no way back"))
                .into_iter()
                .collect(),
            Requirement::KmsKey => secret.keys(),
            // Held against the value itself.
            Requirement::Value(_) => Vec::new(),
        }
    }

    /// Where more days than `days` may lie between two rotations.
    fn too_rare(&self, rotation: &RotationSpec, days: u32) -> Option<Breach> {
        let (hours, span) = match (rotation.schedule.get(), rotation.every_days.get()) {
            (Some(schedule), _) => (self.longest_interval(&schedule.value)?, schedule.span),
            (None, Some(every)) => (u32::try_from(every.value).ok()?.saturating_mul(HOURS_A_DAY), every.span),
            (None, None) => return None,
        };
        if hours <= days * HOURS_A_DAY {
            return None;
        }
        let required = format!("a rotation every {} is required", plural(days, "day"));
        let (number, unit) = if hours % HOURS_A_DAY == 0 { (hours / HOURS_A_DAY, "day") } else { (hours, "hour") };
        let gap = plural(number, unit);
        let message = format!("up to {gap} lie between two rotations, and {required}");
        Some(breach(span, message, format!("{gap} at the most")))
    }

    fn longest_interval(&self, schedule: &str) -> Option<u32> {
        if let Some(known) = self.intervals.borrow().get(schedule) {
            return *known;
        }
        let found = Schedule::parse(schedule).ok().map(|schedule| schedule.longest_interval_hours());
        self.intervals.borrow_mut().insert(schedule.to_owned(), found);
        found
    }
}

impl Rule {
    /// Whether nothing is planned where it is broken.
    pub(super) fn is_error(&self) -> bool {
        self.code.id == codes::RULE_BROKEN.id
    }

    /// What is reported of a value, whose line is not shown.
    pub(super) fn broken_by_value(&self, at: usize, required: Span, span: Span, wrong: &ShapeBreach) -> Problem {
        let breach = breach(span, wrong.to_string(), "declared here");
        let requirement = self.requirements.get(at).map(|(requirement, _)| requirement);
        let problem = requirement.map(|requirement| problem(self, at, requirement, required, breach));
        problem
            .unwrap_or_else(|| Problem::new(self.code, span, wrong.to_string()))
            .masked(true)
            .about(wrong.to_string())
    }
}

impl Match {
    /// Whether the rule is for this secret.
    pub(super) fn to(&self, secret: &Declaration<'_>) -> bool {
        let Self { names, tags, targets } = self;
        names.as_ref().is_none_or(|names| names.is_match(secret.name))
            && targets.as_ref().is_none_or(|targets| targets.contains(&secret.target.target.name))
            && tags.iter().all(|(key, pattern)| {
                let value = secret.tags().and_then(|tags| find(tags, key)).and_then(Field::get);
                value.is_some_and(|value| pattern.fits(&secret.text(&value.value)))
            })
    }
}

impl<'a> Declaration<'a> {
    fn tags(&self) -> Option<&'a Map<Text>> {
        self.fields.tags.set().map(|(tags, _)| tags)
    }

    /// A tag's value. An ARN that isn't known yet stands in it as one of the right form.
    fn text(&self, text: &Text) -> String {
        let target = &self.target.target;
        let account = target.account.as_ref().map_or("111111111111", AccountId::as_str);
        text.0.preview(&|name| {
            Some(Arn::of_service(format!("arn:aws:secretsmanager:{}:{account}:secret:{name}-abcdef", target.region)))
        })
    }

    fn tag(&self, key: &str, pattern: &str, fits: impl Fn(&str) -> bool) -> Vec<Breach> {
        if matches!(self.fields.tags.0, Field::Invalid) {
            return Vec::new();
        }
        let tags = self.tags();
        match tags.and_then(|tags| find(tags, key)) {
            Some(Field::Set(value)) => {
                let text = self.text(&value.value);
                if fits(&text) {
                    return Vec::new();
                }
                let shown = if text.chars().count() > 60 { "this".to_owned() } else { format!("`{text}`") };
                vec![breach(
                    value.span,
                    format!("{shown} is no value for the tag `{key}`"),
                    format!("must fit `{pattern}`"),
                )]
            }
            Some(Field::Invalid) => Vec::new(),
            Some(Field::Absent) | None => {
                let others = tags.map_or(&[][..], |tags| &tags.0).iter().map(|(key, _)| key.value.as_str());
                let help = nearest(key, others)
                    .map(|near| format!("it has a tag `{near}`; keys are equal only with the case of every letter"));
                let label = format!("declares no tag `{key}`");
                let found = breach(self.name_span, format!("the tag `{key}` is required"), label);
                vec![Breach { help, ..found }]
            }
        }
    }

    /// What is wrong where a field has to be declared.
    fn declared<T>(&self, field: &Nullable<T>, name: &str) -> Option<Breach> {
        let message = format!("`{name}` is required");
        match &field.0 {
            Field::Absent => Some(breach(self.name_span, message, format!("declares no `{name}`"))),
            Field::Set(set) if set.value.is_none() => Some(breach(set.span, message, "says that there must be none")),
            Field::Set(_) | Field::Invalid => None,
        }
    }

    fn replica_regions(&self) -> impl Iterator<Item = (&'a str, Span)> {
        let replicas = self.fields.replicas.set().map_or(&[][..], |(replicas, _)| replicas);
        replicas
            .iter()
            .filter_map(|replica| replica.value()?.region.get())
            .map(|region| (region.value.as_str(), region.span))
    }

    fn replica(&self, region: &str) -> Option<Breach> {
        // What is in a region already needs no replica there.
        if self.target.target.region == *region || self.replica_regions().any(|(there, _)| there == region) {
            return None;
        }
        let message = format!("a replica in {region} is required");
        match &self.fields.replicas.0 {
            Field::Absent => Some(breach(self.name_span, message, "declares no `replicas`")),
            Field::Set(_) => Some(breach(key_span(self.spec, &["replicas"]), message, "not in this list")),
            Field::Invalid => None,
        }
    }

    /// The secret, and its replicas, without a key of their own.
    fn keys(&self) -> Vec<Breach> {
        let mut found: Vec<Breach> = self.declared(&self.fields.kms_key_id, "kmsKeyId").into_iter().collect();
        found.extend(self.fields.kms_key_id.set().and_then(|(key, span)| shared_key(key, span)));
        let replicas = self.fields.replicas.set().map_or(&[][..], |(replicas, _)| replicas);
        for replica in replicas.iter().filter_map(Field::value) {
            match (&replica.kms_key_id.0, replica.region.get()) {
                (Field::Absent, Some(region)) => found.push(breach(
                    region.span,
                    format!("`kmsKeyId` of the replica in {} is required", region.value),
                    "declares no `kmsKeyId`",
                )),
                (Field::Set(key), _) => found.extend(match &key.value {
                    Some(named) => shared_key(named, key.span),
                    None => Some(breach(key.span, "`kmsKeyId` is required", "says that there must be none")),
                }),
                (Field::Absent | Field::Invalid, _) => {}
            }
        }
        found
    }
}

/// Says what is wrong with the key that all secrets of an account share.
fn shared_key(key: &str, span: Span) -> Option<Breach> {
    let shared = key == "alias/aws/secretsmanager" || key.ends_with(":alias/aws/secretsmanager");
    shared.then(|| {
        breach(span, "a KMS key other than alias/aws/secretsmanager is required", "shared by the whole account")
    })
}

fn find<'a>(tags: &'a Map<Text>, key: &str) -> Option<&'a Field<Text>> {
    tags.0.iter().find(|(known, _)| known.value == key).map(|(_, value)| value)
}

fn breach(span: Span, message: impl Into<String>, label: impl Into<String>) -> Breach {
    Breach { span, message: message.into(), label: label.into(), help: None }
}

fn problem(rule: &Rule, at: usize, requirement: &Requirement, required: Span, breach: Breach) -> Problem {
    let here = match requirement {
        Requirement::NoReplica { .. } | Requirement::NoForceDeletion => "forbidden here",
        Requirement::Tag { .. }
        | Requirement::Name(_)
        | Requirement::Rotation
        | Requirement::RotationEvery { .. }
        | Requirement::Replica { .. }
        | Requirement::Value(_)
        | Requirement::KmsKey => "required here",
    };
    let Breach { span, message, label, help } = breach;
    Problem::new(rule.code, span, format!("rule `{}`: {message}", rule.name))
        .label(label)
        .related(required, here)
        .help_if(help)
        .help_if(rule.message.clone())
        .about(format!("{}/{at}", rule.name))
}

/// `1 day` or `2 days`.
fn plural(number: u32, unit: &str) -> String {
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}
