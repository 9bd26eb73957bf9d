//! From a tree to the schema's types: a serde `Deserializer` that reports every mistake and reads on.
//!
//! A mistake is reported where it is found; [`Field`](super::field::Field) then swallows the error, so that one pass
//! over the tree finds them all. Unknown fields never reach serde: the list that a derived struct hands in says which
//! ones are known.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::{StrDeserializer, U32Deserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::codes;
use super::diagnostic::{Problem, Report, listed, nearest};
use super::field::{FIELD, NULLABLE, TEXT};
use super::mask;
use super::shown::MAX_SHOWN_KEY;
use super::source::Span;
use super::tree::{Key, Kind, Node, parse_integer};
use crate::domain::Part;

/// Most problems of one document that are reported.
pub(crate) const MAX_DOCUMENT_PROBLEMS: usize = 100;

/// Reads `node` as a `T`, and says so when it has more mistakes than are shown if `announce` is set. `None` when it is
/// not even the right kind of node; every problem is in the report then.
pub(crate) fn decode<T: DeserializeOwned>(node: &Node, announce: bool, report: &mut Report) -> Option<T> {
    let sink = Sink { problems: RefCell::new(Vec::new()) };
    let decoded = T::deserialize(NodeReader { node, sink: &sink, masked: false }).ok();
    let problems = sink.problems.into_inner();
    let too_many = problems.len() >= MAX_DOCUMENT_PROBLEMS;
    for problem in problems {
        report.push(problem);
    }
    if too_many && announce {
        let message = format!("only the first {MAX_DOCUMENT_PROBLEMS} mistakes of this document are shown");
        report.push(Problem::new(&codes::TOO_MANY_PROBLEMS, node.span.begin(), message));
    }
    decoded
}

/// Where one document's problems go.
struct Sink {
    problems: RefCell<Vec<Problem>>,
}

impl Sink {
    /// Whether more problems would be dropped: what only serves to word them can be saved.
    fn is_full(&self) -> bool {
        self.problems.borrow().len() >= MAX_DOCUMENT_PROBLEMS
    }

    fn push(&self, problem: Problem) {
        if !self.is_full() {
            self.problems.borrow_mut().push(problem);
        }
    }
}

/// An error on its way out of serde.
#[derive(Debug)]
enum DecodeError {
    /// It has no place yet.
    Unplaced { expected: Option<String>, message: String },
    /// It is in the report.
    Reported,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unplaced { message, .. } => f.write_str(message),
            Self::Reported => f.write_str("reported already"),
        }
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Unplaced { expected: None, message: message.to_string() }
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Unplaced { expected: Some(plain_words(&expected.to_string())), message: String::new() }
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Unplaced { expected: Some(plain_words(&expected.to_string())), message: String::new() }
    }
}

/// Rust's names of types in a reader's words.
fn plain_words(expected: &str) -> String {
    match expected {
        "i64" => "a whole number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        other => other.to_owned(),
    }
}

#[derive(Clone, Copy)]
struct NodeReader<'a> {
    node: &'a Node,
    sink: &'a Sink,
    masked: bool,
}

impl<'a> NodeReader<'a> {
    fn child(self, node: &'a Node) -> Self {
        Self { node, ..self }
    }

    /// Gives an error its place, unless it has one.
    fn place(self, error: DecodeError) -> DecodeError {
        match error {
            DecodeError::Reported => DecodeError::Reported,
            DecodeError::Unplaced { expected: Some(expected), .. } => self.wrong_type(&expected),
            DecodeError::Unplaced { expected: None, message } => {
                self.report(Problem::new(&codes::WRONG_TYPE, self.node.span, message))
            }
        }
    }

    fn report(self, problem: Problem) -> DecodeError {
        self.sink.push(problem.masked(self.masked));
        DecodeError::Reported
    }

