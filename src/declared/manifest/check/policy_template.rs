//! Policies with parameters: a document whose first key, `x-parameters`, declares them, and in which `<<name>>` stands
//! for one.
//!
//! Only declared parameters are filled in, with what a manifest says under `with`: IAM's own `${aws:…}` stays as it
//! is, and no `${…}` of a template is ever looked at. Nothing of a template is quoted, as of any file that a manifest
//! names.

use std::collections::BTreeSet;

use super::super::codes;
use super::super::diagnostic::{Problem, Report, listed, nearest};
use super::super::interpolate::is_variable_name;
use super::super::source::Span;
use super::super::tree::{Key, Kind, Node};

/// The key that declares the parameters.
pub(crate) const PARAMETERS: &str = "x-parameters";

/// Most parameters of a template.
const MAX_PARAMETERS: usize = 100;

/// A template that was read and checked.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    parameters: Vec<String>,
    /// The policy, with the places of its parameters in it.
    document: Node,
}

/// Reads a template. `start` is the beginning of its file.
pub(crate) fn read(tree: Option<&Node>, start: Span, problems: &mut Vec<Problem>) -> Option<Template> {
    let wrong = |span: Span, message: &str| Problem::new(&codes::POLICY_TEMPLATE, span.begin(), message);
    let Some(tree @ Node { kind: Kind::Map(entries), .. }) = tree else {
        problems.push(wrong(start, "a policy's template is a policy document with `x-parameters` before it"));
        return None;
    };
    let Some((key, declared)) = entries.first().filter(|(key, _)| &*key.text == PARAMETERS) else {
        problems.push(
            wrong(tree.span, "the first key of a policy's template is `x-parameters`").help(
                "it lists what is filled in: \"x-parameters\": [\"roles\"]; `{ file: … }` takes a policy as it is",
            ),
        );
        return None;
    };
    let Kind::Seq(names) = &declared.kind else {
        problems.push(wrong(key.span, "`x-parameters` is a list of names"));
        return None;
    };
    let mut parameters = Vec::new();
    for name in names {
        match name.as_str().filter(|name| is_variable_name(name)) {
            Some(known) if parameters.iter().any(|other| other == known) => {
                problems.push(wrong(name.span, &format!("the parameter `{known}` is declared twice")));
            }
            Some(known) => parameters.push(known.to_owned()),
            None => {
                let message = "a parameter's name is a letter or _, then letters, digits, _ and -";
                problems.push(wrong(name.span, message));
            }
        }
    }
    if parameters.len() > MAX_PARAMETERS {
        problems.push(wrong(key.span, &format!("a template has at most {MAX_PARAMETERS} parameters")));
    }
    let document = Node::new(tree.span, Kind::Map(entries.iter().skip(1).cloned().collect()));
    let mut used = BTreeSet::new();
    uses(&document, &parameters, &mut used, problems);
    for unused in parameters.iter().filter(|name| !used.contains(*name)) {
        problems.push(wrong(key.span, &format!("the parameter `{unused}` is declared and used nowhere")));
    }
    problems.is_empty().then_some(Template { parameters, document })
}

/// The parameters that a document uses, and what is wrong with them.
fn uses(node: &Node, parameters: &[String], used: &mut BTreeSet<String>, problems: &mut Vec<Problem>) {
    match &node.kind {
        Kind::Seq(items) => items.iter().for_each(|item| uses(item, parameters, used, problems)),
        Kind::Map(entries) => {
            for (key, value) in entries {
                if pieces(&key.text).iter().any(|piece| matches!(piece, Piece::Parameter(_))) {
                    let message = "a parameter cannot stand in a key";
                    problems.push(Problem::new(&codes::POLICY_TEMPLATE, key.span.begin(), message));
                }
                uses(value, parameters, used, problems);
            }
        }
        Kind::String(text) => {
            for piece in pieces(text) {
                let Piece::Parameter(name) = piece else { continue };
                if !parameters.iter().any(|known| known == name) {
                    let near = nearest(name, parameters.iter().map(String::as_str));
                    let near = near.map(|near| format!("did you mean <<{near}>>?"));
                    let message = format!("`x-parameters` does not declare `{name}`");
                    let problem = Problem::new(&codes::POLICY_TEMPLATE, node.span.begin(), message);
                    problems.push(problem.label(near.unwrap_or_default()));
                }
                used.insert(name.to_owned());
            }
        }
        _ => {}
    }
}

enum Piece<'a> {
    Text(&'a str),
    Parameter(&'a str),
}

/// A text in pieces. What stands between `<<` and `>>` and can be no name is text.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    let mut from = 0;
    while let Some(open) = rest.get(from..).and_then(|part| part.find("<<")).map(|at| from + at) {
        let inner = rest.get(open + 2..).unwrap_or_default();
        match inner.find(">>").and_then(|end| Some((inner.get(..end)?, inner.get(end + 2..)?))) {
            Some((name, after)) if is_variable_name(name) => {
                pieces.push(Piece::Text(rest.get(..open).unwrap_or_default()));
                pieces.push(Piece::Parameter(name));
                (rest, from) = (after, 0);
            }
            _ => from = open + 2,
        }
    }
    pieces.push(Piece::Text(rest));
    pieces.retain(|piece| !matches!(piece, Piece::Text("")));
    pieces
}

