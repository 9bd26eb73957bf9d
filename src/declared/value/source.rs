//! What a manifest says about a value.

use std::collections::BTreeMap;
use std::fmt;

use super::sops::Format as SopsFormat;
use crate::domain::{SecretName, Template};
use crate::files::ProjectFile;

/// Where a secret's value comes from. Every file in it was checked: a regular one inside the project.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// A SOPS file, or a part of one.
    Sops(SopsPart),
    /// An environment variable.
    Env(String),
    /// A text file, byte for byte.
    File {
        /// The file.
        path: ProjectFile,
        /// Its path relative to the project, for messages.
        shown: String,
    },
    /// A file whose bytes become `SecretBinary`.
    BinaryFile {
        /// The file.
        path: ProjectFile,
        /// Its path relative to the project, for messages.
        shown: String,
    },
    /// Text that the manifest holds.
    Text(Template),
    /// A random password, made once.
    Generate(GenerateOptions),
    /// A JSON object whose fields are sources.
    Json(BTreeMap<String, Source>),
}

/// A SOPS file, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SopsPart {
    /// The file.
    pub file: ProjectFile,
    /// Its path relative to the project, for messages.
    pub shown: String,
    /// A JSON pointer (RFC 6901) to the part that is the value; without it, or empty, the whole file is.
    pub key: Option<String>,
    /// The format, where the file's name does not tell it.
    pub format: Option<SopsFormat>,
    /// What a binary file holds is text, and becomes `SecretString`.
    pub as_string: bool,
    /// The part may hold values that the file's own rules leave open, beside one that is encrypted.
    pub allow_unencrypted: bool,
}

impl SopsPart {
    /// The format that the file is read in.
    pub fn format(&self) -> SopsFormat {
        self.format.unwrap_or_else(|| SopsFormat::of(self.file.path()))
    }

    /// Whether it becomes `SecretBinary`.
    pub fn is_binary(&self) -> bool {
        self.format() == SopsFormat::Binary && !self.as_string
    }
}

/// The options of GetRandomPassword, with its defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the operation's own switches, one for one")]
pub struct GenerateOptions {
    /// How many characters: 1 to 4,096.
    pub length: u16,
    /// Characters that are not used.
    pub exclude_characters: String,
    /// Use no digits.
    pub exclude_numbers: bool,
    /// Use no punctuation.
    pub exclude_punctuation: bool,
    /// Use no upper-case letters.
    pub exclude_uppercase: bool,
    /// Use no lower-case letters.
    pub exclude_lowercase: bool,
    /// Use the space too.
    pub include_space: bool,
    /// Use at least one of each kind of character that is not excluded.
    pub require_each_included_type: bool,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            length: 32,
            exclude_characters: String::new(),
            exclude_numbers: false,
            exclude_punctuation: false,
            exclude_uppercase: false,
            exclude_lowercase: false,
            include_space: false,
            require_each_included_type: true,
        }
    }
}

impl Source {
    /// The secrets whose ARNs the value holds: `${secret:NAME:arn}` in text, wherever it is nested.
    pub fn references(&self) -> impl Iterator<Item = &SecretName> {
        let mut names = Vec::new();
        self.each(&mut |source| {
            if let Self::Text(template) = source {
                names.extend(template.references());
            }
        });
        names.into_iter()
    }

    /// The environment variables that it needs.
    pub fn environment(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.each(&mut |source| {
            if let Self::Env(name) = source {
                names.push(name.as_str());
            }
        });
        names
    }

    /// The files that it reads, as they are shown: SOPS files, and the ones that are taken as they stand.
    pub fn files(&self) -> Vec<&str> {
        let mut files = Vec::new();
        self.each(&mut |source| match source {
            Self::Sops(SopsPart { shown, .. }) | Self::File { shown, .. } | Self::BinaryFile { shown, .. } => {
                files.push(shown.as_str());
            }
            Self::Env(_) | Self::Text(_) | Self::Generate(_) | Self::Json(_) => {}
        });
        files
    }

    /// Whether any of it is encrypted in git.
    pub fn is_encrypted(&self) -> bool {
        let mut encrypted = false;
        self.each(&mut |source| encrypted |= matches!(source, Self::Sops(_)));
        encrypted
    }

    /// Whether a part of it is made once, by `generate`: then the value as a whole is set once, and compared only where
    /// live values are read.
    pub fn is_made_once(&self) -> bool {
        let mut made = false;
        self.each(&mut |source| made |= matches!(source, Self::Generate(_)));
        made
    }

    fn each<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        if let Self::Json(fields) = self {
            for field in fields.values() {
                field.each(visit);
            }
        }
    }
}

/// The text of a manifest may be a secret that somebody pasted, so it is not shown.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sops(part) => fmt::Debug::fmt(part, f),
            Self::Env(name) => f.debug_tuple("Env").field(name).finish(),
            Self::File { path: _, shown } => f.debug_tuple("File").field(shown).finish(),
            Self::BinaryFile { path: _, shown } => f.debug_tuple("BinaryFile").field(shown).finish(),
            Self::Text(_) => f.write_str("Text(redacted)"),
            Self::Generate(options) => fmt::Debug::fmt(options, f),
            Self::Json(fields) => f.debug_tuple("Json").field(fields).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Part;

    fn nested() -> Source {
        let arn = Part::SecretArn(SecretName::new("app/other"));
        let inner = BTreeMap::from([
            ("arn".to_owned(), Source::Text(Template::new(vec![Part::Text("CANARY".to_owned()), arn]))),
            ("password".to_owned(), Source::Env("DB_PASSWORD".to_owned())),
        ]);
        Source::Json(BTreeMap::from([("inner".to_owned(), Source::Json(inner))]))
    }

    #[test]
    fn nested_sources_are_seen() {
        let source = nested();
        assert_eq!(source.references().map(SecretName::as_str).collect::<Vec<_>>(), ["app/other"]);
        assert_eq!(source.environment(), ["DB_PASSWORD"]);
        assert!(!source.is_made_once());
        let made = BTreeMap::from([("p".to_owned(), Source::Generate(GenerateOptions::default()))]);
        assert!(
            Source::Json(BTreeMap::from([("a".to_owned(), source), ("b".to_owned(), Source::Json(made))]))
                .is_made_once()
        );
    }

    #[test]
    fn debug_hides_the_text() {
        let shown = format!("{:?}", nested());
        assert!(!shown.contains("CANARY") && shown.contains("DB_PASSWORD"), "{shown}");
    }
}
