//! Targets: accounts and regions, how they are reached, their variables, and the scope in each of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::codes;
use super::super::diagnostic::{Problem, Report, listed};
use super::super::field::{Field, Spanned};
use super::super::group::Labelled;
use super::super::interpolate::{Expansion, Lookup, VariablePlace, Variables, expand};
use super::super::matrix::{Combination, MAX_TARGETS, combinations};
use super::super::schema::{ProjectSpec, TargetSpec};
use super::super::source::{Sources, Span};
use super::super::tree::Node;
use super::arn::{check_partition, check_region_exists, role_account};
use super::managed::is_service_id;
use super::name::{check_plain_name, is_name_character};
use super::project::key_span;
use super::required;
use super::target_fields::{FilledTarget, check_labels, filled_target};
use super::variables::{FilledVariables, check_names};
use crate::desired::{Scope, Target};
use crate::domain::{AccountId, ArnParts, Part, Region};
use crate::loopback::is_loopback;

/// A target with its variables and scope.
pub(crate) struct TargetModel {
    pub(crate) target: Target,
    pub(crate) name_span: Span,
    pub(crate) labels: BTreeMap<String, String>,
    /// The combination of the matrix that it was made of, for people; empty where there is none.
    pub(crate) combination: String,
    pub(crate) vars: FilledVariables,
    pub(crate) scope: Scope,
}

impl TargetModel {
    /// The target as groups see it.
    pub(crate) fn labelled(&self) -> Labelled<'_> {
        Labelled { name: &self.target.name, labels: &self.labels }
    }
}

impl Variables for TargetModel {
    fn target(&self) -> &str {
        &self.target.name
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
        // The target's own attributes stand where everybody looks for them.
        if name.starts_with("target.") { &[] } else { self.vars.places(name) }
    }
}

pub(crate) fn check_targets(
    spec: &ProjectSpec,
    tree: &Node,
    sources: &Sources,
    report: &mut Report,
) -> Vec<TargetModel> {
    let spec_key = key_span(tree, &["spec"]);
    let prefixes: Vec<(String, Span)> = required(&spec.scope, "Project.spec.scope", spec_key, report)
        .and_then(|scope| {
            required(
                &scope.value.name_prefixes,
                "Project.spec.scope.namePrefixes",
                key_span(tree, &["spec", "scope"]),
                report,
            )
        })
        .map(|prefixes| {
            if prefixes.value.is_empty() {
                report.push(
                    Problem::new(&codes::SCOPE, prefixes.span, "the scope is empty: the project could touch nothing")
                        .label("at least one prefix")
                        .help("for example namePrefixes: [\"${env}/payments/\"]"),
                );
            }
            prefixes
                .value
                .iter()
                .filter_map(|prefix| prefix.get().map(|prefix| (prefix.value.clone(), prefix.span)))
                .collect()
        })
        .unwrap_or_default();
    let Some(targets) = required(&spec.targets, "Project.spec.targets", spec_key, report) else { return Vec::new() };
    if targets.value.is_empty() {
        report.push(
            Problem::new(&codes::NO_TARGETS, targets.span, "a project needs at least one target").label("add one"),
        );
    }
    let mut models: Vec<TargetModel> = Vec::new();
    let mut names: HashMap<String, (Span, String)> = HashMap::new();
    for (target, combination) in expanded(&targets.value, targets.span, report) {
        let start = target.span.begin();
        // What is wrong with the project's variables is wrong in every target.
        if report.is_crowded() {
            break;
        }
        let Some(mut model) = check_target(&target.value, &combination, spec, start, sources, report) else { continue };
        if let Some((first, theirs)) = names.get(&model.target.name) {
            let again = if combination.0.is_empty() { "again here".to_owned() } else { combination.shown() };
            report.push(
                Problem::new(
                    &codes::TARGET_NAME,
                    model.name_span,
                    format!("there are two targets named `{}`", model.target.name),
                )
                .label(again)
                .related(*first, if theirs.is_empty() { "first here" } else { theirs }),
            );
            continue;
        }
        names.insert(model.target.name.clone(), (model.name_span, combination.shown()));
        model.scope = scope(&prefixes, &model, models.len(), sources, report);
        models.push(model);
    }
    models
}

