//! What can go wrong with a value. No message holds a value, nor a line of a file.

use std::io;

use super::hint::{EncodingHint, ValueHint};
use super::shape::ShapeBreach;

/// A value that cannot be named, or cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The value is not of the shape that a rule of the project requires.
    #[error("it breaks the rule `{rule}`: {}", ShapeBreach::listed(.breaches))]
    Shape {
        /// The rule.
        rule: String,
        /// What is wrong, by key.
        breaches: Vec<ShapeBreach>,
    },
    /// The file is not there.
    #[error("{file} does not exist")]
    MissingFile {
        /// The file, relative to the project.
        file: String,
    },
    /// The file is there and cannot be read.
    #[error("{file} cannot be read: {kind}")]
    UnreadableFile {
        /// The file, relative to the project.
        file: String,
        /// What the operating system says.
        kind: io::ErrorKind,
    },
    /// What Git LFS leaves in the place of a file.
    #[error("{file} is a pointer of Git LFS, and not the content that it stands for")]
    LfsPointer {
        /// The file, relative to the project.
        file: String,
    },
    /// A folder, a pipe or a device.
    #[error("{file} is not a regular file")]
    NotAFile {
        /// The file, relative to the project.
        file: String,
    },
    /// More bytes than are read from a file of this kind.
    #[error("{file} is larger than {limit} bytes")]
    FileTooLarge {
        /// The file, relative to the project.
        file: String,
        /// How many bytes are read at most.
        limit: usize,
    },
    /// A text file that is not UTF-8.
    #[error("{file} is not text: it is not valid UTF-8")]
    NotText {
        /// The file, relative to the project.
        file: String,
    },
    /// A value of bytes within a JSON object.
    #[error("{file} gives bytes, which cannot be a field of a JSON value")]
    BinaryInJson {
        /// The file, relative to the project.
        file: String,
    },
    /// No SOPS file, or a damaged one.
    #[error("{file} is not a SOPS file that can be read: {reason}")]
    NotSops {
        /// The file, relative to the project.
        file: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A SOPS file as git leaves it where a merge needs somebody.
    #[error("{file} has the marks of a merge that git could not finish, first in line {line}")]
    MergeConflict {
        /// The file, relative to the project.
        file: String,
        /// The first such line, counted from 1.
        line: usize,
    },
    /// Text in an encoding, or with line ends, that SOPS takes for something else.
    #[error("{file} {problem}")]
    Misencoded {
        /// The file, relative to the project.
        file: String,
        /// What is wrong with it.
        problem: &'static str,
        /// How it should be saved.
        hint: EncodingHint,
    },
    /// A dotenv SOPS file, some lines of which end with a carriage return.
    #[error(
        "{file}: line {line} ends with a carriage return, which belongs neither to an encrypted value nor to the \
         metadata"
    )]
    CarriageReturn {
        /// The file, relative to the project.
        file: String,
        /// The first such line, counted from 1.
        line: usize,
    },
    /// A binary SOPS file of nothing.
    #[error("{file} is empty: Secrets Manager stores no empty values")]
    EmptyFile {
        /// The file, relative to the project.
        file: String,
    },
    /// None of the file's recipients has a key here.
    #[error("no key was found that could decrypt {file}")]
    NoKey {
        /// The file, relative to the project.
        file: String,
        /// What the file was encrypted to, and where keys were looked for.
        search: Box<KeySearch>,
    },
    /// There are keys here, and none is one of the file's recipients.
    #[error("none of the keys found here can decrypt {file}")]
    WrongKey {
        /// The file, relative to the project.
        file: String,
        /// What the file was encrypted to, and where keys were looked for.
        search: Box<KeySearch>,
    },
    /// An encrypted value fails its authentication.
    #[error(
        "{file}: the encrypted value at {path} does not authenticate: it was changed, moved, or encrypted with \
         another data key"
    )]
    Tampered {
        /// The file, relative to the project.
        file: String,
        /// JSON pointer to the value.
        path: String,
    },
    /// A value that the file's own rules want encrypted stands there in the clear.
    #[error("{file}: the value at {path} should be encrypted, and is not")]
    PlainValue {
        /// The file, relative to the project.
        file: String,
        /// JSON pointer to the value.
        path: String,
    },
    /// The file's MAC does not fit its contents.
    #[error("{file}: the MAC does not match: the file was changed after it was encrypted")]
    MacMismatch {
        /// The file, relative to the project.
        file: String,
    },
    /// The file has no MAC.
    #[error("{file}: the MAC is missing: nothing shows that the file is whole")]
    MacMissing {
        /// The file, relative to the project.
        file: String,
    },
    /// The key leads nowhere.
    #[error("{file} has nothing at {key}")]
    MissingKey {
        /// The file, relative to the project.
        file: String,
        /// The JSON pointer.
        key: String,
        /// What is there, as far as the pointer leads: JSON pointers, never values.
        existing: Vec<String>,
    },
    /// Several documents of the file have this key.
    #[error("{file} has {key} in several of its documents")]
    AmbiguousKey {
        /// The file, relative to the project.
        file: String,
        /// The JSON pointer.
        key: String,
    },
    /// A file of several documents is no single value.
    #[error("{file} has several documents, which make no single value")]
    SeveralDocuments {
        /// The file, relative to the project.
        file: String,
    },
    /// A binary SOPS file has no keys.
    #[error("{file} is a binary SOPS file: it has no key {key}")]
    KeyInBinary {
        /// The file, relative to the project.
        file: String,
        /// The JSON pointer.
        key: String,
    },
    /// A part of the value stands unencrypted in the file.
    #[error(
        "{file}: {path} is left unencrypted by the file's own rule ({rule}), so it cannot be part of a secret value"
    )]
    NotEncrypted {
        /// The file, relative to the project.
        file: String,
        /// JSON pointer to the value.
        path: String,
        /// The rule, as the file's metadata calls it.
        rule: &'static str,
    },
    /// Empty texts and nulls alone.
    #[error(
        "{file}: nothing{} is encrypted: there are only empty values",
        if key.is_empty() { " in it".to_owned() } else { format!(" at {key}") }
    )]
    NothingEncrypted {
        /// The file, relative to the project.
        file: String,
        /// The JSON pointer; empty for the whole file.
        key: String,
    },
    /// A number that JSON does not know, or a text that is not UTF-8.
    #[error("{file}: the value at {path} cannot be written as JSON")]
    NotJson {
        /// The file, relative to the project.
        file: String,
        /// JSON pointer to the value.
        path: String,
    },
    /// The file asks for credentials that nobody has allowed it to ask for.
    #[error("{file} must not choose the credentials that it is decrypted with: {asks}")]
    CredentialsChosen {
        /// The file, relative to the project.
        file: String,
        /// What it asks for, and how that is allowed.
        asks: String,
    },
    /// Only the `sops` program can decrypt this file, and it is not allowed.
    #[error("{file} can only be decrypted by the sops program: it uses {}", first_of(needs))]
    NeedsProgram {
        /// The file, relative to the project.
        file: String,
        /// The recipients or features that need it.
        needs: Vec<String>,
    },
    /// Only the `sops` program can decrypt this file, and it is not installed.
    #[error("{file} can only be decrypted by the sops program, which was not found: it uses {}", first_of(needs))]
    ProgramMissing {
        /// The file, relative to the project.
        file: String,
        /// The recipients or features that need it.
        needs: Vec<String>,
    },
    /// The `sops` program failed in another way. Its own words are not repeated, since they can quote the plaintext.
    #[error("the sops program could not decrypt {file} (exit code \
        {})", code.map_or_else(|| "none".to_owned(), |code| code.to_string()))]
    ProgramFailed {
        /// The file, relative to the project.
        file: String,
        /// Its exit code; none when a signal ended it or its output made no sense.
        code: Option<i32>,
    },
    /// The file is not what it was when its version id was taken.
    #[error("{file} changed while keywright was running")]
    Changed {
        /// The file, relative to the project.
        file: String,
    },
    /// More bytes than the service takes.
    #[error("the value is larger than the 65,536 bytes that Secrets Manager takes")]
    TooLarge,
    /// No bytes at all, which the service refuses.
    #[error("the value is empty")]
    Empty,
    /// `--allow-env` does not permit the variable.
    #[error("the environment variable {name} is not allowed as a value")]
    EnvNotAllowed {
        /// Its name.
        name: String,
    },
    /// A variable that is never read for a manifest.
    #[error(
        "the environment variable {name} is never used as a value: AWS_* and SOPS_* hold keywright's own credentials"
    )]
    EnvNever {
        /// Its name.
        name: String,
    },
    /// The variable is not set.
    #[error("the environment variable {name} is not set")]
    EnvNotSet {
        /// Its name.
        name: String,
    },
    /// The variable is not UTF-8.
    #[error("the environment variable {name} is not text")]
    EnvNotText {
        /// Its name.
        name: String,
    },
    /// A referenced secret does not exist yet.
    #[error("the ARN of {secret} is not known yet")]
    ArnUnknown {
        /// The referenced secret.
        secret: String,
    },
    /// The live value has no part that could stay in the place of a generated one.
    #[error("the live value is no JSON object with text in the place of each generated part, so they cannot be kept")]
    NothingToKeep,
    /// GetRandomPassword failed.
    #[error("no password could be generated: {message}")]
    Generate {
        /// What the service, or the generator, says.
        message: String,
    },
}

