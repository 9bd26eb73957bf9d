//! What a YAML document says that it is: a Project, a Secret, a folder's Defaults, or nothing of ours.

use super::check::project::key_span;
use super::codes;
use super::diagnostic::{Problem, Report, nearest};
use super::schema::API_VERSION;
use super::tree::{Kind, Node};

/// A kind of document of ours.
pub(super) enum DocumentKind {
    Project,
    Secret,
    Defaults,
}

/// The kinds of documents of ours.
const KINDS: [&str; 3] = ["Project", "Secret", "Defaults"];

/// What a document says that it is. Anything else is reported; `incomplete` then tells that a secret may be declared
/// that nobody knows of.
pub(super) fn document_kind(
    tree: &Node,
    file: &str,
    report: &mut Report,
    incomplete: &mut bool,
) -> Option<DocumentKind> {
    let version = tree.get("apiVersion");
    let ours = version.and_then(Node::as_str).is_some_and(|version| version.starts_with("keywright/"));
    // A misspelt version or key of ours is better explained field by field.
    let kind = tree.get("kind");
    let named = kind.and_then(Node::as_str).filter(|kind| KINDS.contains(kind));
    let foreign = !ours
        && (named.is_none()
            || tree.get("sops").is_some()
            || version.is_some_and(|version| version.as_str() == Some("v1")));
    if !matches!(tree.kind, Kind::Map(_)) || foreign {
        report.push(not_a_manifest(tree, file));
        return None;
    }
    match (kind, named) {
        (_, Some("Project")) => Some(DocumentKind::Project),
        (_, Some("Defaults")) => Some(DocumentKind::Defaults),
        (_, Some(_)) => Some(DocumentKind::Secret),
        (Some(other), None) => {
            let near = other.as_str().and_then(|other| nearest(other, KINDS));
            report.push(
                Problem::new(&codes::KIND, other.span, "unknown kind of document")
                    .label(near.map_or_else(|| "none of ours".to_owned(), |near| format!("did you mean `{near}`?")))
                    .help("kind is `Project`, `Secret` or `Defaults`"),
            );
            *incomplete = true;
            None
        }
        (None, None) => {
            report.push(
                Problem::new(&codes::MISSING_FIELD, key_span(tree, &["apiVersion"]), "`kind` is missing")
                    .label("a document of which kind?")
                    .help("kind is `Project`, `Secret` or `Defaults`"),
            );
            *incomplete = true;
            None
        }
    }
}

/// What is wrong with a document that is not ours.
fn not_a_manifest(tree: &Node, file: &str) -> Problem {
    let version = tree.get("apiVersion");
    let place = version.map_or(tree.span.begin(), |version| version.span);
    Problem::new(&codes::NOT_A_MANIFEST, place, format!("{file} is not a keywright manifest"))
        .label(if version.is_some() { "another kind of document" } else { "no apiVersion" })
        .help(format!("a manifest begins with apiVersion: {API_VERSION} and kind: Secret"))
        .help("where manifests share their folder with other YAML, list theirs in `spec.manifests` of the project")
}

/// What is wrong with a document that no manifest names, though it may be one that manifests name: a list for
/// `forEach`, or the template of a policy.
pub(super) fn may_be_named(tree: &Node, file: &str) -> Option<Problem> {
    let is_one = matches!(tree.kind, Kind::Seq(_)) || tree.get("x-parameters").is_some();
    is_one.then(|| not_a_manifest(tree, file).help("a list that a Secret's `forEach` names may lie beside manifests"))
}
