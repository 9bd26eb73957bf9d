//! Secrets as they are once everything is expanded, to be shown: whole, or field by field with the lines that gave
//! them.
//!
//! What may not enter: values. A literal text beneath `value` is shown as `***`.

use serde_json::{Map, Value, json};

use super::check::secret::{Document, Instance};
use super::expand::{EACH, escape, expand};
use super::layers::Layer;
use super::source::Sources;
use super::tree::{Kind, Node};
use crate::domain::Part;
use crate::origin::Origin;

/// Which secrets are given to be shown.
#[derive(Clone, Debug)]
pub enum Expand {
    /// All of them, whole.
    All,
    /// Those of one document, and of one item of its list, field by field.
    Document {
        /// Where its name is written.
        origin: Origin,
        /// The item.
        item: Option<Origin>,
    },
    /// Those of the documents whose name is written so, variables and all, field by field.
    Written(String),
}

/// A secret as it is in one target.
#[derive(Clone, Debug)]
pub struct ExpandedSecret {
    /// The target's name.
    pub target: String,
    /// The secret's name.
    pub name: String,
    /// Where its name is written.
    pub origin: Origin,
    /// The item of a list that it is made of.
    pub item: Option<Origin>,
    /// The document without variables, layers and lists; null where only fields were asked for.
    pub document: Value,
    /// Its fields; none where the whole document was asked for.
    pub fields: Vec<EffectiveField>,
}

/// A field of a secret in one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveField {
    /// Its path in `spec`, or `name`.
    pub path: String,
    /// Its value as JSON.
    pub value: Value,
    /// Where it was written.
    pub origin: Origin,
    /// What wrote it there.
    pub layer: Layer,
    /// The variables and fields of an item in it, each with the place where it is written.
    pub filled: Vec<(String, Origin)>,
}

/// Most variables of a field that are told.
const MAX_FILLED: usize = 8;

const MASK: &str = "***";

impl ExpandedSecret {
    /// The secret, where it was asked for.
    pub(crate) fn of(
        document: &Document<'_>,
        instance: &Instance<'_>,
        (metadata, spec): (&Node, &Node),
        expand: &Expand,
        sources: &Sources,
    ) -> Option<Self> {
        let name = metadata.get("name")?;
        let origin = sources.origin(name.span);
        let item = instance.item.map(|item| sources.origin(item));
        let is_asked_for = match expand {
            Expand::All => true,
            Expand::Document { origin: wanted, item: of_item } => *wanted == origin && *of_item == item,
            Expand::Written(written) => document.tree.get("metadata")?.get("name")?.as_str() == Some(written.as_str()),
        };
        if !is_asked_for {
            return None;
        }
        let mut secret = Self {
            target: instance.target.target.name.clone(),
            name: name.as_str()?.to_owned(),
            origin,
            item,
            document: Value::Null,
            fields: Vec::new(),
        };
        if matches!(expand, Expand::All) {
            let mut metadata = to_json(metadata, false);
            metadata["targets"] = json!([secret.target]);
            secret.document = json!({
                "apiVersion": super::schema::API_VERSION,
                "kind": "Secret",
                "metadata": metadata,
                "spec": to_json(spec, false),
            });
        } else {
            let mut walk = Walk { document, instance, sources, fields: &mut secret.fields };
            let written = document.tree.get("metadata").and_then(|metadata| metadata.get("name"));
            walk.push("name", name, written, false);
            walk.map("", spec, Some(document.spec), false);
        }
        Some(secret)
    }
}

struct Walk<'a> {
    document: &'a Document<'a>,
    instance: &'a Instance<'a>,
    sources: &'a Sources,
    fields: &'a mut Vec<EffectiveField>,
}

impl Walk<'_> {
    /// The fields beneath a map. A policy and what is in a list are shown whole. `written` is the same before variables
    /// were filled in.
    fn map(&mut self, path: &str, node: &Node, written: Option<&Node>, in_value: bool) {
        for (key, value) in node.entries() {
            let path = if path.is_empty() { key.text.to_string() } else { format!("{path}.{}", key.text) };
            let written = written.and_then(|written| written.get(&key.text));
            let in_value = in_value || path == "value";
            let is_map = matches!(&value.kind, Kind::Map(entries) if !entries.is_empty());
            if is_map && path != "policy" {
                self.map(&path, value, written, in_value);
            } else {
                self.push(&path, value, written, in_value && &*key.text == "text");
            }
        }
    }

    fn push(&mut self, path: &str, node: &Node, written: Option<&Node>, masked: bool) {
        let in_value = path.starts_with("value");
        let value = if masked { json!(MASK) } else { to_json(node, in_value) };
        let layer = self.document.layers.of(node.span);
        let origin = self.sources.origin(node.span.begin());
        let mut filled = Vec::new();
        if let Some(written) = written {
            self.filled(written, &mut filled);
        }
        self.fields.push(EffectiveField { path: path.to_owned(), value, origin, layer, filled });
    }

    fn filled(&self, written: &Node, filled: &mut Vec<(String, Origin)>) {
        match &written.kind {
            Kind::Seq(items) => items.iter().for_each(|item| self.filled(item, filled)),
            Kind::Map(entries) => entries.iter().for_each(|(_, value)| self.filled(value, filled)),
            Kind::String(text) if text.contains("${") => {
                for name in expand(text, self.instance.variables).uses {
                    let is_of_item = name.split('.').next() == Some(EACH);
                    let place = self.instance.variables.places(&name).first().map(|place| place.span);
                    let place = if is_of_item { self.instance.item } else { place };
                    let Some(origin) = place.map(|place| self.sources.origin(place.begin())) else { continue };
                    if filled.len() < MAX_FILLED && filled.iter().all(|(known, _)| *known != name) {
                        filled.push((name, origin));
                    }
                }
            }
            _ => {}
        }
    }
}

/// A tree as JSON that could be written into a manifest, with literal values masked.
fn to_json(node: &Node, in_value: bool) -> Value {
    match &node.kind {
        Kind::Map(entries) => {
            let pairs = entries.iter().map(|(key, value)| {
                let beneath = in_value || &*key.text == "value";
                let masked = in_value && &*key.text == "text" && !matches!(value.kind, Kind::Map(_));
                (key.text.to_string(), if masked { json!(MASK) } else { to_json(value, beneath) })
            });
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        Kind::Seq(items) => items.iter().map(|item| to_json(item, in_value)).collect(),
        Kind::String(text) => json!(escape(text)),
        Kind::Number(raw) => serde_json::from_str(raw).unwrap_or_else(|_| json!(&**raw)),
        Kind::Bool(value) => json!(value),
        Kind::Null | Kind::Poison => Value::Null,
        Kind::Template(parts) => {
            let parts = parts.iter().map(|part| match part {
                Part::Text(text) => escape(text),
                Part::SecretArn(name) => format!("${{secret:{name}:arn}}"),
            });
            json!(parts.collect::<String>())
        }
    }
}
