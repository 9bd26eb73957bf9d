//! Makes the value itself. Only `apply` and `--read-values` come here.

use std::future::Future;
use std::path::Path;

use zeroize::Zeroizing;

use super::MAX_VALUE_BYTES;
use super::buffer::SecretBuffer;
use super::env::EnvAccess;
use super::error::ValueError;
use super::json::{self, JsonText, LIST, OBJECT};
use super::read;
use super::secret::SecretValue;
use super::sops::select::{Part, Selection};
use super::sops::{DataKeys, Decryptor, Format, Kind, Node, Opened};
use super::source::{GenerateOptions, Source};
use crate::desired::{SecretName, Template};

/// Makes random passwords (GetRandomPassword). The error is for a person to read.
pub trait Passwords: Send + Sync {
    /// A new password.
    fn generate(&self, options: &GenerateOptions) -> impl Future<Output = Result<Zeroizing<String>, String>> + Send;
}

/// What a source may need to become a value.
pub struct RenderContext<'a, K, P> {
    /// Decrypts SOPS files.
    pub decryptor: &'a Decryptor<'a, K>,
    /// Finds the ARN of another secret, if it is known.
    pub arns: &'a (dyn Fn(&SecretName) -> Option<String> + Sync),
    /// The environment as far as manifests may see it.
    pub env: EnvAccess<'a>,
    /// Makes passwords.
    pub passwords: &'a P,
}

impl Source {
    /// The value that this source gives. It has between 1 and [`MAX_VALUE_BYTES`] bytes.
    pub async fn render<K: DataKeys, P: Passwords>(
        &self,
        context: &RenderContext<'_, K, P>,
    ) -> Result<SecretValue, ValueError> {
        match self {
            Self::Sops { file, shown, key } => context.sops(file, shown, key.as_deref()).await,
            Self::Env(name) => text(SecretBuffer::from_bytes(context.env.read(name)?.as_bytes().to_vec().into()), name),
            Self::File { path, shown } => text(file(path, shown)?, shown),
            Self::BinaryFile { path, shown } => SecretValue::checked_binary(file(path, shown)?),
            Self::Text(template) => text(context.text(template)?, ""),
            Self::Generate(options) => text(context.password(options).await?, ""),
            Self::Json(_) => {
                let mut json = JsonText::new();
                context.field(self, &mut json).await?;
                text(json.into_buffer(), "")
            }
        }
    }
}

/// A file that a manifest names, byte for byte.
fn file(path: &Path, shown: &str) -> Result<SecretBuffer, ValueError> {
    read::read(path, shown, MAX_VALUE_BYTES).map_err(|error| match error {
        ValueError::FileTooLarge { .. } => ValueError::TooLarge,
        error => error,
    })
}

/// Text out of a buffer. `file` is what it came from, should it not be UTF-8.
fn text(buffer: SecretBuffer, file: &str) -> Result<SecretValue, ValueError> {
    SecretValue::checked_text(buffer)?.ok_or_else(|| ValueError::NotText { file: file.to_owned() })
}

