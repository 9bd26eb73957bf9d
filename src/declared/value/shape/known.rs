//! What is known of a value.

use std::collections::{BTreeMap, BTreeSet};

use zeroize::Zeroizing;

use crate::collect::CollectMap as _;
use crate::value::secret::{Exposed, SecretValue};
use crate::value::sops::select::{Open, Part, Selection};
use crate::value::sops::{Kind as SopsKind, Node, SopsFiles, read_json};
use crate::value::source::Source;

/// What is known of a value or of a part of one. Texts and numbers wipe themselves; there is no `Debug`.
pub enum Known {
    /// Nothing.
    Nothing,
    /// Bytes that are no text (`SecretBinary`).
    Binary,
    /// `null`.
    Null,
    /// A boolean.
    Bool(Option<bool>),
    /// A number, with its digits where they are known.
    Number {
        /// Whether it is whole, where that is known.
        whole: Option<bool>,
        /// As JSON writes it.
        text: Option<Zeroizing<String>>,
    },
    /// A text.
    Text(Option<Zeroizing<String>>),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Map(BTreeMap<String, Self>),
}

impl Known {
    /// All of a value. A text that is a JSON object or list is that; any other text is a text.
    pub fn of_value(value: &SecretValue) -> Self {
        match value.expose() {
            Exposed::Text(text) => Self::of_text(text),
            Exposed::Binary(_) => Self::Binary,
        }
    }

    /// What is known of the value that a source gives, without any key and without reading what is no part of git.
    pub fn of_source(source: &Source, files: &SopsFiles) -> Self {
        match source {
            Source::Text(template) => template.resolve(&|_| None).map_or(Self::Nothing, |text| Self::of_text(&text)),
            Source::BinaryFile { .. } => Self::Binary,
            Source::Sops(part) if part.is_binary() => Self::Binary,
            // Any text may be JSON.
            Source::Env(_) | Source::File { .. } => Self::Nothing,
            Source::Sops(_) => match Self::of_field(source, files) {
                whole @ (Self::Map(_) | Self::List(_)) => whole,
                _ => Self::Nothing,
            },
            Source::Generate(_) | Source::Json(_) => Self::of_field(source, files),
        }
    }

    /// What is known of a part that a source gives.
    fn of_field(source: &Source, files: &SopsFiles) -> Self {
        match source {
            Source::Json(fields) => {
                Self::Map(fields.iter().map(|(key, field)| (key.clone(), Self::of_field(field, files))).collect_map())
            }
            Source::Text(template) => Self::Text(template.resolve(&|_| None).ok().map(Zeroizing::new)),
            Source::Env(_) | Source::File { .. } | Source::Generate(_) => Self::Text(None),
            Source::BinaryFile { .. } => Self::Binary,
            // What is wrong with the file is told elsewhere.
            Source::Sops(part) => files.get(part).map_or(Self::Nothing, |file| {
                let selection = Selection::new(&file, part);
                selection.map_or(Self::Nothing, |selection| Self::of_selection(&selection))
            }),
        }
    }

    fn of_selection(place: &Selection<'_>) -> Self {
        let Ok(part) = place.part() else { return Self::Nothing };
        match part {
            Part::Null => Self::Null,
            Part::Empty => Self::Text(Some(Zeroizing::default())),
            Part::Leaf(value) => match value.kind {
                SopsKind::Text | SopsKind::Time => Self::Text(None),
                SopsKind::Int => Self::Number { whole: Some(true), text: None },
                SopsKind::Float => Self::Number { whole: None, text: None },
                SopsKind::Bool => Self::Bool(None),
                SopsKind::Comment => Self::Nothing,
            },
            Part::Open(Open::Text(text)) => Self::Text(Some(Zeroizing::new(text.to_owned()))),
            Part::Open(Open::Bool(set)) => Self::Bool(Some(set)),
            Part::Open(Open::Number(text)) => Self::number(text),
            Part::List(items) => Self::List(items.iter().map(Self::of_selection).collect()),
            Part::Map(entries) => {
                Self::Map(entries.iter().map(|(key, part)| ((*key).to_owned(), Self::of_selection(part))).collect_map())
            }
        }
    }

    fn of_text(text: &str) -> Self {
        match read_json(text) {
            Ok(node @ (Node::Map(_) | Node::List(_))) => Self::of_node(&node),
            _ => Self::Text(Some(Zeroizing::new(text.to_owned()))),
        }
    }

    fn of_node(node: &Node) -> Self {
        match node {
            Node::Null => Self::Null,
            Node::Bool(set) => Self::Bool(Some(*set)),
            Node::Number(text) => Self::number(text),
            Node::Text(text) => Self::Text(Some(text.clone())),
            Node::List(items) => Self::List(items.iter().map(Self::of_node).collect()),
            Node::Map(entries) => {
                Self::Map(entries.iter().map(|(key, node)| (key.clone(), Self::of_node(node))).collect_map())
            }
        }
    }

    fn number(text: &str) -> Self {
        // As JSON Schema has it, 1.0 is a whole number.
        let whole = text.parse().map(|number: f64| number.fract() == 0.0).ok();
        Self::Number { whole, text: Some(Zeroizing::new(text.to_owned())) }
    }

    /// The keys of all objects, as JSON pointers; none where it is not known whether there are any.
    pub fn keys(&self) -> Option<BTreeSet<String>> {
        let mut keys = BTreeSet::new();
        self.add_keys("", &mut keys);
        (!matches!(self, Self::Nothing)).then_some(keys)
    }

    fn add_keys(&self, pointer: &str, keys: &mut BTreeSet<String>) {
        if let Self::Map(entries) = self {
            for (key, part) in entries {
                let beneath = beneath(pointer, key);
                part.add_keys(&beneath, keys);
                keys.insert(beneath);
            }
        }
    }
}

/// The JSON pointer to a part.
pub(super) fn beneath(pointer: &str, step: &str) -> String {
    format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"))
}
