//! A file with a list for `forEach`: YAML, JSON or CSV.

use std::path::Path;
use std::rc::Rc;

use super::codes;
use super::csv;
use super::diagnostic::{Problem, Report};
use super::items::{self, Item};
use super::parse::parse_at_most;
use super::source::{Quoting, Sources, Span};
use super::tree::{Kind, Node};
use crate::origin::Origin;

/// The items of a list, none when it is wrong, and what is wrong with it.
pub(crate) type ReadList = (Option<Rc<Vec<Item>>>, Vec<Problem>);

/// Most YAML nodes of a list: an item of ten fields is eleven of them.
const MAX_LIST_NODES: usize = 600_000;

/// Reads a list. Its name tells what it is; `named` is where a manifest names it. Nothing of the file is quoted.
pub(crate) fn read(path: &Path, text: &str, named: Span, sources: &mut Sources) -> ReadList {
    let file = sources.add(Origin::new(path, 1, 1).file, "".into(), Quoting::Never);
    let start = Span { file, line: 1, column: 1, ..Span::default() };
    let mut problems = Vec::new();
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    let items = match extension.as_deref() {
        Some("csv") => csv::items(text, start, &mut problems),
        Some("yaml" | "yml" | "json") => yaml(text, start, &mut problems),
        _ => {
            let message = "a list is a file that ends in .yaml, .yml, .json or .csv";
            return (None, vec![Problem::new(&codes::FOR_EACH, named, message)]);
        }
    };
    let told = problems.into_iter().map(|problem| problem.related(named, "the file is named here"));
    let problems: Vec<Problem> = told.collect();
    (problems.is_empty().then(|| Rc::new(items)), problems)
}

fn yaml(text: &str, start: Span, problems: &mut Vec<Problem>) -> Vec<Item> {
    let mut syntax = Report::default();
    let parsed = parse_at_most(MAX_LIST_NODES, start.file, text, &mut syntax);
    if let Some((place, code)) = syntax.first_error() {
        let message = format!("this list cannot be read ({code})");
        problems.push(Problem::new(&codes::FOR_EACH, place.begin(), message));
        return Vec::new();
    }
    let message = match parsed.documents.as_slice() {
        [Node { kind: Kind::Seq(nodes), .. }] => return items::of_list(nodes, problems),
        [other] => format!("a list is expected, and this file holds {}", other.kind_name()),
        [] => "a list is expected, and this file is empty".to_owned(),
        _ => "a list is one YAML document, and this file has several".to_owned(),
    };
    problems.push(Problem::new(&codes::FOR_EACH, start, message).help("items stand on lines that begin with -"));
    Vec::new()
}