impl<K: DataKeys, P: Passwords> RenderContext<'_, K, P> {
    async fn sops(&self, path: &Path, shown: &str, key: Option<&str>) -> Result<SecretValue, ValueError> {
        let file = self.decryptor.files.get(path, shown)?;
        let selection = Selection::new(&file, key)?;
        let opened = self.decryptor.open(&file).await?;
        let part = selection.part()?;
        if file.format == Format::Binary {
            return match (&*opened, part) {
                (Opened::Bytes(bytes), _) => {
                    SecretValue::checked_binary(SecretBuffer::from_bytes(bytes.as_slice().to_vec().into()))
                }
                (Opened::Key(key), Part::Leaf(value)) => SecretValue::checked_binary(key.open(&selection, &value)?),
                _ => Err(ValueError::NotSops { file: shown.to_owned(), reason: "its data is not text" }),
            };
        }
        let plain = match (&*opened, part) {
            (Opened::Key(key), Part::Leaf(value)) => {
                let plain = key.open(&selection, &value)?;
                if value.kind == Kind::Bool {
                    SecretBuffer::from_bytes(json_bool(&plain).as_bytes().to_vec().into())
                } else {
                    plain
                }
            }
            (Opened::Tree(root), Part::Leaf(_)) => match selection.in_plain(root) {
                Some(Node::Text(plain) | Node::Number(plain)) => {
                    SecretBuffer::from_bytes(plain.as_bytes().to_vec().into())
                }
                Some(Node::Bool(set)) => SecretBuffer::from_bytes(set.to_string().into_bytes().into()),
                _ => return Err(ValueError::ProgramFailed { file: shown.to_owned(), code: None }),
            },
            _ => {
                let mut json = JsonText::new();
                write(&mut json, &selection, &opened)?;
                json.into_buffer()
            }
        };
        text(plain, shown)
    }

    fn text(&self, template: &Template) -> Result<SecretBuffer, ValueError> {
        let text = template.resolve(&|name| (self.arns)(name));
        let text = text.map_err(|secret| ValueError::ArnUnknown { secret: secret.to_string() })?;
        Ok(SecretBuffer::from_bytes(text.into_bytes().into()))
    }

    async fn password(&self, options: &GenerateOptions) -> Result<SecretBuffer, ValueError> {
        let mut password =
            self.passwords.generate(options).await.map_err(|message| ValueError::Generate { message })?;
        Ok(SecretBuffer::from_bytes(std::mem::take(&mut *password).into_bytes().into()))
    }

    /// Writes a source as a part of a JSON value. What is an object in a SOPS file is an object here, not its text.
    async fn field(&self, source: &Source, json: &mut JsonText) -> Result<(), ValueError> {
        let (plain, from) = match source {
            Source::Sops { file: path, shown, key } => {
                let file = self.decryptor.files.get(path, shown)?;
                if file.format == Format::Binary {
                    return Err(ValueError::BinaryInJson { file: shown.clone() });
                }
                let selection = Selection::new(&file, key.as_deref())?;
                return write(json, &selection, &*self.decryptor.open(&file).await?);
            }
            Source::Json(fields) => {
                json.raw(OBJECT[0]);
                for (place, (key, field)) in fields.iter().enumerate() {
                    if place > 0 {
                        json.raw(",");
                    }
                    json.key(key);
                    Box::pin(self.field(field, json)).await?;
                }
                json.raw(OBJECT[1]);
                return Ok(());
            }
            Source::BinaryFile { shown, .. } => return Err(ValueError::BinaryInJson { file: shown.clone() }),
            Source::Env(name) => {
                json.string(&self.env.read(name)?);
                return Ok(());
            }
            Source::File { path, shown } => (file(path, shown)?, shown.as_str()),
            Source::Text(template) => (self.text(template)?, ""),
            Source::Generate(options) => (self.password(options).await?, ""),
        };
        json.string(plain.as_str().ok_or_else(|| ValueError::NotText { file: from.to_owned() })?);
        Ok(())
    }
}

/// Writes a part of an opened file as JSON: keys sorted, numbers and booleans as such.
fn write(json: &mut JsonText, place: &Selection<'_>, opened: &Opened) -> Result<(), ValueError> {
    match place.part()? {
        Part::Null => json.raw("null"),
        Part::Empty => json.string(""),
        Part::List(items) => json.parts(LIST, items, |json, item| write(json, &item, opened))?,
        Part::Map(entries) => json.parts(OBJECT, entries, |json, (key, part)| {
            json.key(key);
            write(json, &part, opened)
        })?,
        Part::Leaf(value) => {
            let not_json = || ValueError::NotJson { file: place.shown().to_owned(), path: place.pointer.clone() };
            match opened {
                Opened::Key(key) => {
                    let plain = key.open(place, &value)?;
                    match (value.kind, plain.as_str()) {
                        (Kind::Text | Kind::Time, Some(text)) => json.string(text),
                        (Kind::Int | Kind::Float, Some(number)) if json::is_number(number) => json.raw(number),
                        (Kind::Bool, _) => json.raw(json_bool(&plain)),
                        _ => return Err(not_json()),
                    }
                }
                Opened::Tree(root) => match place.in_plain(root) {
                    Some(Node::Text(text)) => json.string(text),
                    Some(Node::Number(number)) => json.raw(number),
                    Some(Node::Bool(set)) => json.raw(if *set { "true" } else { "false" }),
                    _ => return Err(ValueError::ProgramFailed { file: place.shown().to_owned(), code: None }),
                },
                Opened::Bytes(_) => return Err(not_json()),
            }
        }
    }
    Ok(())
}

/// SOPS encrypts `True` and `False`; the MAC check has seen that it is one of them.
fn json_bool(plain: &SecretBuffer) -> &'static str {
    if plain.as_slice().eq_ignore_ascii_case(b"true") { "true" } else { "false" }
}
