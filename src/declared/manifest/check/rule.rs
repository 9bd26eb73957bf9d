//! `spec.rules` of the project: what is required of which secrets, read once, with everything that is wrong with it.

use crate::domain::Region;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regex::{Regex, RegexBuilder};

use super::super::codes::{self, Code};
use super::super::diagnostic::{Problem, Report};
use super::super::field::{Field, Map, Spanned};
use super::super::schema::{RuleMatch, RuleReplicas, RuleRotation, RuleSeverity, RuleSpec};
use super::super::source::Span;
use super::name::check_plain_name;
use super::project::Project;
use super::rule_value::ValueRequirement;
use super::{in_range, required};

/// Most rules of a project. All of them are checked against every secret.
const MAX_RULES: usize = 100;
/// Most regular expressions of a project, each of which takes memory.
const MAX_PATTERNS: usize = 500;
/// Largest compiled regular expression, in bytes: enough for some Unicode classes.
const MAX_PATTERN_BYTES: usize = 256 * 1024;

/// The rules of a project.
#[derive(Default)]
pub(crate) struct Rules {
    /// Those that are right.
    pub(super) usable: Vec<Rule>,
    /// The longest interval of schedules that were met, in hours, since working it out takes a while and thousands of
    /// secrets share one. None where the expression is wrong.
    pub(super) intervals: RefCell<HashMap<String, Option<u32>>>,
    /// The names of rules, those that are wrong included, with their places.
    names: HashMap<String, Span>,
    /// How many rules were written so far, and how many regular expressions.
    written: usize,
    patterns: usize,
}

/// One rule.
pub(super) struct Rule {
    pub(super) name: String,
    /// What a breach is reported as.
    pub(super) code: &'static Code,
    pub(super) message: Option<String>,
    pub(super) applies: Match,
    /// What is required, with the place where it is.
    pub(super) requirements: Vec<(Requirement, Span)>,
}

/// Which secrets a rule is for; `None` for all.
#[derive(Default)]
pub(super) struct Match {
    pub(super) names: Option<GlobSet>,
    pub(super) tags: Vec<(String, Pattern)>,
    pub(super) targets: Option<BTreeSet<String>>,
}

/// A thing that a rule requires.
pub(super) enum Requirement {
    Tag { key: String, pattern: Pattern },
    Name(Pattern),
    Rotation,
    RotationEvery { days: u32 },
    Replica { region: String },
    NoReplica { region: String },
    NoForceDeletion,
    KmsKey,
    Value(ValueRequirement),
}

/// A regular expression over a whole text. An empty one fits any.
pub(super) struct Pattern {
    pub(super) written: String,
    regex: Option<Regex>,
}

impl Pattern {
    pub(super) fn fits(&self, text: &str) -> bool {
        self.regex.as_ref().is_none_or(|regex| regex.is_match(text))
    }
}

impl Rules {
    /// Reads the rules of one more document. Those that are wrong are reported, and left out. Limits hold for the whole
    /// project, whichever of its documents a rule is in.
    pub(crate) fn add(&mut self, spec: &Field<Vec<Field<RuleSpec>>>, project: &Project, report: &mut Report) {
        let Some(specs) = spec.get() else { return };
        let left = MAX_RULES.saturating_sub(self.written);
        self.written += specs.value.len();
        if specs.value.len() > left {
            let place = specs.value.get(left).and_then(Field::get).map_or(specs.span, |rule| rule.span.begin());
            report.push(
                Problem::new(&codes::RULE, place, format!("a project has at most {MAX_RULES} rules"))
                    .label(format!("{} in all", self.written)),
            );
        }
        let mut reader = Reader { project, report, patterns: self.patterns, faulty: false };
        for spec in specs.value.iter().take(left).filter_map(Field::get) {
            if let Some(name) = spec.value.name.get()
                && let Some(first) = self.names.insert(name.value.clone(), name.span)
            {
                reader.report.push(
                    Problem::new(&codes::RULE, name.span, format!("there are two rules named `{}`", name.value))
                        .label("again here")
                        .related(first, "first here"),
                );
            }
            self.usable.extend(reader.rule(&spec.value, spec.span.begin()));
        }
        self.patterns = reader.patterns;
    }
}

pub(super) struct Reader<'a> {
    project: &'a Project,
    pub(super) report: &'a mut Report,
    /// Regular expressions so far.
    patterns: usize,
    /// Something of the present rule is wrong, and reported.
    pub(super) faulty: bool,
}

