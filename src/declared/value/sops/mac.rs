//! The MAC: SHA-512 over every value of the file in file order.

use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::cipher::{DataKey, Encrypted, Kind};
use super::file::SopsFile;
use super::tree::Node;
use crate::value::error::ValueError;

/// What the hash begins with when the MAC covers encrypted values alone: SHA-256 of `sops`.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b, 0x0b, 0x97, 0x5b,
    0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// Opens every value of the file, keeps none, and compares the MAC. That there is one was seen when the file was read.
pub(super) fn verify(file: &SopsFile, key: &DataKey) -> Result<(), ValueError> {
    let metadata = &file.metadata;
    let mismatch = || ValueError::MacMismatch { file: file.shown.clone() };
    let written =
        Encrypted::parse(&metadata.mac).and_then(|mac| mac.open(key, &metadata.last_modified)).ok_or_else(mismatch)?;
    // In a box, so that no copy of a block of plaintext is left behind where it was moved from.
    let mut walk = Walk { file, key, hash: Box::new(Sha512::new()), path: String::new(), pointer: String::new() };
    if metadata.mac_only_encrypted {
        walk.hash.update(ONLY_ENCRYPTED);
    }
    let result = file.documents.iter().try_for_each(|document| walk.node(document, false, false));
    let computed = Zeroizing::new(hex::encode_upper(walk.hash.finalize_reset()));
    // The hash keeps its last block. Writing over it leaves nothing of the plaintext there.
    walk.hash.update([0; 127]);
    result?;
    if bool::from(computed.as_bytes().ct_eq(written.as_slice())) { Ok(()) } else { Err(mismatch()) }
}

struct Walk<'a> {
    file: &'a SopsFile,
    key: &'a DataKey,
    hash: Box<Sha512>,
    /// The keys to here, each with a colon behind it: what each value is bound to.
    path: String,
    /// The same as a JSON pointer, for messages.
    pointer: String,
}

impl Walk<'_> {
    fn node(&mut self, node: &Node, matched: bool, in_list: bool) -> Result<(), ValueError> {
        match node {
            Node::Map(entries) => {
                for (key, value) in entries {
                    let (path, pointer) = (self.path.len(), self.pointer.len());
                    self.path.push_str(key);
                    self.path.push(':');
                    push_step(&mut self.pointer, key);
                    self.node(value, matched || self.file.metadata.rules.matches(key), false)?;
                    self.path.truncate(path);
                    self.pointer.truncate(pointer);
                }
                Ok(())
            }
            Node::List(items) => items.iter().enumerate().try_for_each(|(place, item)| {
                let pointer = self.pointer.len();
                push_step(&mut self.pointer, &place.to_string());
                self.node(item, matched, true)?;
                self.pointer.truncate(pointer);
                Ok(())
            }),
            Node::Null => Ok(()),
            leaf => self.leaf(leaf, self.file.metadata.rules.encrypts(matched), in_list),
        }
    }

    fn leaf(&mut self, leaf: &Node, encrypted: bool, in_list: bool) -> Result<(), ValueError> {
        match leaf {
            Node::Text(text) if encrypted => self.encrypted(text, in_list),
            _ if encrypted => Err(self.plain_value()),
            _ if self.file.metadata.mac_only_encrypted => Ok(()),
            Node::Text(text) | Node::Number(text) => {
                self.hash.update(text.as_bytes());
                Ok(())
            }
            Node::Bool(set) => {
                self.hash.update(if *set { "True" } else { "False" });
                Ok(())
            }
            Node::Null | Node::List(_) | Node::Map(_) => Ok(()),
        }
    }

    fn encrypted(&mut self, text: &str, in_list: bool) -> Result<(), ValueError> {
        if text.is_empty() {
            return Ok(());
        }
        let value = Encrypted::parse(text).ok_or_else(|| self.plain_value())?;
        let tampered = || ValueError::Tampered { file: self.file.shown.clone(), path: self.pointer.clone() };
        let plain = value.open(self.key, &self.path).ok_or_else(tampered)?;
        match value.kind {
            // Encrypted comments stand as items in lists. As the value of a key, only a forger puts one.
            Kind::Comment if in_list => {}
            Kind::Comment => return Err(tampered()),
            Kind::Bool => match plain.as_slice() {
                b"True" | b"true" => self.hash.update("True"),
                b"False" | b"false" => self.hash.update("False"),
                _ => return Err(tampered()),
            },
            Kind::Text | Kind::Int | Kind::Float | Kind::Time => self.hash.update(plain.as_slice()),
        }
        Ok(())
    }

    fn plain_value(&self) -> ValueError {
        self.file.plain_value(&self.pointer)
    }
}

/// Appends a step to a JSON pointer (RFC 6901).
pub(in crate::value) fn push_step(pointer: &mut String, step: &str) {
    pointer.push('/');
    pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
}
