//! What a YAML document says that it is: a Project, a Secret, or nothing of ours.

use super::check::project::key_span;
use super::codes;
use super::diagnostic::{Problem, Report, nearest};
use super::schema::API_VERSION;
use super::source::Span;
use super::tree::{Kind, Node};

/// A kind of document of ours.
pub(super) enum DocumentKind {
    Project,
    Secret,
}

/// What a document says that it is. Anything else is reported; `incomplete` then tells that a secret may be declared
/// that nobody knows of.
pub(super) fn document_kind(
    tree: &Node,
    file: &str,
    report: &mut Report,
    incomplete: &mut bool,
) -> Option<DocumentKind> {
    let start = Span { end: tree.span.start, ..tree.span };
    let version = tree.get("apiVersion");
    let ours = version.and_then(Node::as_str).is_some_and(|version| version.starts_with("keywright/"));
    // A misspelt version or key of ours is better explained field by field.
    let kind = tree.get("kind");
    let named = kind.and_then(Node::as_str).filter(|kind| matches!(*kind, "Project" | "Secret"));
    let foreign = !ours
        && (named.is_none()
            || tree.get("sops").is_some()
            || version.is_some_and(|version| version.as_str() == Some("v1")));
    if !matches!(tree.kind, Kind::Map(_)) || foreign {
        let place = version.map_or(start, |version| version.span);
        report.push(
            Problem::new(&codes::NOT_A_MANIFEST, place, format!("{file} is not a keywright manifest"))
                .label(if version.is_some() { "another kind of document" } else { "no apiVersion" })
                .help(format!("a manifest begins with apiVersion: {API_VERSION} and kind: Secret"))
                .help(
                    "where manifests share their folder with other YAML, list theirs in `spec.manifests` of \
                    the project",
                ),
        );
        return None;
    }
    match (kind, named) {
        (_, Some("Project")) => Some(DocumentKind::Project),
        (_, Some(_)) => Some(DocumentKind::Secret),
        (Some(other), None) => {
            let near = other.as_str().and_then(|other| nearest(other, ["Project", "Secret"]));
            report.push(
                Problem::new(&codes::KIND, other.span, "unknown kind of document")
                    .label(near.map_or_else(
                        || "neither `Project` nor `Secret`".to_owned(),
                        |near| format!("did you mean `{near}`?"),
                    ))
                    .help("kind is `Project` or `Secret`"),
            );
            *incomplete = true;
            None
        }
        (None, None) => {
            report.push(
                Problem::new(&codes::MISSING_FIELD, key_span(tree, &["apiVersion"]), "`kind` is missing")
                    .label("a document of which kind?")
                    .help("kind is `Project` or `Secret`"),
            );
            *incomplete = true;
            None
        }
    }
}
