//! What stands at the edges of a value and is easily overlooked: a line feed at its end, a byte order mark at its
//! beginning. Both are kept, since some values need them, and said, since most do not. Only for what git holds in the
//! clear: of an encrypted value nothing is known without its key.

use super::MAX_VALUE_BYTES;
use super::read;
use super::source::Source;

/// A value with something at its edges, by its length alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edges {
    /// How many bytes it has, with what stands at its edges.
    pub bytes: usize,
    /// Whether the last byte is a line feed.
    pub line_feed: bool,
    /// Whether it begins with a byte order mark.
    pub mark: bool,
}

impl Edges {
    /// What stands at the edges of this text, when something does.
    fn of(bytes: &[u8]) -> Option<Self> {
        let (line_feed, mark) = (bytes.ends_with(b"\n"), bytes.starts_with("\u{feff}".as_bytes()));
        (line_feed || mark).then_some(Self { bytes: bytes.len(), line_feed, mark })
    }
}

impl Source {
    /// What stands at the edges of the text file that the value is. A file that cannot be read has an error of its own.
    pub fn edges(&self) -> Option<Edges> {
        match self {
            Self::File { path, shown } => Edges::of(read::read(path, shown, MAX_VALUE_BYTES).ok()?.as_slice()),
            Self::Sops(_)
            | Self::Env(_)
            | Self::BinaryFile { .. }
            | Self::Text(_)
            | Self::Generate(_)
            | Self::Json(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_feed_and_a_mark_are_told_by_the_length() {
        let edges = |bytes, line_feed, mark| Some(Edges { bytes, line_feed, mark });
        assert_eq!(Edges::of(b"abc\n"), edges(4, true, false));
        assert_eq!(Edges::of(b"\xEF\xBB\xBFabc"), edges(6, false, true));
        assert_eq!(Edges::of(b"\xEF\xBB\xBFabc\r\n"), edges(8, true, true));
        assert_eq!(Edges::of(b"a\nc"), None);
        assert_eq!(Edges::of(b""), None);
    }
}