/// The targets with the combinations of their matrices, in the order in which they are written.
fn expanded<'a>(
    targets: &'a [Field<TargetSpec>],
    span: Span,
    report: &mut Report,
) -> Vec<(&'a Spanned<TargetSpec>, Combination)> {
    let mut expanded = Vec::new();
    for target in targets.iter().filter_map(Field::get) {
        let combinations = match &target.value.matrix {
            Field::Absent => Some(vec![Combination::default()]),
            Field::Invalid => None,
            Field::Set(matrix) => {
                check_names(matrix.value.names(), report);
                combinations(&matrix.value, matrix.span, report)
            }
        };
        expanded.extend(combinations.into_iter().flatten().map(|combination| (target, combination)));
        if expanded.len() > MAX_TARGETS {
            let message = format!("a project has at most {MAX_TARGETS} targets");
            report.push(Problem::new(&codes::MATRIX, span.begin(), message).label("too many"));
            expanded.truncate(MAX_TARGETS);
            break;
        }
    }
    expanded
}

fn scope(
    prefixes: &[(String, Span)],
    model: &TargetModel,
    index: usize,
    sources: &Sources,
    report: &mut Report,
) -> Scope {
    report.in_target(Some(index));
    let mut filled = Vec::new();
    let mut whole = true;
    for (prefix, span) in prefixes {
        let Expansion { filled: parts, uses } = expand(prefix, model);
        let parts = match parts {
            Ok(parts) => parts,
            Err(faults) => {
                whole = false;
                for fault in faults {
                    report.push(fault.in_text(prefix, *span, sources));
                }
                continue;
            }
        };
        report.filled(*span, uses.iter().flat_map(|name| model.places(name)));
        match parts.as_slice() {
            [] => report.push(
                Problem::new(
                    &codes::SCOPE,
                    *span,
                    "an empty prefix would put every secret of the account into the project's scope",
                )
                .label("at least one character")
                .help("name what the project owns, for example \"${env}/payments/\""),
            ),
            [Part::Text(text)] => {
                if let Some(bad) = beyond_service(text).chars().find(|c| !is_name_character(*c)) {
                    report.push(
                        Problem::new(&codes::SCOPE, *span, format!("no secret's name begins with `{text}`"))
                            .label(format!("`{bad}` is not allowed in names"))
                            .help("a prefix is plain text, not a pattern"),
                    );
                } else {
                    filled.push(text.clone());
                }
            }
            _ => report.push(
                Problem::new(&codes::REFERENCE_NOT_ALLOWED, *span, "another secret's ARN cannot stand in the scope")
                    .label("plain text and variables only"),
            ),
        }
    }
    report.in_target(None);
    // With a prefix missing, names that it would cover are no mistakes.
    Scope::new(if whole { filled } else { Vec::new() })
}

fn check_target(
    written: &TargetSpec,
    combination: &Combination,
    project: &ProjectSpec,
    start: Span,
    sources: &Sources,
    report: &mut Report,
) -> Option<TargetModel> {
    required(&written.name, "Project.spec.targets.name", start, report);
    required(&written.region, "Project.spec.targets.region", start, report);
    let (vars, spec) = filled_target(written, combination, project, sources, report);
    let (name, region) = (spec.name.get(), spec.region.get());
    if let Some(name) = name {
        check_plain_name(&name.value, name.span, "target", &codes::TARGET_NAME, report);
    }
    if let Some(region) = region
        && Region::parse(&region.value).is_none()
    {
        report.push(
            Problem::new(&codes::REGION, region.span, format!("`{}` is not a region", region.value))
                .label("expected something like eu-west-1"),
        );
    }
    if let Some(region) = region {
        check_region_exists(&region.value, region.span, &codes::REGION, report);
    }
    if let Some(account) = spec.account.get()
        && AccountId::parse(&account.value).is_none()
    {
        let digits: String = account.value.chars().filter(char::is_ascii_digit).collect();
        let help = (digits.len() == 12).then(|| format!("write \"{digits}\""));
        report.push(
            Problem::new(&codes::ACCOUNT, account.span, format!("`{}` is not an AWS account", account.value))
                .label("twelve digits, leading zeros included")
                .help_if(help),
        );
    }
    if let Some(role) = spec.assume_role.get() {
        check_role(&role.value, role.span, &spec, report);
    }
    if let Some(endpoint) = spec.endpoint_url.get() {
        check_endpoint(&endpoint.value, endpoint.span, report);
    }
    let (name, region) = (name?, region?);
    let target = Target {
        name: name.value.clone(),
        account: spec.account.value().cloned().map(AccountId::of_service),
        region: Region::of_service(region.value.clone()),
        assume_role: spec.assume_role.value().cloned(),
        profile: spec.profile.value().cloned(),
        endpoint_url: spec.endpoint_url.value().cloned(),
        origin: sources.origin(name.span),
    };
    let labels = check_labels(&spec.labels, report);
    let combination = combination.shown();
    Some(TargetModel { target, name_span: name.span, labels, combination, vars, scope: Scope::new([]) })
}

