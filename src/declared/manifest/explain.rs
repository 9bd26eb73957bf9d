//! `keywright explain`: a field's documentation, made from the JSON Schemas, so that it never says anything else than
//! editors do.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;

use super::diagnostic::nearest;
use super::schema::SPEC_FIELDS;
use crate::domain::schedule::HOURS_A_DAY;
use crate::domain::{Schedule, ScheduleFault};
use crate::schemas;

/// Why a path cannot be explained.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ExplainError {
    /// The path begins with no kind of document.
    #[error(
        "unknown kind `{given}`: a path begins with `Project`, `Secret`, `Defaults` or `Rules`, and \
             no code has this name"
    )]
    UnknownKind {
        /// What was given.
        given: String,
    },
    /// There is no such field.
    #[error("`{parent}` has no field `{given}`")]
    UnknownField {
        /// The path as far as it is right.
        parent: String,
        /// The step that is wrong.
        given: String,
        /// The known field that is most like it.
        nearest: Option<String>,
        /// All known fields, for a hint.
        known: Vec<String>,
    },
}

/// Windows of a schedule that are shown.
const WINDOWS: usize = 3;

/// Explains a rotation schedule: whether it is right, and when its next windows open. None for what is no expression at
/// all.
pub fn explain_schedule(text: &str, now: Timestamp) -> Option<Result<String, ScheduleFault>> {
    // `(2)` in the path of a field is no parenthesis of an expression.
    let parenthesis = || text.split('.').any(|step| unnumbered(step).0.contains('('));
    if !["rate", "cron"].iter().any(|start| text.trim_start().starts_with(start)) && !parenthesis() {
        return None;
    }
    let schedule = match Schedule::parse(text) {
        Ok(schedule) => schedule,
        Err(fault) => return Some(Err(fault)),
    };
    let hours = schedule.shortest_interval_hours();
    let (number, unit) = if hours % HOURS_A_DAY == 0 { (hours / HOURS_A_DAY, "day") } else { (hours, "hour") };
    let apart = if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") };
    let mut page = format!("{text}\n\n  A rotation schedule; two rotations are at least {apart} apart.\n");
    let from = if text.starts_with("rate(") { ", if it was last rotated at" } else { " after" };
    let _ = writeln!(page, "\n  Its next windows open{from} {}:", now.strftime("%Y-%m-%d %H:%M UTC"));
    for window in schedule.openings(now).take(WINDOWS) {
        let _ = writeln!(page, "    {}", window.strftime("%a %Y-%m-%d %H:%M UTC"));
    }
    page.push_str(
        "\n  Secrets Manager rotates within the window, not when it opens: see Secret.spec.rotation.duration.\n",
    );
    Some(Ok(page))
}

/// How wide the text is.
const WIDTH: usize = 100;

/// Explains a path such as `Secret.spec.policy`: type, documentation, default, an example as YAML, and the fields
/// beneath it.
///
/// A field that is one of several maps has them by number, as the headings of the reference do:
/// `Secret.spec.policy (2)`. Free keys, such as a target's name in `overrides`, are any word:
/// `Secret.spec.overrides.prod.unset`. Items of lists need no step.
pub fn explain(path: &str) -> Result<String, ExplainError> {
    let mut steps = path.split('.').map(str::trim);
    let kind = steps.next().unwrap_or_default();
    let (name, root) = match kind.to_ascii_lowercase().as_str() {
        "project" => ("Project", schemas::parsed(schemas::PROJECT)),
        "secret" => ("Secret", schemas::parsed(schemas::SECRET)),
        "defaults" => ("Defaults", schemas::parsed(schemas::DEFAULTS)),
        "rules" => ("Rules", schemas::parsed(schemas::RULES)),
        _ => return Err(ExplainError::UnknownKind { given: kind.to_owned() }),
    };
    let reader = Reader { root: &root };
    let mut at = name.to_owned();
    let mut schema = &root;
    let mut without = Without::Nothing;
    for step in steps {
        let given = step;
        let (step, number) = unnumbered(step);
        let step = step.trim_end_matches("[]");
        let found = reader.child(schema, step).and_then(|(next, then)| match number {
            None => Some((next, then)),
            Some(number) => Some((reader.map(next, number)?, then)),
        });
        let Some((next, then)) = found else {
            let known = reader.fields(schema);
            return Err(ExplainError::UnknownField {
                parent: at,
                given: given.to_owned(),
                nearest: nearest(step, known.iter().map(String::as_str)).map(str::to_owned),
                known,
            });
        };
        at = number.map_or_else(|| format!("{at}.{step}"), |number| format!("{at}.{step} ({number})"));
        schema = next;
        without = then;
    }
    Ok(reader.page(&at, schema, &without))
}

