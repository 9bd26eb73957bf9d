//! The project file: its name, defaults and limits.

use std::collections::BTreeSet;
use std::rc::Rc;

use globset::{Glob, GlobSetBuilder};

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::field::Field;
use super::super::group::Groups;
use super::super::schema::{API_VERSION, ProjectDocument, ProjectSpec, PruneChoice};
use super::super::source::{Sources, Span};
use super::super::tree::Node;
use super::audit::{Audit, check_audit};
use super::name::check_plain_name;
use super::rule::Rules;
use super::tags::check_key;
use super::target::{TargetModel, check_overlaps, check_targets};
use super::variables::{Entry, check_names};
use super::{in_range, required};
use crate::desired::{AuditRules, DEFAULT_RECOVERY_WINDOW_DAYS, GuardLimits, Prune, TagPatterns};
use crate::domain::TagKey;

/// A project that was read and checked.
pub(crate) struct Project {
    pub(crate) name: String,
    pub(crate) targets: Vec<TargetModel>,
    /// The groups of them that were named.
    pub(crate) groups: Groups,
    /// Where `spec.targets` stands.
    pub(crate) targets_span: Span,
    /// `spec.defaults` as a tree.
    pub(crate) defaults: Option<Node>,
    pub(crate) prune: Prune,
    pub(crate) prune_window_days: u8,
    pub(crate) ignore_tags: TagPatterns,
    pub(crate) guards: GuardLimits,
    /// What an audit measures with, and what it excuses.
    pub(crate) audit: Audit,
    pub(crate) value_owner_tag: Option<TagKey>,
    pub(crate) rules: Rules,
    /// `spec.include` as written.
    pub(crate) include: Vec<(String, Span)>,
    /// The Defaults documents of these folders, in this order.
    pub(crate) shared: Vec<Node>,
    /// `spec.manifests`, when it is there.
    pub(crate) manifests: Option<Vec<(String, Span)>>,
    /// `spec.scope.namePrefixes` as written.
    pub(crate) prefixes: Vec<String>,
}

impl Project {
    /// The names of the targets that a text stands for: a name, a glob or a selector of labels.
    pub(crate) fn members(&self, text: &str, span: Span) -> Result<Rc<BTreeSet<String>>, Box<Problem>> {
        self.groups.members(text, span, || self.targets.iter().map(TargetModel::labelled).collect())
    }

    /// What an audit measures with in a target, and what it excuses there.
    pub(crate) fn audit_of(&self, target: &TargetModel) -> AuditRules {
        self.audit.in_target(|targets| self.names(targets, target))
    }

    /// Whether a text stands for a target. What is wrong with it is reported elsewhere.
    pub(crate) fn names(&self, text: &str, target: &TargetModel) -> bool {
        self.members(text, Span::default()).is_ok_and(|members| members.contains(&target.target.name))
    }
}

/// Checks a Project document. `None` when it lacks what everything else needs.
pub(crate) fn check_project(
    document: &ProjectDocument,
    tree: &Node,
    sources: &Sources,
    report: &mut Report,
) -> Option<Project> {
    let key = |path: &[&str]| key_span(tree, path);
    let metadata = required(&document.metadata, "Project.metadata", key(&["kind"]), report);
    let spec = required(&document.spec, "Project.spec", key(&["kind"]), report);
    let name = metadata.and_then(|metadata| {
        let name = required(&metadata.value.name, "Project.metadata.name", key(&["metadata"]), report)?;
        check_plain_name(&name.value, name.span, "project", &codes::PROJECT_NAME, report);
        Some(name.value.clone())
    });
    let spec = &spec?.value;
    let vars = spec.vars.value().into_iter().flat_map(|vars| vars.0.iter().map(|(key, _)| key));
    let maps = spec.maps.value().into_iter().flat_map(|maps| maps.0.iter().map(|(key, _)| key));
    check_names(vars.chain(maps), report);
    check_shared_entries(spec, report);
    let targets = check_targets(spec, tree, sources, report);
    let mut project = Project {
        name: name.unwrap_or_default(),
        targets,
        groups: Groups::default(),
        targets_span: key(&["spec", "targets"]),
        defaults: tree.get("spec").and_then(|spec| spec.get("defaults")).cloned(),
        prune: match spec.prune.value() {
            Some(PruneChoice::Delete) => Prune::Delete,
            Some(PruneChoice::Release) => Prune::Release,
            Some(PruneChoice::Report) | None => Prune::Report,
        },
        prune_window_days: spec
            .prune_deletion
            .value()
            .and_then(|deletion| recovery_window(&deletion.recovery_window_days, report))
            .unwrap_or(DEFAULT_RECOVERY_WINDOW_DAYS),
        ignore_tags: tag_patterns(spec, report),
        guards: guards(spec, report),
        audit: Audit::default(),
        value_owner_tag: value_owner_tag(spec, report),
        rules: Rules::default(),
        include: paths(&spec.include).unwrap_or_default(),
        shared: Vec::new(),
        manifests: paths(&spec.manifests),
        prefixes: spec
            .scope
            .value()
            .and_then(|scope| scope.name_prefixes.value())
            .map(|prefixes| prefixes.iter().filter_map(Field::value).cloned().collect())
            .unwrap_or_default(),
    };
    let mut rules = Rules::default();
    rules.add(&spec.rules, &project, report);
    project.rules = rules;
    project.audit = check_audit(spec, &project, report);
    check_overlaps(&project.targets, report);
    Some(project)
}

