//! What can be done about a value that cannot be made: data, of which `render/hint.rs` makes words.

use super::error::KeySearch;

/// What can be done about a [`super::ValueError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueHint {
    /// Bring one of the keys that were looked for.
    Keys(Box<KeySearch>),
    /// Name a key that is there.
    NameOneOf {
        /// JSON pointers.
        existing: Vec<String>,
    },
    /// `git lfs pull`.
    LfsPull,
    /// Name the file or `format` after what is in it.
    FileFormat,
    /// Take one side of a merge, and make the other side's change again.
    TakeOneSide,
    /// Take the file from the last commit in which it had a MAC.
    RestoreMac,
    /// Save the text in another way.
    Encoding(EncodingHint),
    /// A file of the repository chooses no credentials.
    UntrustedFile,
    /// Encrypt a value, or leave `value` out.
    EncryptValue,
    /// Look at what changed in git.
    LookAtHistory,
    /// Add values with `sops` itself.
    AddWithSops,
    /// Encrypt what is left in the clear, or say that this is meant.
    AllowUnencrypted,
    /// Choose a key with an encrypted value.
    ChooseEncrypted,
    /// Give documents different keys.
    DistinctKeys,
    /// Name the part that is the value with `key`.
    NameKey,
    /// Leave `key` out.
    LeaveKeyOut,
    /// Use bytes as a value of their own.
    BytesAlone,
    /// `--allow-sops-program`.
    AllowProgram,
    /// Install sops.
    InstallProgram,
    /// Run `sops decrypt` by hand.
    RunProgram,
    /// `binaryFile`, or no `as: string`.
    UseBinaryFile,
    /// `--allow-env`.
    AllowEnv,
    /// Keep the bulk elsewhere.
    KeepElsewhere,
    /// Put a value of the declared form by hand.
    PutByHand,
    /// Secrets Manager stores no empty values.
    NoEmptyValues,
}

/// How a text should be saved instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodingHint {
    /// As text at all.
    AsText,
    /// As UTF-8.
    AsUtf8,
    /// As UTF-8, or its bytes are the value.
    AsUtf8OrBytes,
    /// Without the byte order mark.
    WithoutMark,
    /// Without the byte order mark, which may be in the encrypted value too.
    WithoutMarkInValue,
    /// With line feeds.
    WithLineFeeds,
    /// With a line feed alone at the end of each line, as most have it.
    AllWithLineFeeds,
}
