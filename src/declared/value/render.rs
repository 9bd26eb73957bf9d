//! Makes the value itself. Only `apply` and `--read-values` come here.

use std::future::Future;

use zeroize::Zeroizing;

use super::MAX_VALUE_BYTES;
use super::buffer::SecretBuffer;
use super::env::EnvAccess;
use super::error::ValueError;
use super::hint::EncodingHint;
use super::identity::Identity;
use super::json::{self, JsonText, LIST, OBJECT};
use super::read;
use super::secret::{Exposed, SecretValue};
use super::sops::select::{Open, Part, Selection};
use super::sops::{
    DataKeys, Decryptor, Encrypted, Format as SopsFormat, Kind, Node, Opened, SopsFiles, is_utf16, json_number,
    read_json, yaml_number,
};
use super::source::{GenerateOptions, SopsPart, Source};
use crate::domain::{Arn, SecretName, Template, VersionId};
use crate::files::ProjectFile;

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
    pub arns: &'a (dyn Fn(&SecretName) -> Option<Arn> + Sync),
    /// The environment as far as manifests may see it.
    pub env: EnvAccess<'a>,
    /// Makes passwords.
    pub passwords: &'a P,
    /// A live value whose generated parts are kept.
    pub kept: Option<KeptParts>,
}

/// A live value, taken apart for the generated parts that it holds. It has no `Debug`.
pub struct KeptParts(pub(super) Node);

impl KeptParts {
    /// Takes a live value apart, which must be a JSON object.
    pub fn read(live: &SecretValue) -> Result<Self, ValueError> {
        match live.expose() {
            Exposed::Text(text) => read_json(text).ok().filter(|node| matches!(node, Node::Map(_))).map(Self),
            Exposed::Binary(_) => None,
        }
        .ok_or(ValueError::NothingToKeep)
    }
}

impl Source {
    /// The value that this source gives. It has between 1 and [`MAX_VALUE_BYTES`] bytes.
    pub async fn render<K: DataKeys, P: Passwords>(
        &self,
        context: &RenderContext<'_, K, P>,
    ) -> Result<SecretValue, ValueError> {
        match self {
            Self::Sops(part) => context.sops(part).await,
            Self::Env(name) => text(SecretBuffer::from_bytes(context.env.read(name)?.as_bytes().to_vec().into()), name),
            Self::File { path, shown } => text(file(path, shown)?, shown),
            Self::BinaryFile { path, shown } => SecretValue::checked_binary(file(path, shown)?),
            Self::Text(template) => text(context.text(template)?, ""),
            Self::Generate(options) => text(context.password(options).await?, ""),
            Self::Json(_) => {
                let mut json = JsonText::new();
                context.field(self, context.kept.as_ref().map(|KeptParts(live)| live), &mut json).await?;
                text(json.into_buffer(), "")
            }
        }
    }
}

/// A file that a manifest names, byte for byte.
fn file(path: &ProjectFile, shown: &str) -> Result<SecretBuffer, ValueError> {
    read::read(path, shown, MAX_VALUE_BYTES).map_err(|error| match error {
        ValueError::FileTooLarge { .. } => ValueError::TooLarge,
        error => error,
    })
}

impl Source {
    /// What is wrong with the files that are taken as they stand: empty, too large, not there, or not text where text
    /// is wanted. Nothing of them is kept.
    pub fn wrong_files(&self) -> Vec<ValueError> {
        let mut found = Vec::new();
        self.add_wrong_files(true, &mut found);
        found
    }

    fn add_wrong_files(&self, whole: bool, found: &mut Vec<ValueError>) {
        let too_large = |path, shown: &str| read::read(path, shown, MAX_VALUE_BYTES);
        let checked = match self {
            Self::File { path, shown } => too_large(path, shown).and_then(|bytes| match bytes.as_str() {
                None => Err(not_text(is_utf16(bytes.as_slice()), shown)),
                Some("") if whole => Err(ValueError::EmptyFile { file: shown.clone() }),
                Some(_) => Ok(()),
            }),
            Self::BinaryFile { path, shown } => too_large(path, shown).and_then(|bytes| {
                if bytes.as_slice().is_empty() { Err(ValueError::EmptyFile { file: shown.clone() }) } else { Ok(()) }
            }),
            Self::Json(fields) => {
                for field in fields.values() {
                    field.add_wrong_files(false, found);
                }
                Ok(())
            }
            Self::Sops(_) | Self::Env(_) | Self::Text(_) | Self::Generate(_) => Ok(()),
        };
        found.extend(checked.err());
    }