/// Paths with their places, where there are any.
fn paths(listed: &Field<Vec<Field<String>>>) -> Option<Vec<(String, Span)>> {
    let listed = listed.value()?.iter().filter_map(Field::get);
    Some(listed.map(|path| (path.value.clone(), path.span)).collect())
}

/// Most variables and entries of maps that all targets share: each target has them all.
const MAX_SHARED: usize = 1_000;

fn check_shared_entries(spec: &ProjectSpec, report: &mut Report) {
    let mut entries = Entry::variables(&spec.vars).into_iter().chain(Entry::maps(&spec.maps));
    if let Some(entry) = entries.nth(MAX_SHARED) {
        let message = format!("a project has at most {MAX_SHARED} variables and entries of maps");
        report.push(Problem::new(&codes::VARIABLE_NAME, entry.key, message).label("one too many"));
    }
}

/// The place of a key, or of the nearest thing around it that exists.
pub(crate) fn key_span(tree: &Node, path: &[&str]) -> Span {
    let mut node = tree;
    let mut span = tree.span.begin();
    for step in path {
        match node.entry(step) {
            Some((key, value)) => {
                span = key.span;
                node = value;
            }
            None => break,
        }
    }
    span
}

/// A recovery window in days, 7 to 30.
pub(crate) fn recovery_window(days: &Field<i64>, report: &mut Report) -> Option<u8> {
    in_range(days, &codes::RECOVERY_WINDOW, "a recovery window in days", 7..=30, report)
        .and_then(|days| u8::try_from(days).ok())
}

/// Says what is wrong with `apiVersion`, if anything is.
pub(crate) fn check_api_version(version: &Field<String>, parent: Span, report: &mut Report) {
    if let Some(version) = required(version, "Secret.apiVersion", parent, report)
        && version.value != API_VERSION
    {
        let problem =
            Problem::new(&codes::API_VERSION, version.span, format!("unknown apiVersion `{}`", version.value))
                .label(format!("this version of keywright reads `{API_VERSION}`"));
        let later = version.value.strip_prefix("keywright/v").and_then(|number| number.parse::<u32>().ok());
        report.push(match later {
            Some(2..) => problem.help("a document of a later version needs a newer keywright"),
            _ => problem,
        });
    }
}

fn tag_patterns(spec: &ProjectSpec, report: &mut Report) -> TagPatterns {
    let mut set = GlobSetBuilder::new();
    for pattern in spec.ignore_tags.value().map_or(&[][..], Vec::as_slice).iter().filter_map(Field::get) {
        match Glob::new(&pattern.value) {
            Ok(glob) => {
                set.add(glob);
            }
            Err(error) => report.push(
                Problem::new(&codes::GLOB, pattern.span, format!("`{}` is not a pattern", pattern.value))
                    .label(error.kind().to_string())
                    .help(
                        "* stands for any text, ? for one character, [ab] for one of several, {a,b} for alternatives",
                    ),
            ),
        }
    }
    match set.build() {
        Ok(set) => TagPatterns::new(set),
        Err(error) => {
            if let Some(patterns) = spec.ignore_tags.get() {
                report.push(
                    Problem::new(&codes::GLOB, patterns.span, "these patterns are too large together")
                        .label(error.kind().to_string()),
                );
            }
            TagPatterns::new(globset::GlobSet::empty())
        }
    }
}

/// The tag that says whom a secret without a value waits for. AWS's own and keywright's say nothing of that.
fn value_owner_tag(spec: &ProjectSpec, report: &mut Report) -> Option<TagKey> {
    let key = spec.value_owner_tag.get()?;
    check_key(&key.value, key.span, &TagPatterns::new(globset::GlobSet::empty()), report);
    Some(TagKey::of_service(key.value.clone()))
}

fn guards(spec: &ProjectSpec, report: &mut Report) -> GuardLimits {
    let mut limits = GuardLimits::default();
    let Some(guards) = spec.guards.value() else { return limits };
    if let Some(deletes) = in_range(&guards.max_deletes, &codes::GUARD_LIMIT, "maxDeletes", 0..=100_000, report) {
        limits.max_deletes = u32::try_from(deletes).unwrap_or(limits.max_deletes);
    }
    if let Some(percent) =
        in_range(&guards.max_changes_percent, &codes::GUARD_LIMIT, "maxChangesPercent", 0..=100, report)
    {
        limits.max_changes_percent = u8::try_from(percent).unwrap_or(limits.max_changes_percent);
    }
    limits
}
