//! One encrypted value: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.

use aes_gcm::aead::consts::U32;
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, AesGcm, Key, Nonce, Tag, aes::Aes256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::value::buffer::SecretBuffer;

/// The length of SOPS's initialisation vectors, in bytes: not the customary 12.
const IV_LEN: usize = 32;

const TAG_LEN: usize = 16;

/// The length of a data key, in bytes.
const KEY_LEN: usize = 32;

/// What kind of value was encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::value) enum Kind {
    Text,
    Int,
    Float,
    Bool,
    /// A moment: RFC 3339.
    Time,
    /// Only comments: no part of the value.
    Comment,
}

/// An encrypted value, taken apart. Nothing is decoded yet.
pub(in crate::value) struct Encrypted<'a> {
    /// The whole text, from `ENC[` to `]`.
    pub(in crate::value) whole: &'a str,
    data: &'a str,
    iv: &'a str,
    tag: &'a str,
    pub(in crate::value) kind: Kind,
}

impl<'a> Encrypted<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let inner = text.strip_prefix("ENC[AES256_GCM,data:")?.strip_suffix(']')?;
        let (data, rest) = inner.split_once(",iv:")?;
        let (iv, rest) = rest.split_once(",tag:")?;
        let (tag, kind) = rest.split_once(",type:")?;
        let kind = match kind {
            "str" | "bytes" => Kind::Text,
            "int" | "int64" => Kind::Int,
            "float" => Kind::Float,
            "bool" => Kind::Bool,
            "time" => Kind::Time,
            "comment" => Kind::Comment,
            _ => return None,
        };
        Some(Self { whole: text, data, iv, tag, kind })
    }

    /// How many bytes the plaintext has: GCM keeps the length.
    pub(in crate::value) fn plain_len(&self) -> usize {
        let padding = self.data.bytes().rev().take_while(|byte| *byte == b'=').count().min(2);
        (self.data.len() / 4 * 3).saturating_sub(padding)
    }

    /// The plaintext, if the data key and the path are the ones that it was encrypted with.
    pub(super) fn open(&self, key: &DataKey, path: &str) -> Option<SecretBuffer> {
        let iv: [u8; IV_LEN] = STANDARD.decode(self.iv).ok()?.try_into().ok()?;
        let tag: [u8; TAG_LEN] = STANDARD.decode(self.tag).ok()?.try_into().ok()?;
        let mut data = Zeroizing::new(STANDARD.decode(self.data).ok()?);
        key.0
            .decrypt_in_place_detached(Nonce::from_slice(&iv), path.as_bytes(), &mut data, Tag::from_slice(&tag))
            .ok()?;
        Some(SecretBuffer::from_bytes(data))
    }
}

/// A file's data key, expanded for use. It wipes itself when dropped.
pub(super) struct DataKey(Box<AesGcm<Aes256, U32>>);

impl DataKey {
    /// `None` for anything but 32 bytes.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == KEY_LEN).then(|| Self(Box::new(AesGcm::new(Key::<Aes256Gcm>::from_slice(bytes)))))
    }
}
