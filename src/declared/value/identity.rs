//! Which version of the secret git stands for, told without reading any value.
//!
//! The id is a hash of ciphertext: of each selected `ENC[...]` with its place in the file and in the value, of the
//! secret's name and of the value's shape. It changes whenever the value does, since SOPS encrypts a changed value
//! afresh, and stays when other values of the same file change. A hash of plaintext is never made: version ids are
//! public.

use std::collections::BTreeMap;

use super::error::ValueError;
use super::secret::check_len;
use super::sops::select::{Part, Selection};
use super::sops::{Kind, SopsFiles};
use super::source::Source;
use super::version::IdHasher;
use crate::domain::Arn;
use crate::domain::VersionId;
use crate::domain::{Part as Piece, SecretName};

/// What git knows of the version that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Its id.
    Known(VersionId),
    /// Its id hashes an ARN that is not known before apply. Ask again when it is.
    KnownAfterApply(VersionId),
    /// Nothing: `env`, `file` and `binaryFile` can only be compared with the live value.
    ByComparison(VersionId),
    /// It is made once, by `generate`, and never compared.
    MadeOnce(MadeOnce),
}

/// The ids of a value of which a part is made once: they stand for all else that git says of it, so that a plan notices
/// when that changes, although the password stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeOnce {
    /// The id that the first value gets. It hashes where each generated part stands.
    pub id: VersionId,
    /// The id that it got up to release 0.2.0, where that is another one: then only the number of generated parts was
    /// hashed, so it says nothing of the places.
    pub earlier: Option<VersionId>,
    /// Whether something stands beside the generated parts that no id tells: `env`, `file`. Then the ids say nothing of
    /// the value as a whole, and only a comparison does.
    pub compared: bool,
}

impl Identity {
    /// Where there is no id: a digest of what of the value is encrypted or public in git, so that an approved plan
    /// notices when that changes. It is no version's id, and of what is neither encrypted nor public it holds nothing.
    pub fn digest(&self) -> Option<&VersionId> {
        match self {
            Self::Known(_) => None,
            Self::KnownAfterApply(digest) | Self::ByComparison(digest) => Some(digest),
            Self::MadeOnce(made) => Some(&made.id),
        }
    }
}

/// The id of a value that is generated as a whole, whatever it is made of: by it a plan sees that what is live is no
/// JSON object of which a part could be kept.
pub fn generated_whole(name: &SecretName) -> VersionId {
    begun(name, "text").finish_generated()
}

/// What every id begins with: whose value it is, and what that is.
fn begun(name: &SecretName, shape: &str) -> IdHasher {
    let mut hash = IdHasher::new();
    hash.text(name.as_str());
    hash.text(shape);
    hash
}

/// Finds the ARN of another secret, if it is known.
type Arns<'a> = dyn Fn(&SecretName) -> Option<Arn> + 'a;

impl Source {
    /// The identity of the value that this source gives the secret `name`. Every SOPS file that it names is read and
    /// checked, as far as that goes without a key, whatever the identity turns out to be.
    pub fn identity(&self, name: &SecretName, arns: &Arns<'_>, files: &SopsFiles) -> Result<Identity, ValueError> {
        let hash = begun(name, self.shape(files)?);
        let mut walk = Walk { hash, arns, files, unknown_arn: false, unhashed: false, generated: Vec::new() };
        walk.source(self, "")?;
        let Walk { mut hash, unknown_arn, unhashed, generated, .. } = walk;
        if self.is_made_once() {
            let earlier = (!generated.is_empty()).then(|| hash.clone().finish_generated());
            for place in &generated {
                hash.text("generated");
                hash.text(place);
            }
            return Ok(Identity::MadeOnce(MadeOnce { id: hash.finish_generated(), earlier, compared: unhashed }));
        }
        let of = if unhashed {
            Identity::ByComparison
        } else if unknown_arn {
            Identity::KnownAfterApply
        } else {
            Identity::Known
        };
        Ok(of(hash.finish()))
    }

