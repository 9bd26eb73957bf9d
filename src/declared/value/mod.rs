//! Secret values: where they come from, how they stay hidden, and how git's version of one is named without reading it.
//!
//! A [`Source`] is what a manifest says about a value. [`Source::identity`] names the version that it stands for, from
//! ciphertext alone: no key, no permission to read secrets. [`Source::render`] makes the [`SecretValue`] itself, and
//! only `apply` and `--read-values` do that. SOPS files are read and decrypted in `sops/`.
//!
//! What may not enter: planning, printing, and AWS. Keys that KMS unwraps and passwords that AWS makes come in through
//! the traits [`DataKeys`] and [`Passwords`]. Plaintext lives here in [`SecretValue`] and in buffers that wipe
//! themselves; no error and no `Debug` text holds any of it, nor a line of a file.

mod buffer;
mod edges;
mod env;
mod error;
mod hint;
mod identity;
mod json;
mod parts;
mod read;
mod render;
mod secret;
mod shape;
mod sops;
mod source;
mod values;
mod version;

#[cfg(test)]
mod tests;

pub use buffer::SecretBuffer;
pub use edges::Edges;
pub use env::EnvAccess;
pub use error::{KeySearch, ValueError};
pub use error::{MOST_LISTED, first_of};
pub use hint::{EncodingHint, ValueHint};
pub use identity::{Identity, MadeOnce, generated_whole};
pub use parts::DifferingParts;
pub use render::{KeptParts, Passwords, RenderContext};
pub use secret::{Exposed, SecretValue};
pub use shape::{Known, SchemaProblem, Shape, ShapeBreach, WrongSchema};
pub use sops::region_of_key;
pub use sops::{
    AgeHeld, AgeKeys, AgePlace, DataKeys, Decryptor, Format as SopsFormat, KmsRequest, MAX_SOPS_BYTES, MAX_SOPS_DEPTH,
    NoKms, SopsFiles, SopsKey, SopsProgram, SopsTrust, config_home,
};
pub use source::{GenerateOptions, SopsPart, Source};
pub use values::{Arns, Values};
pub use version::version_after;

/// The largest value that Secrets Manager takes, in bytes (PutSecretValue, `SecretString` and `SecretBinary`).
pub const MAX_VALUE_BYTES: usize = 65_536;