/// What a file was encrypted to, and where its keys were looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySearch {
    /// The file's recipients: age public keys, key ARNs, and others with their kind before them.
    pub recipients: Vec<String>,
    /// Where keys were looked for.
    pub places: Vec<String>,
    /// What went wrong on the way, place by place.
    pub problems: Vec<String>,
    /// The recipients that only the `sops` program could use, when it is not allowed.
    pub program_only: Vec<String>,
}

/// The most recipients, places or problems that an error lists: a file may name hundreds.
pub const MOST_LISTED: usize = 10;

/// The first of many names, and how many more there are.
pub fn first_of(names: &[String]) -> String {
    let listed = names.iter().take(MOST_LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(MOST_LISTED) {
        None | Some(0) => listed,
        Some(more) => format!("{listed} and {more} more"),
    }
}

impl ValueError {
    /// What can be done about it, when that is known.
    pub fn hint(&self) -> Option<ValueHint> {
        Some(match self {
            Self::NoKey { search, .. } | Self::WrongKey { search, .. } => ValueHint::Keys(search.clone()),
            Self::MissingKey { existing, .. } if existing.is_empty() => return None,
            Self::MissingKey { existing, .. } => ValueHint::NameOneOf { existing: existing.clone() },
            Self::LfsPointer { .. } => ValueHint::LfsPull,
            Self::NotSops { .. } => ValueHint::FileFormat,
            Self::MergeConflict { .. } => ValueHint::TakeOneSide,
            Self::MacMissing { .. } => ValueHint::RestoreMac,
            Self::Misencoded { hint, .. } => ValueHint::Encoding(*hint),
            Self::CarriageReturn { .. } => ValueHint::Encoding(EncodingHint::AllWithLineFeeds),
            Self::CredentialsChosen { .. } => ValueHint::UntrustedFile,
            Self::EmptyFile { .. } => ValueHint::EncryptValue,
            Self::Tampered { .. } | Self::MacMismatch { .. } => ValueHint::LookAtHistory,
            Self::PlainValue { .. } => ValueHint::AddWithSops,
            Self::NotEncrypted { .. } => ValueHint::AllowUnencrypted,
            Self::NothingEncrypted { .. } => ValueHint::ChooseEncrypted,
            Self::AmbiguousKey { .. } => ValueHint::DistinctKeys,
            Self::SeveralDocuments { .. } => ValueHint::NameKey,
            Self::KeyInBinary { .. } => ValueHint::LeaveKeyOut,
            Self::BinaryInJson { .. } => ValueHint::BytesAlone,
            Self::NeedsProgram { .. } => ValueHint::AllowProgram,
            Self::ProgramMissing { .. } => ValueHint::InstallProgram,
            Self::ProgramFailed { .. } => ValueHint::RunProgram,
            Self::NotText { .. } => ValueHint::UseBinaryFile,
            Self::EnvNotAllowed { .. } => ValueHint::AllowEnv,
            Self::TooLarge => ValueHint::KeepElsewhere,
            Self::Empty => ValueHint::NoEmptyValues,
            Self::NothingToKeep => ValueHint::PutByHand,
            Self::MissingFile { .. }
            | Self::Shape { .. }
            | Self::UnreadableFile { .. }
            | Self::NotAFile { .. }
            | Self::FileTooLarge { .. }
            | Self::NotJson { .. }
            | Self::Changed { .. }
            | Self::EnvNever { .. }
            | Self::EnvNotSet { .. }
            | Self::EnvNotText { .. }
            | Self::ArnUnknown { .. }
            | Self::Generate { .. } => return None,
        })
    }

    /// Whether the file fails its authentication: final, whatever other way there might be to decrypt it.
    pub fn is_tampering(&self) -> bool {
        matches!(
            self,
            Self::Tampered { .. } | Self::PlainValue { .. } | Self::MacMismatch { .. } | Self::MacMissing { .. }
        )
    }
}
