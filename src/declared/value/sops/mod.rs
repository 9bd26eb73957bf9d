//! SOPS files, read and decrypted in process.
//!
//! Parsing a file needs no key: [`SopsFiles`] keeps each parsed file for the run, a [`select::Selection`] is the part
//! of one that is a value, and version ids are made from its ciphertext. The [`Decryptor`] unwraps a file's data key
//! (with age keys in process, with KMS through [`DataKeys`]), checks the MAC over the whole file, and only then opens
//! the selected values one by one. What it keeps is the data key, never a decrypted file. Files that need other
//! recipients go to the `sops` program, when that is allowed.
//!
//! The rules of the format are those of getsops/sops 3.11; `tests/` holds files that the genuine program made.

mod breaks;
mod cipher;
mod decryptor;
mod dotenv;
mod encoding;
mod file;
mod ini;
mod json;
mod keys;
mod kms;
mod mac;
mod metadata;
mod number;
mod program;
mod rules;
mod scalar;
pub(super) mod select;
mod tree;
mod trust;
mod yaml;

pub(super) use cipher::{Encrypted, Kind};
pub use decryptor::Decryptor;
pub(super) use decryptor::Opened;
pub(super) use encoding::is_utf16;
pub use file::{Format, SopsFiles, SopsKey};
pub(super) use json::read as read_json;
pub use keys::{AgeHeld, AgeKeys, AgePlace, config_home};
pub use kms::{DataKeys, KmsRequest, NoKms};
pub(super) use number::{json as json_number, yaml as yaml_number};
pub use program::SopsProgram;
pub(super) use tree::Node;
pub use trust::SopsTrust;
pub use trust::region_of_key;

/// The largest SOPS file that is read, in bytes.
pub const MAX_SOPS_BYTES: usize = 4 << 20;

/// How deep a SOPS file may be nested.
pub const MAX_SOPS_DEPTH: usize = 64;

/// The most bytes that the keys of one place may have together.
const MAX_PATH_BYTES: usize = 4096;

/// Most values and collections in one SOPS file.
const MAX_NODES: usize = 200_000;