fn check_role(role: &str, span: Span, spec: &FilledTarget, report: &mut Report) {
    if let (Some(arn), Some(region)) = (ArnParts::parse(role), spec.region.get()) {
        check_partition(arn, span, &region.value, report);
    }
    match (role_account(role), spec.account.get()) {
        (None, _) => report.push(
            Problem::new(&codes::ROLE_ARN, span, format!("`{role}` is not the ARN of an IAM role"))
                .label("expected arn:aws:iam::ACCOUNT:role/NAME"),
        ),
        (Some(theirs), Some(account)) if AccountId::parse(&account.value).is_some() && theirs != account.value => {
            report.push(
                Problem::new(
                    &codes::ROLE_ARN,
                    span,
                    format!("the role is in account {theirs}, and the target is account {}", account.value),
                )
                .label("another account")
                .related(account.span, "the target's account"),
            );
        }
        _ => {}
    }
}

fn check_endpoint(endpoint: &str, span: Span, report: &mut Report) {
    let problem = match url::Url::parse(endpoint) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => "an endpoint is an http or https URL",
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "an endpoint holds no user and no password"
        }
        Ok(_) if is_loopback(endpoint) => return,
        Ok(_) => "an endpoint in a manifest is on this machine: localhost or a literal loopback address",
        Err(_) => "this is not a URL",
    };
    report.push(
        Problem::new(&codes::ENDPOINT, span, problem).label("expected something like http://localhost:4566").help(
            "credentials and values go to an endpoint, and a manifest may come from anybody: name others with \
                --endpoint-url or in the AWS configuration",
        ),
    );
}

/// Two targets that reach the same account and region must not share names: each would take the other's secrets for
/// orphans.
pub(crate) fn check_overlaps(targets: &[TargetModel], report: &mut Report) {
    for (index, later) in targets.iter().enumerate() {
        for earlier in targets.iter().take(index) {
            if !same_place(&later.target, &earlier.target) || !later.scope.overlaps(&earlier.scope) {
                continue;
            }
            let shared: BTreeSet<&str> =
                later.scope.prefixes().iter().chain(earlier.scope.prefixes()).map(String::as_str).collect();
            report.push(
                Problem::new(
                    &codes::SCOPE_OVERLAP,
                    later.name_span,
                    format!(
                        "targets `{}` and `{}` are one account and region, and their scopes overlap",
                        earlier.target.name, later.target.name
                    ),
                )
                .label(with_combination("this target", later))
                .related(earlier.name_span, with_combination("and this one", earlier))
                .help(format!(
                    "their prefixes are {}: give each target prefixes of its own, for example through a variable",
                    listed(shared)
                )),
            );
        }
    }
}

/// A label at a target's name, with the combination that the name was made of.
fn with_combination(label: &str, model: &TargetModel) -> String {
    if model.combination.is_empty() { label.to_owned() } else { format!("{label}: {}", model.combination) }
}

/// Whether two targets are, as far as the project says, one account and region. Where it says too little, applying
/// finds out.
fn same_place(a: &Target, b: &Target) -> bool {
    let account = |target: &Target| {
        let of_role = || target.assume_role.as_deref().and_then(role_account).map(AccountId::of_service);
        target.account.clone().or_else(of_role)
    };
    a.region == b.region
        && a.endpoint_url == b.endpoint_url
        && match (account(a), account(b)) {
            (Some(a), Some(b)) => a == b,
            (None, None) => a.profile == b.profile,
            _ => false,
        }
}
/// What of a prefix follows the id of a service and its exclamation mark (`rds!`), as in the names of the secrets that
/// services make; else all of it.
fn beyond_service(prefix: &str) -> &str {
    match prefix.split_once('!') {
        Some((service, rest)) if is_service_id(service) => rest,
        _ => prefix,
    }
}
