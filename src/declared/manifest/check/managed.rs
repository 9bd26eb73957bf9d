//! `metadata.managedBy`: of a secret that an AWS service manages, only what its users may change can be declared.

use super::super::codes;
use super::super::diagnostic::{Problem, Report};
use super::super::source::Span;
use super::super::tree::{Kind, Node};
use super::project::key_span;

/// The fields of `spec` that such a secret can have.
const FIELDS: [&str; 3] = ["tags", "tagMode", "rotation"];

/// Whether a service may be called so in `OwningService`.
pub(crate) fn is_service_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(fits)
}

/// The service that the metadata names.
pub(crate) fn managed_by(metadata: &Node) -> Option<String> {
    metadata.get("managedBy").and_then(Node::as_str).map(str::to_owned)
}

/// Of a project's defaults, what holds for such a secret.
pub(crate) fn tags_alone(defaults: &Node) -> Node {
    let tags = defaults.entries().iter().filter(|(key, _)| matches!(&*key.text, "tags" | "tagMode"));
    Node::new(defaults.span, Kind::Map(tags.cloned().collect()))
}

/// Refuses what only the service changes.
pub(crate) fn check_managed(service: &str, metadata: &Node, spec: &Node, report: &mut Report) {
    if !is_service_id(service) {
        report.push(
            Problem::new(&codes::MANAGED_BY, key_span(metadata, &["managedBy"]), "this is not the id of a service")
                .label("lower-case letters, digits and hyphens")
                .help("DescribeSecret shows it as OwningService, for example `rds`"),
        );
    }
    for (key, _) in spec.entries().iter().filter(|(key, _)| !FIELDS.contains(&&*key.text)) {
        let what = format!("`{}` beside `managedBy: {service}`", key.text);
        report.push(only_the_service(key.span, &what, service, "change that"));
    }
    if metadata.get("protect").is_some() {
        let span = key_span(metadata, &["protect"]);
        let what = format!("`protect` beside `managedBy: {service}`");
        report.push(only_the_service(span, &what, service, "delete such a secret"));
    }
    if metadata.get("state").and_then(Node::as_str) == Some("absent") {
        let span = key_span(metadata, &["state"]);
        let what = format!("`state: absent` beside `managedBy: {service}`");
        report.push(only_the_service(span, &what, service, "delete such a secret"));
    }
    if matches!(spec.get("rotation"), Some(Node { kind: Kind::Null, .. })) {
        let span = key_span(spec, &["rotation"]);
        let what = format!("`rotation: null` beside `managedBy: {service}`");
        report.push(only_the_service(span, &what, service, "stop its rotation"));
    }
}

fn only_the_service(span: Span, what: &str, service: &str, does: &str) -> Problem {
    Problem::new(&codes::MANAGED_BY, span, format!("{what}: only the service can {does}"))
        .label(format!("of {service}"))
        .help("`tags`, `tagMode` and, of `rotation`, its schedule and window can be declared")
}