/// A step of a path without the number of a map, and the number: `policy (2)` is `policy` and 2.
fn unnumbered(step: &str) -> (&str, Option<usize>) {
    let parts = step.trim_end().strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    let numbered = parts.and_then(|(step, number)| Some((step.trim_end(), Some(number.parse().ok()?))));
    numbered.unwrap_or((step, None))
}

/// What a document without a field means.
enum Without {
    /// The field is required.
    Wrong,
    /// This value is taken.
    Default(String),
    /// What is live stays as it is.
    NotManaged,
    /// There is nothing of it, or what the documentation says.
    Nothing,
}

impl Without {
    fn fact(&self) -> Option<String> {
        match self {
            Self::Wrong => Some("required".to_owned()),
            Self::Default(value) => Some(format!("default: {value}")),
            Self::NotManaged => Some("left out: not managed".to_owned()),
            Self::Nothing => None,
        }
    }
}

struct Reader<'a> {
    root: &'a Value,
}

impl<'a> Reader<'a> {
    /// The schema itself and everything that it stands for: references, alternatives and items of lists.
    fn faces(&self, schema: &'a Value) -> Vec<&'a Value> {
        let mut faces = vec![schema];
        let mut at = 0;
        while let Some(face) = faces.get(at).copied() {
            at += 1;
            if let Some(target) = face
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|path| self.root.pointer(path.trim_start_matches('#')))
            {
                faces.push(target);
            }
            for key in ["anyOf", "oneOf", "allOf"] {
                faces.extend(face.get(key).and_then(Value::as_array).into_iter().flatten());
            }
            faces.extend(face.get("items"));
            if faces.len() > 64 {
                break;
            }
        }
        faces
    }

    /// The schema beneath a field, and what it means to leave the field out.
    fn child(&self, schema: &'a Value, step: &str) -> Option<(&'a Value, Without)> {
        let faces = self.faces(schema);
        for face in &faces {
            if let Some(child) = face.get("properties").and_then(|properties| properties.get(step)) {
                return Some((child, self.without(face, step, child)));
            }
        }
        let free = faces.iter().find_map(|face| face.get("additionalProperties").filter(|free| free.is_object()));
        free.filter(|_| !step.is_empty()).map(|free| (free, Without::Nothing))
    }

