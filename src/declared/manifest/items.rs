//! The items of `forEach`: texts, or maps of texts, each with the place where it is written.
//!
//! Lists are data: what comes from a file is taken as it stands, and no `${` in it means anything. What may not enter:
//! where a list is read from, and what is made of its items.

use super::codes;
use super::diagnostic::Problem;
use super::expand::{EACH, is_variable_name};
use super::interpolate::{Lookup, VariablePlace, Variables};
use super::source::Span;
use super::tree::{Kind, Node};

/// Most items of a list.
pub(crate) const MAX_ITEMS: usize = 50_000;

/// Most fields of an item.
pub(crate) const MAX_FIELDS: usize = 64;

/// Longest text of a field, in bytes: as long as a variable's.
const MAX_TEXT: usize = 4_096;

/// An item.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) span: Span,
    /// `each` for a text, `each.FIELD` for a map, with their texts.
    fields: Vec<VariablePlace>,
    /// The names of its fields are the first row of a CSV file: where that was forgotten, they are data.
    of_columns: bool,
}

impl Item {
    /// A row of a CSV file, with the names of its columns.
    pub(crate) fn of_row(span: Span, fields: impl IntoIterator<Item = (String, String)>) -> Self {
        let fields =
            fields.into_iter().map(|(name, text)| VariablePlace { name: format!("{EACH}.{name}"), text, span });
        Self { span, fields: fields.collect(), of_columns: true }
    }

    /// `name=acme tier=gold`.
    #[cfg(test)]
    pub(crate) fn shown_for_test(&self) -> String {
        let fields = self.fields.iter().map(|VariablePlace { name, text, .. }| match name.split_once('.') {
            Some((_, name)) => format!("{name}={text}"),
            None => text.clone(),
        });
        fields.collect::<Vec<_>>().join(" ")
    }

    fn get(&self, name: &str) -> Option<&VariablePlace> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// The items of a list as it is written in YAML or JSON, and what is wrong with it. Nothing of an item is quoted.
pub(crate) fn of_list(list: &[Node], problems: &mut Vec<Problem>) -> Vec<Item> {
    if let Some(beyond) = list.get(MAX_ITEMS) {
        let message = format!("a list has at most {MAX_ITEMS} items");
        problems.push(Problem::new(&codes::FOR_EACH, beyond.span.begin(), message).label("one too many"));
        return Vec::new();
    }
    let mut items = Vec::with_capacity(list.len());
    for node in list {
        match item(node) {
            Ok(item) => items.push(item),
            Err(Some(problem)) => problems.push(*problem),
            Err(None) => {}
        }
    }
    items
}

fn item(node: &Node) -> Result<Item, Option<Box<Problem>>> {
    let span = node.span.begin();
    let Kind::Map(entries) = &node.kind else {
        let text = text(node, "an item is a text or a map of texts")?;
        let fields = vec![VariablePlace { name: EACH.to_owned(), text, span }];
        return Ok(Item { span, fields, of_columns: false });
    };
    if entries.is_empty() || entries.len() > MAX_FIELDS {
        return Err(Some(wrong(span, &format!("an item has 1 to {MAX_FIELDS} fields"))));
    }
    let mut fields = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        check_field(&key.text, key.span).map_err(Some)?;
        let text = text(value, "a field of an item is a text")?;
        fields.push(VariablePlace { name: format!("{EACH}.{}", key.text), text, span: value.span.begin() });
    }
    Ok(Item { span, fields, of_columns: false })
}

/// Says what is wrong with the name of a field, if anything is.
pub(crate) fn check_field(name: &str, span: Span) -> Result<(), Box<Problem>> {
    if is_variable_name(name) && name != "index" {
        return Ok(());
    }
    let message = if name == "index" { "`index` is the item's own number" } else { "this cannot be a field's name" };
    let problem = Problem::new(&codes::FOR_EACH, span.begin(), message);
    Err(Box::new(problem.label("another name").help("a field's name is a letter or _, then letters, digits, _ and -")))
}

fn text(node: &Node, expected: &str) -> Result<String, Option<Box<Problem>>> {
    let text = match &node.kind {
        Kind::String(text) | Kind::Number(text) => text.to_string(),
        Kind::Bool(value) => value.to_string(),
        Kind::Poison => return Err(None),
        Kind::Template(_) => {
            return Err(Some(wrong(node.span.begin(), "another secret's ARN cannot stand in an item")));
        }
        _ => {
            let message = format!("{expected}, and this is {}", node.kind_name());
            return Err(Some(wrong(node.span.begin(), &message)));
        }
    };
    if text.len() > MAX_TEXT {
        let message = format!("a text of an item has at most {MAX_TEXT} bytes");
        return Err(Some(wrong(node.span.begin(), &message)));
    }
    Ok(text)
}

fn wrong(span: Span, message: &str) -> Box<Problem> {
    Box::new(Problem::new(&codes::FOR_EACH, span, message))
}

/// A target's variables with those of one item.
pub(crate) struct ItemScope<'a> {
    pub(crate) target: &'a dyn Variables,
    pub(crate) item: &'a Item,
    /// The item's number in its list, counted from 0.
    pub(crate) index: &'a str,
}

impl Variables for ItemScope<'_> {
    fn target(&self) -> &str {
        self.target.target()
    }

    fn variable(&self, name: &str) -> Lookup<'_> {
        if name == "each.index" {
            return Lookup::Text(self.index);
        }
        match self.item.get(name) {
            Some(field) => Lookup::Text(&field.text),
            None => self.target.variable(name),
        }
    }

    fn names(&self) -> Vec<&str> {
        let fields = self.item.fields.iter().filter(|_| !self.item.of_columns).map(|field| field.name.as_str());
        self.target.names().into_iter().chain(fields).chain(["each.index"]).collect()
    }

    fn unshown(&self) -> usize {
        if self.item.of_columns { self.item.fields.len() } else { 0 }
    }

    fn attribute(&self, name: &str) -> Lookup<'_> {
        self.target.attribute(name)
    }

    fn places(&self, name: &str) -> &[VariablePlace] {
        // Where the item is written is told with whatever is wrong with it.
        if name.starts_with(EACH) && (self.item.get(name).is_some() || name == "each.index") {
            return &[];
        }
        self.target.places(name)
    }
}

/// A target's variables with a mark in the place of whatever an item says: what the names of a list have in common.
pub(crate) struct AnyItem<'a> {
    pub(crate) target: &'a dyn Variables,
}

/// A character that no name has.
pub(crate) const ITEM_MARK: &str = "\u{0}";

impl Variables for AnyItem<'_> {
    fn target(&self) -> &str {
        self.target.target()
    }

    fn variable(&self, name: &str) -> Lookup<'_> {
        let of_item = name == EACH || name.strip_prefix(EACH).is_some_and(|rest| rest.starts_with('.'));
        if of_item { Lookup::Text(ITEM_MARK) } else { self.target.variable(name) }
    }

    fn names(&self) -> Vec<&str> {
        self.target.names()
    }

    fn attribute(&self, name: &str) -> Lookup<'_> {
        self.target.attribute(name)
    }

    fn places(&self, _: &str) -> &[VariablePlace] {
        &[]
    }
}