    fn wrong_type(self, expected: &str) -> DecodeError {
        let quoted = !self.masked && matches!(expected, "a string" | "a whole number" | "true or false");
        let found = match &self.node.kind {
            Kind::Poison => return DecodeError::Reported,
            // What stands in the place of a map or a list may be what belongs into it, a secret's value too.
            Kind::Number(raw) if quoted => format!("the number `{raw}`"),
            Kind::String(text) if quoted && text.len() <= 40 && !text.contains('\n') => {
                format!("the string `{text}`")
            }
            _ => self.node.kind_name().to_owned(),
        };
        let help = match (&self.node.kind, expected) {
            (Kind::Number(raw), "a string") if !self.masked => Some(format!("quote it: \"{raw}\"")),
            (Kind::Number(_) | Kind::Bool(_), "a string") => Some("put it in quotes".to_owned()),
            (Kind::String(text), "true or false") => Some(match text.to_ascii_lowercase().as_str() {
                "yes" | "on" | "true" => "write true, without quotes".to_owned(),
                "no" | "off" | "false" => "write false, without quotes".to_owned(),
                _ => "write true or false, without quotes".to_owned(),
            }),
            (Kind::String(text), "a whole number") if parse_integer(text).is_some() => {
                Some("write the number without quotes".to_owned())
            }
            (Kind::String(text), "a whole number") if text.contains("${") => {
                Some("variables are text, and stand only where a string is expected".to_owned())
            }
            (Kind::String(_) | Kind::Map(_), "a list") => {
                Some("items of a list stand in brackets: [a, b], or on lines that begin with -".to_owned())
            }
            (_, "a map with one source") if !self.node.is_bare() => Some(
                "say where the value comes from, for example `value: { sops: { file: db.sops.yaml, key: /password } \
                 }`; what is not secret may stand in the manifest: `value: { text: … }`"
                    .to_owned(),
            ),
            (Kind::Null, _) if self.node.is_bare() => return self.without_value(),
            (Kind::Null, _) => Some(
                "leave the field out if it isn't to be managed; null has a meaning only where the reference says so"
                    .to_owned(),
            ),
            _ => None,
        };
        self.report(
            Problem::new(&codes::WRONG_TYPE, self.node.span, format!("expected {expected}, found {found}"))
                .label(format!("expected {expected}"))
                .help_if(help),
        )
    }

    /// A key behind which nothing is written: its children were commented out, or forgotten. It must not mean `null`.
    fn without_value(self) -> DecodeError {
        self.report(
            Problem::new(&codes::KEY_WITHOUT_VALUE, self.node.span, "a key without a value")
                .label("nothing is written here")
                .help(
                    "write `null`, or `[]` or `{}` for a list or map, if there must be none; leave the key out if \
                    it isn't to be managed",
                ),
        )
    }

    fn unknown_field(self, key: &Key, known: &[&str], hidden: bool) {
        if self.sink.is_full() {
            return;
        }
        let near = nearest(&key.text, known.iter().copied());
        let message = if hidden {
            "unknown field beneath `value`".to_owned()
        } else if key.text.len() > MAX_SHOWN_KEY {
            "unknown field, with a very long name".to_owned()
        } else {
            format!("unknown field `{}`", key.text)
        };
        let problem = Problem::new(&codes::UNKNOWN_FIELD, key.span, message)
            .label(near.map_or_else(|| "not a field of this map".to_owned(), |near| format!("did you mean `{near}`?")))
            .help(format!("known fields are {}", listed(known.iter().copied())))
            .masked(hidden);
        self.sink.push(problem);
    }
}