    /// One of the several maps that a field may be, from 1.
    fn map(&self, schema: &'a Value, number: usize) -> Option<&'a Value> {
        let mut maps = self.faces(schema).into_iter().filter(|face| face.get("properties").is_some());
        maps.nth(number.checked_sub(1)?)
    }

    /// What it means to leave `field` out of the object `face`.
    fn without(&self, face: &Value, field: &str, schema: &'a Value) -> Without {
        let takes_null = || self.type_name(schema).ends_with(" or null");
        if is_required(face, field) {
            Without::Wrong
        } else if let Some(default) = self.first(schema, "default") {
            Without::Default(inline(default))
        } else if is_spec(face) && SPEC_FIELDS.contains(&field) && (takes_null() || field == "value") {
            Without::NotManaged
        } else {
            Without::Nothing
        }
    }

    fn fields(&self, schema: &'a Value) -> Vec<String> {
        self.faces(schema)
            .iter()
            .filter_map(|face| face.get("properties").and_then(Value::as_object))
            .flat_map(|properties| properties.keys().cloned())
            .collect()
    }

    fn page(&self, path: &str, schema: &'a Value, without: &Without) -> String {
        let mut page = format!("{path}\n");
        let mut facts = vec![format!("type: {}", self.type_name(schema))];
        if path.contains('.') && !matches!(without, Without::Wrong) {
            facts.push("optional".to_owned());
        }
        facts.extend(without.fact());
        let _ = writeln!(page, "  {}", facts.join(", "));
        if let Some(text) = self.first(schema, "description").and_then(Value::as_str) {
            page.push('\n');
            page.push_str(&wrap(text, 2));
        }
        self.choices(schema, &mut page);
        for example in self
            .faces(schema)
            .iter()
            .find_map(|face| face.get("examples").and_then(Value::as_array))
            .into_iter()
            .flatten()
        {
            page.push_str("\n  Example:\n\n");
            let key = unnumbered(path.rsplit('.').next().unwrap_or(path)).0;
            page.push_str(&example_yaml(key, example));
        }
        self.children(schema, &mut page);
        page
    }

    fn first(&self, schema: &'a Value, key: &str) -> Option<&'a Value> {
        self.faces(schema).into_iter().find_map(|face| face.get(key))
    }

    /// The values of a field that has a fixed set of them.
    fn choices(&self, schema: &'a Value, page: &mut String) {
        let documented: Vec<(&str, &str)> = self
            .faces(schema)
            .iter()
            .filter_map(|face| Some((face.get("const")?.as_str()?, face.get("description")?.as_str()?)))
            .filter(|_| schema.get("const").is_none())
            .collect();
        if documented.is_empty() {
            return;
        }
        page.push_str("\n  Values:\n\n");
        for (value, text) in documented {
            let _ = write!(page, "    {value}\n{}", wrap(text, 6));
        }
    }

    fn children(&self, schema: &'a Value, page: &mut String) {
        let faces = self.faces(schema);
        let mut header = false;
        for face in faces {
            for (name, child) in face.get("properties").and_then(Value::as_object).into_iter().flatten() {
                if !header {
                    page.push_str("\n  Fields:\n");
                    header = true;
                }
                let without = self.without(face, name, child).fact();
                let without = without.map_or_else(String::new, |fact| format!(", {fact}"));
                let _ = write!(page, "\n    {name} ({}{without})\n", self.type_name(child));
                if let Some(text) = self.first(child, "description").and_then(Value::as_str) {
                    page.push_str(&wrap(&in_short(text), 6));
                }
            }
        }
    }

    fn type_name(&self, schema: &'a Value) -> String {
        let mut names: Vec<String> = Vec::new();
        self.collect_types(schema, &mut names, 0);
        if names.is_empty() { "any".to_owned() } else { names.join(" or ") }
    }

    fn collect_types(&self, schema: &'a Value, names: &mut Vec<String>, depth: usize) {
        if depth > 8 {
            return;
        }
        let mut add = |name: String| {
            if !names.contains(&name) {
                names.push(name);
            }
        };
        match schema.get("type").and_then(Value::as_str) {
            Some("array") => {
                let items = schema.get("items").map_or_else(|| "any".to_owned(), |items| self.type_name(items));
                add(format!("list of {items}"));
            }
            Some("object") => match schema.get("additionalProperties").filter(|free| free.is_object()) {
                Some(free) if schema.get("properties").is_none() => add(format!("map of {}", self.type_name(free))),
                _ => add("object".to_owned()),
            },
            Some("integer") => add("whole number".to_owned()),
            Some("boolean") => add("true or false".to_owned()),
            Some(other) => add(other.to_owned()),
            None => {}
        }
        if let Some(target) =
            schema.get("$ref").and_then(Value::as_str).and_then(|path| self.root.pointer(path.trim_start_matches('#')))
        {
            self.collect_types(target, names, depth + 1);
        }
        for key in ["anyOf", "oneOf"] {
            for other in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
                self.collect_types(other, names, depth + 1);
            }
        }
    }
}

fn is_required(schema: &Value, field: &str) -> bool {
    schema.get("required").and_then(Value::as_array).is_some_and(|required| required.iter().any(|name| name == field))
}

fn inline(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a schema is that of `spec`, `defaults` or one of the `overrides`.
fn is_spec(schema: &Value) -> bool {
    let fields = schema.get("properties").and_then(Value::as_object);
    fields.is_some_and(|fields| SPEC_FIELDS.iter().all(|field| fields.contains_key(*field)))
}

/// The first sentence of a documentation, and the one that says what is without the field.
fn in_short(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut sentences = text.split_inclusive(". ").map(str::trim_end);
    let first = sentences.next().unwrap_or_default();
    let starts = ["By default", "Without it", "Left out", "When it is left out"];
    let default = sentences.find(|sentence| starts.iter().any(|start| sentence.starts_with(start)));
    default.map_or_else(|| first.to_owned(), |default| format!("{first} {default}"))
}

/// The example as YAML beneath its key, indented by four spaces.
fn example_yaml(key: &str, example: &Value) -> String {
    let document = if matches!(key, "Project" | "Secret" | "Defaults" | "Rules") {
        example.clone()
    } else {
        Value::Object([(key.to_owned(), example.clone())].into_iter().collect())
    };
    let mut out = String::new();
    for line in serde_yaml::to_string(&document).unwrap_or_else(|_| example.to_string()).lines() {
        let _ = writeln!(out, "    {line}");
    }
    out
}

/// Text in lines of at most [`WIDTH`] characters.
fn wrap(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH - indent {
            out.push('\n');
            width = 0;
        }
        if width == 0 {
            out.push_str(&" ".repeat(indent));
        } else {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += length;
    }
    out.push('\n');
    out
}
