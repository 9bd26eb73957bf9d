//! Encrypted files, parsed once a run. No key is needed for any of this.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::mac::push_step;
use super::metadata::Metadata;
use super::tree::Node;
use super::{MAX_PATH_BYTES, MAX_SOPS_BYTES, dotenv, encoding, ini, json, yaml};
use crate::files::ProjectFile;
use crate::value::error::ValueError;
use crate::value::read;
use crate::value::source::{SopsPart, Source};

/// The stores of SOPS, told apart by the ending of the file's name as SOPS itself does, or named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// YAML, one document or several.
    Yaml,
    /// JSON.
    Json,
    /// `KEY=value`, one a line.
    Dotenv,
    /// Sections of `key = value`.
    Ini,
    /// Anything: sops keeps it as one value.
    Binary,
}

impl Format {
    /// The format that a file's name tells.
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        // Not the path's extension: a file `.env` has none.
        let ends_with = |ending: &str| name.ends_with(ending);
        if ends_with(".yaml") || ends_with(".yml") {
            Self::Yaml
        } else if ends_with(".json") {
            Self::Json
        } else if ends_with(".env") {
            Self::Dotenv
        } else if ends_with(".ini") {
            Self::Ini
        } else {
            Self::Binary
        }
    }

    /// What the `sops` program calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Dotenv => "dotenv",
            Self::Ini => "ini",
            Self::Binary => "binary",
        }
    }
}

/// An encrypted file, parsed.
pub(in crate::value) struct SopsFile {
    pub(in crate::value) path: ProjectFile,
    /// Its path relative to the project.
    pub(in crate::value) shown: String,
    pub(in crate::value) format: Format,
    /// Its documents in file order, without the metadata. Only YAML has more than one.
    pub(super) documents: Vec<Node>,
    pub(super) metadata: Metadata,
    /// Its bytes, to be compared with what the `sops` program found.
    pub(super) bytes: Vec<u8>,
}

impl SopsFile {
    pub(super) fn parse(path: &ProjectFile, shown: &str, format: Format, bytes: Vec<u8>) -> Result<Self, ValueError> {
        let not_sops = |reason| ValueError::NotSops { file: shown.to_owned(), reason };
        let text = encoding::decode(&bytes, format).map_err(|misencoded| misencoded.in_file(shown))?;
        let (documents, metadata) = read_format(format, &text).map_err(|reason| match line_of_conflict(&text) {
            Some(line) => ValueError::MergeConflict { file: shown.to_owned(), line },
            None => not_sops(reason),
        })?;
        documents.iter().try_for_each(|document| check_paths(document, 0)).map_err(not_sops)?;
        let metadata = Metadata::decode(metadata).map_err(not_sops)?;
        // No key is needed to see that, so every plan says it.
        if metadata.mac.is_empty() {
            return Err(ValueError::MacMissing { file: shown.to_owned() });
        }
        Ok(Self { path: path.clone(), shown: shown.to_owned(), format, documents, metadata, bytes })
    }

    /// What is wrong with a value that should be encrypted, and is not. Where it is nothing but a carriage return, the
    /// line was saved otherwise: an empty value is never encrypted.
    pub(super) fn plain_value(&self, pointer: &str) -> ValueError {
        let is_bare = |line: &[u8]| {
            let key = line.strip_suffix(b"=\r").map(String::from_utf8_lossy);
            key.is_some_and(|key| {
                let mut place = String::new();
                push_step(&mut place, &key);
                place == pointer
            })
        };
        let file = self.shown.clone();
        let mut lines = self.bytes.split(|byte| *byte == b'\n');
        match lines.position(|line| self.format == Format::Dotenv && is_bare(line)) {
            Some(before) => ValueError::CarriageReturn { file, line: before + 1 },
            None => ValueError::PlainValue { file, path: pointer.to_owned() },
        }
    }
}

/// The first line that git wrote where a merge could not be finished.
fn line_of_conflict(text: &str) -> Option<usize> {
    Some(text.lines().position(|line| line.starts_with("<<<<<<< "))? + 1)
}

