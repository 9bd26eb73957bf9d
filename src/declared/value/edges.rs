//! What stands at the edges of a value and is easily overlooked: a line feed at its end, a byte order mark at its
//! beginning. Both are kept, since some values need them, and said, since most do not. What git holds in the clear is
//! looked at in every plan; of an encrypted value nothing is known unless it was decrypted to be compared.

use super::MAX_VALUE_BYTES;
use super::read;
use super::secret::{Exposed, SecretValue};
use super::source::Source;

/// A value, or a field of one, with something at its edges, by its length alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edges {
    /// JSON pointer to the field of the value; empty for the value itself.
    pub field: String,
    /// How many bytes it has, with what stands at its edges.
    pub bytes: usize,
    /// Whether the last byte is a line feed.
    pub line_feed: bool,
    /// Whether it begins with a byte order mark.
    pub mark: bool,
}

impl Edges {
    /// What stands at the edges of this text, when something does.
    fn of(field: &str, bytes: &[u8]) -> Option<Self> {
        let (line_feed, mark) = (bytes.ends_with(b"\n"), bytes.starts_with("\u{feff}".as_bytes()));
        (line_feed || mark).then_some(Self { field: field.to_owned(), bytes: bytes.len(), line_feed, mark })
    }

    /// What stands at the edges of a value that was made.
    pub fn of_value(value: &SecretValue) -> Option<Self> {
        match value.expose() {
            Exposed::Text(text) => Self::of("", text.as_bytes()),
            Exposed::Binary(_) => None,
        }
    }
}

impl Source {
    /// What stands at the edges of the texts that the value is made of, as far as git holds them in the clear. A file
    /// that cannot be read has an error of its own.
    pub fn edges(&self) -> Vec<Edges> {
        let mut found = Vec::new();
        self.add_edges("", &mut found);
        found
    }

    fn add_edges(&self, field: &str, found: &mut Vec<Edges>) {
        match self {
            Self::File { path, shown } => {
                found.extend(
                    read::read(path, shown, MAX_VALUE_BYTES).ok().and_then(|text| Edges::of(field, text.as_slice())),
                );
            }
            Self::Text(template) => {
                found.extend(template.resolve(&|_| None).ok().and_then(|text| Edges::of(field, text.as_bytes())));
            }
            Self::Json(fields) => {
                for (key, source) in fields {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    source.add_edges(&format!("{field}/{key}"), found);
                }
            }
            Self::Sops(_) | Self::Env(_) | Self::BinaryFile { .. } | Self::Generate(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::Template;

    #[test]
    fn a_line_feed_and_a_mark_are_told_by_the_length() {
        let edges = |bytes, line_feed, mark| Some(Edges { field: String::new(), bytes, line_feed, mark });
        assert_eq!(Edges::of("", b"abc\n"), edges(4, true, false));
        assert_eq!(Edges::of("", b"\xEF\xBB\xBFabc"), edges(6, false, true));
        assert_eq!(Edges::of("", b"\xEF\xBB\xBFabc\r\n"), edges(8, true, true));
        assert_eq!(Edges::of("", b"a\nc"), None);
        assert_eq!(Edges::of("", b""), None);
        assert_eq!(Edges::of_value(&SecretValue::text("key\n".to_owned())), edges(4, true, false));
        assert_eq!(Edges::of_value(&SecretValue::binary(b"key\n".to_vec())), None);
    }

    #[test]
    fn fields_of_json_are_named() {
        let text = |text: &str| Source::Text(Template::text(text));
        let inner = Source::Json(BTreeMap::from([("a/b".to_owned(), text("x\n")), ("c".to_owned(), text("x"))]));
        let found = Source::Json(BTreeMap::from([("n".to_owned(), inner)])).edges();
        assert_eq!(found, [Edges { field: "/n/a~1b".to_owned(), bytes: 2, line_feed: true, mark: false }]);
        assert_eq!(text("x\n").edges().len(), 1);
    }
}