impl<'de> Deserializer<'de> for NodeReader<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Number(raw) => match parse_integer(raw) {
                Some(number) => visitor.visit_i64(number),
                // `.inf` and the like are floats that Rust writes otherwise; nothing in a manifest takes any float.
                None => visitor.visit_f64(raw.parse().unwrap_or(f64::NAN)),
            },
            Kind::String(text) => visitor.visit_str(text),
            Kind::Template(_) => {
                return Err(self.report(
                    Problem::new(
                        &codes::REFERENCE_NOT_ALLOWED,
                        self.node.span,
                        "another secret's ARN cannot stand \
                        here",
                    )
                    .label("known only when that secret exists")
                    .help(
                        "`${secret:NAME:arn}` is allowed in `description`, in tag values, in `policy` and in \
                            `text` values",
                    ),
                ));
            }
            Kind::Seq(items) => visitor.visit_seq(Items { reader: self, items: items.iter() }),
            Kind::Map(entries) => {
                visitor.visit_map(Entries { reader: self, rest: entries.iter(), known: None, value: None })
            }
            Kind::Poison => return Err(DecodeError::Reported),
        }
        .map_err(|error| self.place(error))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match name {
            FIELD => visitor.visit_seq(FieldParts { reader: self, next: Next::Span, nullable: false }),
            NULLABLE => visitor.visit_seq(FieldParts { reader: self, next: Next::Span, nullable: true }),
            TEXT => match &self.node.kind {
                Kind::Template(parts) => {
                    visitor.visit_seq(TemplateParts { parts: parts.iter() }).map_err(|error| self.place(error))
                }
                _ => self.deserialize_str(visitor),
            },
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.node.kind {
            Kind::Map(entries) => visitor
                .visit_map(Entries { reader: self, rest: entries.iter(), known: Some(fields), value: None })
                .map_err(|error| self.place(error)),
            // serde would take the items for the fields in their order.
            Kind::Seq(_) => Err(self.place(de::Error::invalid_type(Unexpected::Seq, &visitor))),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.node.kind {
            Kind::String(text) if variants.contains(&&**text) => visitor
                .visit_enum(<&str as IntoDeserializer<'_, DecodeError>>::into_deserializer(text))
                .map_err(|error| self.place(error)),
            Kind::String(text) => {
                let near = nearest(text, variants.iter().copied());
                let message = if self.masked { "unknown value".to_owned() } else { format!("unknown value `{text}`") };
                let label = near.map_or_else(
                    || "none of the values of this field".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                Err(self.report(
                    Problem::new(&codes::INVALID_CHOICE, self.node.span, message)
                        .label(label)
                        .help(format!("it is one of {}", listed(variants.iter().copied()))),
                ))
            }
            _ => Err(self.wrong_type("a string")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.kind {
            Kind::String(_) | Kind::Template(_) | Kind::Poison => self.deserialize_any(visitor),
            _ => Err(self.wrong_type("a string")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

struct Items<'a> {
    reader: NodeReader<'a>,
    items: std::slice::Iter<'a, Node>,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        self.items.next().map(|item| seed.deserialize(self.reader.child(item))).transpose()
    }
}

struct Entries<'a> {
    reader: NodeReader<'a>,
    rest: std::slice::Iter<'a, (Key, Node)>,
    /// The fields of a struct; `None` for a map with free keys.
    known: Option<&'static [&'static str]>,
    value: Option<NodeReader<'a>>,
}

impl<'de> de::MapAccess<'de> for Entries<'_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        for (key, value) in self.rest.by_ref() {
            if let Some(known) = self.known
                && !known.contains(&&*key.text)
            {
                self.reader.unknown_field(key, known, self.reader.masked);
                continue;
            }
            self.value = Some(NodeReader {
                node: value,
                masked: self.reader.masked || self.known.is_some() && mask::holds_values(&key.text),
                ..self.reader
            });
            return seed.deserialize(KeyReader { key, reader: self.reader }).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        match self.value.take() {
            Some(reader) => seed.deserialize(reader),
            None => Err(DecodeError::Reported),
        }
    }
}

/// A key, read as text or as a [`Field`](super::field::Field) of it.
#[derive(Clone, Copy)]
struct KeyReader<'a> {
    key: &'a Key,
    reader: NodeReader<'a>,
}

impl<'de> Deserializer<'de> for KeyReader<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_str(&self.key.text)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == FIELD {
            let node = Node::new(self.key.span, Kind::String(self.key.text.clone()));
            return visitor.visit_seq(FieldParts {
                reader: self.reader.child(&node),
                next: Next::Span,
                nullable: false,
            });
        }
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map
        struct enum identifier ignored_any
    }
}

enum Next {
    Span,
    Value,
}

/// A field as two elements: its place and its value. A `null` of a nullable field has no second one.
struct FieldParts<'a> {
    reader: NodeReader<'a>,
    next: Next,
    nullable: bool,
}

impl<'de> de::SeqAccess<'de> for FieldParts<'_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        match self.next {
            Next::Span => {
                self.next = Next::Value;
                let Span { file, start, end, line, column } = self.reader.node.span;
                let numbers = [file, start, end, line, column].into_iter().map(U32Deserializer::<DecodeError>::new);
                seed.deserialize(de::value::SeqDeserializer::new(numbers)).map(Some)
            }
            Next::Value if self.nullable && self.reader.node.is_bare() => Err(self.reader.without_value()),
            Next::Value if self.nullable && matches!(self.reader.node.kind, Kind::Null) => Ok(None),
            Next::Value => seed.deserialize(self.reader).map(Some),
        }
    }
}

/// A template as pairs: whether it is a reference, and its text.
struct TemplateParts<'a> {
    parts: std::slice::Iter<'a, Part>,
}

impl<'de> de::SeqAccess<'de> for TemplateParts<'_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        let Some(part) = self.parts.next() else { return Ok(None) };
        let (is_arn, text) = match part {
            Part::Text(text) => (false, text.as_str()),
            Part::SecretArn(name) => (true, name.as_str()),
        };
        seed.deserialize(de::value::SeqDeserializer::new([Pair::Flag(is_arn), Pair::Text(text)].into_iter())).map(Some)
    }
}

#[derive(Clone, Copy)]
enum Pair<'a> {
    Flag(bool),
    Text(&'a str),
}

impl<'a> IntoDeserializer<'_, DecodeError> for Pair<'a> {
    type Deserializer = PairReader<'a>;
    fn into_deserializer(self) -> PairReader<'a> {
        PairReader(self)
    }
}

struct PairReader<'a>(Pair<'a>);

impl<'de> Deserializer<'de> for PairReader<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Pair::Flag(flag) => visitor.visit_bool(flag),
            Pair::Text(text) => StrDeserializer::new(text).deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}