/// Each place is named by the keys that lead to it, which are copied for every value of a selection.
fn check_paths(node: &Node, above: usize) -> Result<(), &'static str> {
    if above > MAX_PATH_BYTES {
        return Err("it has a place whose keys have more than 4,096 bytes together");
    }
    match node {
        Node::Map(entries) => entries.iter().try_for_each(|(key, value)| check_paths(value, above + key.len() + 1)),
        Node::List(items) => items.iter().try_for_each(|item| check_paths(item, above + 1)),
        _ => Ok(()),
    }
}

fn read_format(format: Format, text: &str) -> Result<(Vec<Node>, serde_json::Value), &'static str> {
    let mut documents = match format {
        Format::Yaml => yaml::read(text)?,
        Format::Json | Format::Binary => vec![json::read(text)?],
        Format::Dotenv => {
            let (node, metadata) = dotenv::read(text)?;
            return Ok((vec![node], metadata));
        }
        Format::Ini => {
            let (node, metadata) = ini::read(text)?;
            return Ok((vec![node], metadata));
        }
    };
    let mut metadata = None;
    for document in &mut documents {
        match document {
            Node::Map(entries) => {
                if let Some(at) = entries.iter().position(|(key, _)| key == "sops") {
                    let (_, found) = entries.remove(at);
                    // SOPS repeats the metadata in every document, and reads the first.
                    metadata.get_or_insert(found);
                } else if metadata.is_none() {
                    return Err("it has no `sops` metadata");
                }
            }
            Node::Null => *document = Node::Map(Vec::new()),
            _ => return Err("it is not a map"),
        }
    }
    let metadata = metadata.filter(|found| matches!(found, Node::Map(_))).ok_or("it has no `sops` metadata")?;
    Ok((documents, metadata.to_json()))
}

type Slot = Arc<OnceLock<Result<Arc<SopsFile>, ValueError>>>;

/// The encrypted files of a run, each read and parsed once.
#[derive(Default)]
pub struct SopsFiles(Mutex<HashMap<(ProjectFile, Format), Slot>>);

impl SopsFiles {
    /// No files yet: each is read when it is first needed.
    pub fn new() -> Self {
        Self::default()
    }

    pub(in crate::value) fn get(&self, part: &SopsPart) -> Result<Arc<SopsFile>, ValueError> {
        let SopsPart { file: path, shown, .. } = part;
        let format = part.format();
        let slot = {
            let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(files.entry((path.clone(), format)).or_default())
        };
        slot.get_or_init(|| {
            let bytes = read::read(path, shown, MAX_SOPS_BYTES)?;
            SopsFile::parse(path, shown, format, bytes.as_slice().to_vec()).map(Arc::new)
        })
        .clone()
    }
}

/// A KMS key that a SOPS file is encrypted for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SopsKey {
    /// The ARN of the key or of an alias, as the file has it.
    pub arn: String,
    /// The role that the file wants to be assumed for it.
    pub role: Option<String>,
}

impl SopsFiles {
    /// The KMS keys of every SOPS file that a source names.
    pub fn kms_keys(&self, source: &Source) -> Result<BTreeSet<SopsKey>, ValueError> {
        let mut keys = BTreeSet::new();
        match source {
            Source::Sops(part) => {
                let file = self.get(part)?;
                keys.extend(file.metadata.kms.iter().map(|recipient| SopsKey {
                    arn: recipient.arn.clone(),
                    role: recipient.role.clone().filter(|role| !role.is_empty()),
                }));
            }
            Source::Json(fields) => {
                for field in fields.values() {
                    keys.extend(self.kms_keys(field)?);
                }
            }
            Source::Env(_)
            | Source::File { .. }
            | Source::BinaryFile { .. }
            | Source::Text(_)
            | Source::Generate(_) => {}
        }
        Ok(keys)
    }
}

impl std::fmt::Debug for SopsFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("SopsFiles").field("files", &files.len()).finish()
    }
}