    /// What the rendered value is: bytes, JSON or text.
    fn shape(&self, files: &SopsFiles) -> Result<&'static str, ValueError> {
        Ok(match self {
            Self::Sops(part) => {
                let file = files.get(part)?;
                match Selection::new(&file, part)?.part()? {
                    _ if part.is_binary() => "binary",
                    Part::List(_) | Part::Map(_) => "json",
                    Part::Null | Part::Empty | Part::Leaf(_) | Part::Open(_) => "text",
                }
            }
            Self::BinaryFile { .. } => "binary",
            Self::Json(_) => "json",
            Self::Env(_) | Self::File { .. } | Self::Text(_) | Self::Generate(_) => "text",
        })
    }
}

struct Walk<'a> {
    hash: IdHasher,
    arns: &'a Arns<'a>,
    files: &'a SopsFiles,
    unknown_arn: bool,
    /// A part has no id.
    unhashed: bool,
    /// The JSON pointers to generated parts, but for a value that is generated as a whole.
    generated: Vec<String>,
}

impl Walk<'_> {
    /// `target` is the JSON pointer to the place in the value.
    fn source(&mut self, source: &Source, target: &str) -> Result<(), ValueError> {
        match source {
            Source::Sops(part) => {
                let file = self.files.get(part)?;
                if part.is_binary() && !target.is_empty() {
                    return Err(ValueError::BinaryInJson { file: part.shown.clone() });
                }
                let selection = Selection::new(&file, part)?;
                self.hash.text("sops");
                self.selection(&selection, target)
            }
            Source::Text(template) => {
                let Ok(text) = template.resolve(self.arns) else {
                    // No id comes of this walk any more; the digest holds the pieces.
                    self.unknown_arn = true;
                    self.tag("template", target);
                    for part in template.parts() {
                        match part {
                            Piece::Text(text) => self.tag("piece", text),
                            Piece::SecretArn(name) => self.tag("arn", name.as_str()),
                        }
                    }
                    return Ok(());
                };
                if target.is_empty() {
                    check_len(text.len())?;
                }
                self.tag("text", target);
                self.hash.text(&text);
                Ok(())
            }
            Source::Json(fields) => self.json(fields, target),
            Source::BinaryFile { shown, .. } if !target.is_empty() => {
                Err(ValueError::BinaryInJson { file: shown.clone() })
            }
            Source::Env(_) | Source::File { .. } | Source::BinaryFile { .. } => {
                self.unhashed = true;
                Ok(())
            }
            Source::Generate(_) => {
                self.generated.extend((!target.is_empty()).then(|| target.to_owned()));
                Ok(())
            }
        }
    }

    fn json(&mut self, fields: &BTreeMap<String, Source>, target: &str) -> Result<(), ValueError> {
        self.tag("json", target);
        self.hash.count(fields.len());
        fields.iter().try_for_each(|(key, field)| self.source(field, &beneath(target, key)))
    }

    fn selection(&mut self, place: &Selection<'_>, target: &str) -> Result<(), ValueError> {
        match place.part()? {
            Part::Null => self.place("null", target, place),
            Part::Empty => self.place("empty", target, place),
            Part::Leaf(value) => {
                self.place("leaf", target, place);
                self.hash.text(value.whole);
                if value.kind == Kind::Float {
                    // How a float is written is not in its ciphertext, and was once another way.
                    self.hash.text("as sops writes it");
                }
            }
            // Beside it stands an encrypted value, whose random initialisation vector is hashed too: without the file,
            // nobody can try guesses of this one against the id.
            Part::Open(open) => {
                self.place("open", target, place);
                self.hash.text(open.kind());
                self.hash.text(open.text());
            }
            Part::List(items) => {
                self.place("list", target, place);
                self.hash.count(items.len());
                for (at, item) in items.iter().enumerate() {
                    self.selection(item, &beneath(target, &at.to_string()))?;
                }
            }
            Part::Map(entries) => {
                self.place("map", target, place);
                self.hash.count(entries.len());
                for (key, part) in &entries {
                    self.selection(part, &beneath(target, key))?;
                }
            }
        }
        Ok(())
    }

    fn tag(&mut self, tag: &str, target: &str) {
        self.hash.text(tag);
        self.hash.text(target);
    }

    fn place(&mut self, tag: &str, target: &str, place: &Selection<'_>) {
        self.tag(tag, target);
        self.hash.text(&place.pointer);
    }
}

/// The JSON pointer to a part.
fn beneath(target: &str, step: &str) -> String {
    format!("{target}/{}", step.replace('~', "~0").replace('/', "~1"))
}