impl Reader<'_> {
    fn rule(&mut self, spec: &RuleSpec, start: Span) -> Option<Rule> {
        let RuleSpec {
            name,
            r#match,
            require_tags,
            name_pattern,
            rotation,
            replicas,
            value,
            forbid_force_deletion,
            require_kms_key,
            message,
            severity,
        } = spec;
        self.faulty = false;
        let name = required(name, "Project.spec.rules.name", start, self.report);
        if let Some(name) = name {
            check_plain_name(&name.value, name.span, "rule", &codes::RULE, self.report);
        }
        let applies = self.get(r#match).map(|matched| self.applies(&matched.value)).unwrap_or_default();
        let mut requirements = Vec::new();
        if let Some(tags) = self.get(require_tags) {
            self.require_tags(&tags.value, &mut requirements);
        }
        if let Some(pattern) = self.get(name_pattern) {
            if pattern.value.is_empty() {
                self.wrong(pattern.span, "an empty pattern says nothing about names", "for example [a-z0-9/-]+");
            } else if let Some(compiled) = self.pattern(pattern) {
                requirements.push((Requirement::Name(compiled), pattern.span));
            }
        }
        if let Some(rotation) = self.get(rotation) {
            self.rotation(&rotation.value, &mut requirements);
        }
        if let Some(replicas) = self.get(replicas) {
            self.replicas(&replicas.value, &mut requirements);
        }
        if let Some(value) = self.get(value) {
            let required = self.value(value);
            requirements.extend(required.map(|required| (Requirement::Value(required), value.span)));
        }
        for (field, requirement) in
            [(forbid_force_deletion, Requirement::NoForceDeletion), (require_kms_key, Requirement::KmsKey)]
        {
            requirements.extend(self.get(field).filter(|set| set.value).map(|set| (requirement, set.span)));
        }
        if requirements.is_empty() && !self.faulty {
            let place = name.map_or(start, |name| name.span);
            self.wrong(
                place,
                "this rule requires nothing",
                "add requireTags, namePattern, rotation, replicas, value, forbidForceDeletion or requireKmsKey",
            );
        }
        let code = match severity.value() {
            Some(RuleSeverity::Warning) => &codes::RULE_BROKEN_WARNING,
            Some(RuleSeverity::Error) | None => &codes::RULE_BROKEN,
        };
        let message = message.value().filter(|message| !message.is_empty()).cloned();
        (!self.faulty).then_some(())?;
        Some(Rule { name: name?.value.clone(), code, message, applies, requirements })
    }

    /// A field, if it is there and right; what is wrong with it is reported already.
    pub(super) fn get<'f, T>(&mut self, field: &'f Field<T>) -> Option<&'f Spanned<T>> {
        self.faulty |= matches!(field, Field::Invalid);
        field.get()
    }

    pub(super) fn wrong(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.faulty = true;
        self.report.push(Problem::new(&codes::RULE, span, message).help(help));
    }

    fn applies(&mut self, spec: &RuleMatch) -> Match {
        let RuleMatch { names, tags, targets } = spec;
        let names = self.get(names).and_then(|names| self.globs(names));
        let tags = self.get(tags).map(|tags| self.tags(&tags.value)).unwrap_or_default();
        let targets = self.get(targets).map(|targets| {
            if targets.value.is_empty() {
                self.matches_nothing(targets.span);
            }
            let mut chosen = BTreeSet::new();
            for target in targets.value.iter().filter_map(Field::get) {
                match self.project.members(&target.value, target.span) {
                    Ok(members) => chosen.extend(members.iter().cloned()),
                    Err(problem) => {
                        self.faulty = true;
                        self.report.push(*problem);
                    }
                }
            }
            chosen
        });
        Match { names, tags: tags.into_iter().map(|(key, pattern, _)| (key, pattern)).collect(), targets }
    }

    fn matches_nothing(&mut self, span: Span) {
        self.wrong(span, "an empty list matches no secret", "leave the field out to match all of them");
    }

    fn globs(&mut self, names: &Spanned<Vec<Field<String>>>) -> Option<GlobSet> {
        if names.value.is_empty() {
            self.matches_nothing(names.span);
        }
        let mut set = GlobSetBuilder::new();
        for name in names.value.iter().filter_map(Field::get) {
            if self.is_interpolated(name) {
                continue;
            }
            match GlobBuilder::new(&name.value).literal_separator(false).build() {
                Ok(glob) => {
                    set.add(glob);
                }
                Err(error) => self.bad_glob(name.span, &format!("`{}` is not a pattern", name.value), &error),
            }
        }
        set.build().map_err(|error| self.bad_glob(names.span, "these patterns are too large together", &error)).ok()
    }

    fn bad_glob(&mut self, span: Span, message: &str, error: &globset::Error) {
        self.faulty = true;
        self.report.push(
            Problem::new(&codes::GLOB, span, message)
                .label(error.kind().to_string())
                .help("* stands for any text, ? for one character, [ab] for one of several, {a,b} for alternatives"),
        );
    }

    /// Braces have another meaning in globs and regular expressions, so a variable would silently never match.
    fn is_interpolated(&mut self, text: &Spanned<String>) -> bool {
        let found = text.value.contains("${");
        if found {
            self.wrong(
                text.span,
                "variables aren't filled in within rules",
                "a rule is one for all targets: write a pattern that fits every one, or say `match: { targets: \
                 [...] }`",
            );
        }
        found
    }

    fn require_tags(&mut self, tags: &Map<String>, requirements: &mut Vec<(Requirement, Span)>) {
        for (key, pattern, span) in self.tags(tags) {
            if self.project.ignore_tags.ignores(&key) {
                let message = format!("no manifest can declare the tag `{key}`");
                self.wrong(
                    span,
                    message,
                    "keys under `aws:` and `keywright:` are reserved, and `ignoreTags` of the \
                    project says which others are left alone",
                );
            } else {
                requirements.push((Requirement::Tag { key, pattern }, span));
            }
        }
    }

    /// Keys with patterns over their values.
    fn tags(&mut self, tags: &Map<String>) -> Vec<(String, Pattern, Span)> {
        let mut patterns = Vec::new();
        for (key, pattern) in &tags.0 {
            if let Some(pattern) = self.get(pattern)
                && let Some(compiled) = self.pattern(pattern)
            {
                patterns.push((key.value.clone(), compiled, key.span));
            }
        }
        patterns
    }

    fn pattern(&mut self, pattern: &Spanned<String>) -> Option<Pattern> {
        let written = pattern.value.clone();
        if written.is_empty() {
            return Some(Pattern { written, regex: None });
        }
        if self.is_interpolated(pattern) {
            return None;
        }
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS {
            self.wrong(
                pattern.span,
                format!("the rules of a project have at most {MAX_PATTERNS} regular expressions"),
                "join rules that say the same of several tags",
            );
            return None;
        }
        // By itself first: brackets that are closed and opened again would join with those around it.
        let compiled = compile(&written).and_then(|_| compile(&format!(r"\A(?:{written})\z")));
        match compiled {
            Ok(regex) => Some(Pattern { written, regex: Some(regex) }),
            Err(error) => {
                self.faulty = true;
                self.report.push(
                    Problem::new(&codes::RULE, pattern.span, "this is not a regular expression")
                        .label(reason(&error))
                        .help("its syntax is that of Rust's regex crate: no look-around and no back-references"),
                );
                None
            }
        }
    }

    fn rotation(&mut self, spec: &RuleRotation, requirements: &mut Vec<(Requirement, Span)>) {
        let RuleRotation { required, at_least_every_days } = spec;
        if let Some(required) = self.get(required).filter(|required| required.value) {
            requirements.push((Requirement::Rotation, required.span));
        }
        let Some(days) = self.get(at_least_every_days) else { return };
        let within = in_range(at_least_every_days, &codes::RULE, "atLeastEveryDays", 1..=1000, self.report);
        match within.and_then(|days| u32::try_from(days).ok()) {
            Some(number) => requirements.push((Requirement::RotationEvery { days: number }, days.span)),
            None => self.faulty = true,
        }
    }

    fn replicas(&mut self, spec: &RuleReplicas, requirements: &mut Vec<(Requirement, Span)>) {
        let RuleReplicas { required, forbidden } = spec;
        let required = self.regions(required);
        for region in self.regions(forbidden) {
            if let Some(first) = required.iter().find(|other| other.value == region.value) {
                self.faulty = true;
                self.report.push(
                    Problem::new(
                        &codes::RULE,
                        region.span,
                        format!("replicas in {} are required and forbidden", region.value),
                    )
                    .label("forbidden here")
                    .related(first.span, "required here"),
                );
            }
            requirements.push((Requirement::NoReplica { region: region.value }, region.span));
        }
        requirements
            .extend(required.into_iter().map(|region| (Requirement::Replica { region: region.value }, region.span)));
    }

    fn regions(&mut self, regions: &Field<Vec<Field<String>>>) -> Vec<Spanned<String>> {
        let mut known = Vec::new();
        for region in self.get(regions).map_or(&[][..], |regions| &regions.value) {
            let Some(region) = self.get(region) else { continue };
            if Region::parse(&region.value).is_some() {
                known.push(region.clone());
            } else {
                self.wrong(region.span, format!("`{}` is not a region", region.value), "a region is like us-west-2");
            }
        }
        known
    }
}

fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES).build()
}

/// What is wrong with a regular expression, on one line. The crate's own text shows the pattern again, over several
/// lines.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "too large once it is compiled".to_owned(),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    }
}