/// Fills a template in with what stands under `with`. `named` is where the manifest names the template.
pub(crate) fn fill(template: &Template, with: Option<&Node>, named: Span, report: &mut Report) -> Option<Node> {
    let known = || template.parameters.iter().map(String::as_str);
    let given = with.map_or(&[][..], Node::entries);
    let mut whole = true;
    for (key, value) in given {
        if !known().any(|name| name == &*key.text) {
            whole = false;
            report.push(
                Problem::new(
                    &codes::POLICY_TEMPLATE,
                    key.span,
                    format!("the template has no parameter `{}`", key.text),
                )
                .label(
                    nearest(&key.text, known())
                        .map_or_else(|| "not a parameter".to_owned(), |near| format!("did you mean `{near}`?")),
                )
                .help(if known().next().is_none() {
                    "the template has no parameters".to_owned()
                } else {
                    format!("its parameters are {}", listed(known()))
                }),
            );
        }
        if !is_argument(value) {
            whole = false;
            let poisoned = matches!(value.kind, Kind::Poison);
            if !poisoned {
                let (span, what) = match &value.kind {
                    Kind::Seq(items) if items.is_empty() => (value.span, "this list is empty".to_owned()),
                    Kind::Seq(items) => {
                        let wrong = items.iter().find(|item| !is_text(item)).unwrap_or(value);
                        (wrong.span, format!("this list holds {}", wrong.kind_name()))
                    }
                    _ => (value.span, format!("this is {}", value.kind_name())),
                };
                let message = format!("a parameter is a text or a list of texts, and {what}");
                report.push(Problem::new(&codes::POLICY_TEMPLATE, span, message));
            }
        }
    }
    let missing: Vec<&str> = known().filter(|name| given.iter().all(|(key, _)| &*key.text != *name)).collect();
    if !missing.is_empty() {
        let message = format!("the template needs {}", listed(missing.iter().copied()));
        report.push(
            Problem::new(&codes::POLICY_TEMPLATE, named, message)
                .label("not under `with`")
                .help("for example policy: { template: readers.json, with: { roles: [\"arn:aws:iam::…:role/app\"] } }"),
        );
    }
    if !whole || !missing.is_empty() {
        return None;
    }
    let mut filler = Filler { given, named, report, failed: false };
    let policy = filler.node(&template.document);
    (!filler.failed).then_some(policy)
}

fn is_argument(node: &Node) -> bool {
    match &node.kind {
        Kind::Seq(items) => !items.is_empty() && items.iter().all(is_text),
        _ => is_text(node),
    }
}

fn is_text(node: &Node) -> bool {
    matches!(node.kind, Kind::String(_) | Kind::Template(_))
}

struct Filler<'a> {
    given: &'a [(Key, Node)],
    named: Span,
    report: &'a mut Report,
    failed: bool,
}

impl Filler<'_> {
    fn argument(&self, name: &str) -> Option<&Node> {
        self.given.iter().find(|(key, _)| &*key.text == name).map(|(_, value)| value)
    }

    fn node(&mut self, node: &Node) -> Node {
        let kind = match &node.kind {
            Kind::Seq(items) => Kind::Seq(items.iter().flat_map(|item| self.item(item)).collect()),
            Kind::Map(entries) => {
                Kind::Map(entries.iter().map(|(key, value)| (key.clone(), self.node(value))).collect())
            }
            Kind::String(text) => return self.text(node, text),
            kind => kind.clone(),
        };
        Node::new(node.span, kind)
    }

    /// An item of a list: a parameter that is a list gives all of its items.
    fn item(&mut self, item: &Node) -> Vec<Node> {
        match self.node(item) {
            Node { kind: Kind::Seq(items), .. } if matches!(item.kind, Kind::String(_)) => items,
            other => vec![other],
        }
    }

    fn text(&mut self, node: &Node, text: &str) -> Node {
        let pieces = pieces(text);
        if let [Piece::Parameter(name)] = pieces.as_slice() {
            return self.argument(name).cloned().unwrap_or_else(|| Node::new(node.span, Kind::Poison));
        }
        let mut filled = String::new();
        let mut references = Vec::new();
        for piece in &pieces {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Parameter(name) => match self.argument(name).map(|value| (&value.kind, value.span)) {
                    Some((Kind::String(text), _)) => filled.push_str(text),
                    Some((Kind::Template(_), _)) => references.push(*name),
                    Some((_, span)) => {
                        let message = format!("`{name}` is a list, and stands within a text");
                        let problem = Problem::new(&codes::POLICY_TEMPLATE, span, message);
                        self.report.push(problem.label("must be a text here").related(self.named, "in this template"));
                        self.failed = true;
                    }
                    None => {}
                },
            }
        }
        if let Some(name) = references.first() {
            let message = format!("`{name}` is another secret's ARN, and stands within a text");
            let help = "an ARN that is known only later takes a whole text of the template: \"<<name>>\"";
            self.report.push(Problem::new(&codes::POLICY_TEMPLATE, self.named, message).help(help));
            self.failed = true;
        }
        Node::new(node.span, Kind::String(filled.into()))
    }
}
