//! Where something that a person wrote stands: file, line and column.
//!
//! All desired state carries its origin from the manifest to the rendered plan, so that a reviewer can go from a
//! planned change to the line that asks for it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// A place in a manifest file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The file, relative to the project's folder, with `/` between its parts on every platform.
    pub file: Arc<str>,
    /// Line, counted from 1.
    pub line: u32,
    /// Column in characters, counted from 1.
    pub column: u32,
}

impl Origin {
    /// An origin in `file`, which is given relative to the project's folder.
    pub fn new(file: &Path, line: u32, column: u32) -> Self {
        let parts: Vec<_> = file.iter().map(|part| part.to_string_lossy()).collect();
        Self { file: parts.join("/").into(), line, column }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