    /// The text that stood in git when the current version was made, if the id of that version proves that it did: it
    /// is the id of just this text, which anybody who sees the id could have guessed. Then it is no secret.
    pub fn public_text(&self, name: &SecretName, live: &SecretValue, version: &VersionId) -> Option<String> {
        let (Self::Text(_), Exposed::Text(text)) = (self, live.expose()) else { return None };
        let was = Self::Text(Template::text(text));
        let identity = was.identity(name, &|_| None, &SopsFiles::new()).ok()?;
        matches!(identity, Identity::Known(id) if id == *version).then(|| text.to_owned())
    }
}

/// Text out of a buffer. `file` is what it came from, should it not be UTF-8.
fn text(buffer: SecretBuffer, file: &str) -> Result<SecretValue, ValueError> {
    let utf16 = is_utf16(buffer.as_slice());
    SecretValue::checked_text(buffer)?.ok_or_else(|| not_text(utf16, file))
}

fn not_text(utf16: bool, file: &str) -> ValueError {
    let file = file.to_owned();
    if utf16 {
        let problem = "is UTF-16, and a SecretString is UTF-8";
        return ValueError::Misencoded { file, problem, hint: EncodingHint::AsUtf8OrBytes };
    }
    ValueError::NotText { file }
}

impl<K: DataKeys, P: Passwords> RenderContext<'_, K, P> {
    async fn sops(&self, part: &SopsPart) -> Result<SecretValue, ValueError> {
        let file = self.decryptor.files.get(part)?;
        let selection = Selection::new(&file, part)?;
        let opened = self.decryptor.open(&file).await?;
        if file.format == SopsFormat::Binary {
            let bytes = binary(&selection, &opened)?;
            return if part.as_string { text(bytes, &part.shown) } else { SecretValue::checked_binary(bytes) };
        }
        let plain = if let Part::Leaf(value) = selection.part()? {
            leaf(&selection, &value, &opened)?
        } else {
            let mut json = JsonText::new();
            write(&mut json, &selection, &opened)?;
            json.into_buffer()
        };
        text(plain, &part.shown)
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

    /// Writes a source as a part of a JSON value, of which `live` is the part in its place of the value that is kept.
    /// What is an object in a SOPS file is an object here, not its text.
    async fn field(&self, source: &Source, live: Option<&Node>, json: &mut JsonText) -> Result<(), ValueError> {
        let (plain, from) = match source {
            Source::Sops(part) => {
                let file = self.decryptor.files.get(part)?;
                if part.is_binary() {
                    return Err(ValueError::BinaryInJson { file: part.shown.clone() });
                }
                let selection = Selection::new(&file, part)?;
                let opened = self.decryptor.open(&file).await?;
                if file.format != SopsFormat::Binary {
                    return write(json, &selection, &opened);
                }
                (binary(&selection, &opened)?, part.shown.as_str())
            }
            Source::Json(fields) => {
                json.raw(OBJECT[0]);
                for (place, (key, field)) in fields.iter().enumerate() {
                    if place > 0 {
                        json.raw(",");
                    }
                    json.key(key);
                    Box::pin(self.field(field, live.and_then(|live| live.get(key)), json)).await?;
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
            Source::Generate(options) => match live {
                Some(Node::Text(kept)) => {
                    json.string(kept);
                    return Ok(());
                }
                Some(Node::Number(kept)) => {
                    json.raw(kept);
                    return Ok(());
                }
                _ => (self.password(options).await?, ""),
            },
        };
        json.string(plain.as_str().ok_or_else(|| not_text(is_utf16(plain.as_slice()), from))?);
        Ok(())
    }
}

/// What a binary file holds.
fn binary(selection: &Selection<'_>, opened: &Opened) -> Result<SecretBuffer, ValueError> {
    match (opened, selection.part()?) {
        (Opened::Bytes(bytes), _) => Ok(SecretBuffer::from_bytes(bytes.as_slice().to_vec().into())),
        (Opened::Key(key), Part::Leaf(value)) => key.open(selection, &value),
        _ => Err(ValueError::NotSops { file: selection.shown().to_owned(), reason: "its data is not text" }),
    }
}

/// One value, as `sops decrypt --extract` writes it.
fn leaf(place: &Selection<'_>, value: &Encrypted<'_>, opened: &Opened) -> Result<SecretBuffer, ValueError> {
    let buffer = |text: &str| SecretBuffer::from_bytes(text.as_bytes().to_vec().into());
    let number = |text: &str| match text.parse() {
        Ok(number) if value.kind == Kind::Float && place.format() == SopsFormat::Yaml => buffer(&yaml_number(number)),
        Ok(number) if value.kind == Kind::Float => buffer(json_number(number).as_deref().unwrap_or(text)),
        _ => buffer(text),
    };
    match opened {
        Opened::Key(key) => {
            let plain = key.open(place, value)?;
            Ok(match (value.kind, plain.as_str()) {
                (Kind::Bool, _) => buffer(json_bool(&plain)),
                (Kind::Float, Some(text)) => number(text),
                _ => plain,
            })
        }
        Opened::Tree(root) => match place.in_plain(root) {
            Some(Node::Text(plain)) => Ok(buffer(plain)),
            Some(Node::Number(plain)) => Ok(number(plain)),
            Some(Node::Bool(set)) => Ok(buffer(if *set { "true" } else { "false" })),
            _ => Err(ValueError::ProgramFailed { file: place.shown().to_owned(), code: None }),
        },
        Opened::Bytes(_) => Err(ValueError::ProgramFailed { file: place.shown().to_owned(), code: None }),
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
        Part::Open(Open::Text(text)) => json.string(text),
        Part::Open(Open::Bool(set)) => json.raw(if set { "true" } else { "false" }),
        Part::Open(Open::Number(text)) => write_number(json, place, text)?,
        Part::Leaf(value) => {
            let not_json = || ValueError::NotJson { file: place.shown().to_owned(), path: place.pointer.clone() };
            match opened {
                Opened::Key(key) => {
                    let plain = key.open(place, &value)?;
                    match (value.kind, plain.as_str()) {
                        (Kind::Text | Kind::Time, Some(text)) => json.string(text),
                        (Kind::Int | Kind::Float, Some(number)) => write_number(json, place, number)?,
                        (Kind::Bool, _) => json.raw(json_bool(&plain)),
                        _ => return Err(not_json()),
                    }
                }
                Opened::Tree(root) => match place.in_plain(root) {
                    Some(Node::Text(text)) => json.string(text),
                    Some(Node::Number(number)) => write_number(json, place, number)?,
                    Some(Node::Bool(set)) => json.raw(if *set { "true" } else { "false" }),
                    _ => return Err(ValueError::ProgramFailed { file: place.shown().to_owned(), code: None }),
                },
                Opened::Bytes(_) => return Err(not_json()),
            }
        }
    }
    Ok(())
}

/// A number as the JSON store of SOPS writes it: a whole one with its digits, a float as Go does.
fn write_number(json: &mut JsonText, place: &Selection<'_>, text: &str) -> Result<(), ValueError> {
    let whole = text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok();
    let not_json = || ValueError::NotJson { file: place.shown().to_owned(), path: place.pointer.clone() };
    if whole && json::is_number(text) {
        json.raw(text);
        return Ok(());
    }
    json.raw(&text.parse().ok().and_then(json_number).ok_or_else(not_json)?);
    Ok(())
}

/// SOPS encrypts `True` and `False`; the MAC check has seen that it is one of them.
fn json_bool(plain: &SecretBuffer) -> &'static str {
    if plain.as_slice().eq_ignore_ascii_case(b"true") { "true" } else { "false" }
}
