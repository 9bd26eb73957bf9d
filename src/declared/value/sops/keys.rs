//! age identities: where they are looked for, and what they open.
//!
//! The places and their order are those of the `sops` program: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD, then
//! `sops/age/keys.txt` in the user's configuration folder. All that exist are used. Nothing is read before a file needs
//! it. The command is run once for each recipient, which SOPS_AGE_RECIPIENT names to it, so that it can fetch the one
//! key that is needed; it is not run where another place has that key already.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use age::armor::ArmoredReader;
use age::secrecy::{ExposeSecret, SecretString};
use age::x25519::Identity;
use zeroize::Zeroizing;

use super::metadata::AgeRecipient;
use crate::files::{FileFault, open_operator_file};
use crate::value::buffer::SecretBuffer;
use crate::value::error::KeySearch;

/// The most that is read of a file with keys, or of a command's output, in bytes.
const MAX_KEYS_BYTES: usize = 1 << 20;

/// The most that is read of a decrypted data key, in bytes. It has 32.
const MAX_DATA_KEY_BYTES: usize = 64;

const COMMAND: &str = "SOPS_AGE_KEY_CMD";

/// The most recipients that the command is run for: a file from a strange branch could name hundreds.
const MOST_FETCHED: usize = 50;

/// The age identities of a run, read when the first file needs them.
pub struct AgeKeys {
    text: Option<SecretString>,
    file: Option<PathBuf>,
    command: Option<OsString>,
    config_file: Option<PathBuf>,
    found: OnceLock<Found>,
    /// What the command said for each recipient.
    fetched: Mutex<BTreeMap<String, Arc<Found>>>,
}

/// A place where keys may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgePlace {
    /// A variable with keys, or with a command that prints some.
    Variable(&'static str),
    /// The file that SOPS_AGE_KEY_FILE names.
    Named(PathBuf),
    /// A file.
    File(PathBuf),
}

/// What a place holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgeHeld {
    /// Keys, so many.
    Keys(usize),
    /// A command, which was not run.
    Command,
    /// No key that can be used, and what is wrong. Nothing of a key is in it.
    Nothing(Vec<String>),
}

/// What the places hold.
#[derive(Default)]
pub(super) struct Found {
    identities: Vec<(String, Identity)>,
    /// Every place, in the order of looking.
    pub(super) places: Vec<String>,
    /// What went wrong, place by place. Nothing of a key is in it.
    pub(super) problems: Vec<String>,
}

impl AgeKeys {
    /// Notes where keys may be. `env` looks an environment variable up; `config_home` is the user's configuration
    /// folder, as [`config_home`] finds it.
    pub fn look_up(env: &dyn Fn(&str) -> Option<OsString>, config_home: Option<&Path>) -> Self {
        Self {
            text: env("SOPS_AGE_KEY").and_then(|text| text.into_string().ok()).map(SecretString::from),
            file: env("SOPS_AGE_KEY_FILE").map(PathBuf::from),
            command: env("SOPS_AGE_KEY_CMD"),
            config_file: config_home.map(|home| home.join("sops").join("age").join("keys.txt")),
            found: OnceLock::new(),
            fetched: Mutex::default(),
        }
    }

    /// No keys at all.
    pub fn none() -> Self {
        Self::look_up(&|_| None, None)
    }

    /// The places that are set or there, in the order of looking, and what each holds: they are read as for a
    /// decryption, and no command is run.
    pub fn places(&self) -> Vec<(AgePlace, AgeHeld)> {
        let text = self.text().map(|text| (AgePlace::Variable("SOPS_AGE_KEY"), held(&text)));
        let named = self.file.clone().zip(self.named()).map(|(path, text)| (AgePlace::Named(path), held(&text)));
        let command = self.command.as_ref().map(|_| (AgePlace::Variable(COMMAND), AgeHeld::Command));
        let usual = self.config_file.as_ref().and_then(|path| {
            let text = read_file(path).transpose()?;
            Some((AgePlace::File(path.clone()), held(&text)))
        });
        [text, named, command, usual].into_iter().flatten().collect()
    }

    /// What SOPS_AGE_KEY holds, if it is set.
    fn text(&self) -> Option<Result<SecretBuffer, String>> {
        self.text.as_ref().map(|text| {
            let mut buffer = SecretBuffer::new();
            buffer.push_str(text.expose_secret());
            Ok(buffer)
        })
    }

    /// What the file of SOPS_AGE_KEY_FILE holds, if that is set.
    fn named(&self) -> Option<Result<SecretBuffer, String>> {
        let file = self.file.as_ref()?;
        Some(read_file(file).and_then(|read| read.ok_or_else(|| "there is no such file".to_owned())))
    }

    /// The keys of the places that do not depend on a recipient.
    pub(super) fn found(&self) -> &Found {
        self.found.get_or_init(|| {
            let mut found = Found::default();
            found.place("SOPS_AGE_KEY", self.text());
            let named = self.file.as_ref().map(|file| format!("SOPS_AGE_KEY_FILE ({})", file.display()));
            found.place(named.as_deref().unwrap_or("SOPS_AGE_KEY_FILE"), self.named());
            if self.command.is_none() {
                found.place(COMMAND, None);
            }
            if let Some(file) = &self.config_file {
                found.place(&file.display().to_string(), read_file(file).transpose());
            }
            found
        })
    }
}

impl AgeKeys {
    /// Unwraps a data key: with the keys that are here, else with what the command gives for this recipient. What it
    /// says is added to `search`.
    pub(super) fn unwrap(&self, recipient: &AgeRecipient, search: &mut KeySearch) -> Option<Zeroizing<Vec<u8>>> {
        if let Some(key) = self.found().unwrap(recipient) {
            return Some(key);
        }
        let fetched = self.fetch(&recipient.recipient)?;
        for (all, more) in [(&mut search.places, &fetched.places), (&mut search.problems, &fetched.problems)] {
            let new: Vec<String> = more.iter().filter(|text| !all.contains(text)).cloned().collect();
            all.extend(new);
        }
        fetched.unwrap(recipient)
    }

    /// Whether any place has a key, as far as they were asked.
    pub(super) fn any(&self) -> bool {
        let fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        !self.found().is_empty() || fetched.values().any(|found| !found.is_empty())
    }

    fn fetch(&self, recipient: &str) -> Option<Arc<Found>> {
        let command = self.command.as_deref()?;
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if !fetched.contains_key(recipient) && fetched.len() >= MOST_FETCHED {
            return None;
        }
        let found = fetched.entry(recipient.to_owned()).or_insert_with(|| {
            let mut found = Found::default();
            found.place(COMMAND, Some(run(command, recipient)));
            Arc::new(found)
        });
        Some(Arc::clone(found))
    }
}

impl std::fmt::Debug for AgeKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AgeKeys(redacted)")
    }
}

impl Found {
    fn place(&mut self, place: &str, keys: Option<Result<SecretBuffer, String>>) {
        self.places.push(if keys.is_some() { place.to_owned() } else { format!("{place} (not there)") });
        match keys {
            None => {}
            Some(Err(problem)) => self.problems.push(format!("{place}: {problem}")),
            Some(Ok(text)) => {
                let (identities, problems) = keys_in(&text);
                self.identities.extend(identities);
                self.problems.extend(problems.into_iter().map(|problem| format!("{place}: {problem}")));
            }
        }
    }

    /// Whether there is any key.
    fn is_empty(&self) -> bool {
        self.identities.is_empty()
    }

    /// Unwraps a data key. The identity that the recipient names comes first; that name is not authenticated, so all
    /// are tried.
    fn unwrap(&self, recipient: &AgeRecipient) -> Option<Zeroizing<Vec<u8>>> {
        let named = self.identities.iter().filter(|(public, _)| *public == recipient.recipient);
        let others = self.identities.iter().filter(|(public, _)| *public != recipient.recipient);
        let identities = named.chain(others).map(|(_, identity)| identity as &dyn age::Identity);
        let decryptor = age::Decryptor::new(ArmoredReader::new(recipient.enc.as_bytes())).ok()?;
        let mut plain = decryptor.decrypt(identities).ok()?;
        Some(SecretBuffer::read_to_limit(&mut plain, MAX_DATA_KEY_BYTES).ok()?.into_bytes())
    }
}

/// The keys of a text, each behind its recipient, and what is wrong with the rest.
fn keys_in(text: &SecretBuffer) -> (Vec<(String, Identity)>, Vec<String>) {
    let Some(text) = text.as_str() else { return (Vec::new(), vec!["this is not text".to_owned()]) };
    if text.starts_with("age-encryption.org/") || text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----") {
        let problem = "these keys are protected by a passphrase, which only the sops program can ask for";
        return (Vec::new(), vec![problem.to_owned()]);
    }
    let (mut identities, mut problems): (Vec<(String, Identity)>, Vec<String>) = (Vec::new(), Vec::new());
    let lines = (1..).zip(text.lines().map(str::trim));
    let keys = lines.filter(|(_, line)| !line.starts_with('#'));
    // SOPS_AGE_KEY may have several in one line.
    for (line, key) in keys.flat_map(|(number, line): (usize, _)| line.split_whitespace().map(move |key| (number, key)))
    {
        let problem = match key.parse::<Identity>() {
            Ok(identity) => {
                identities.push((identity.to_public().to_string(), identity));
                continue;
            }
            Err(_) if key.starts_with("AGE-PLUGIN-") => {
                format!("line {line} is a plugin's key, which only the sops program can use")
            }
            Err(_) => format!("line {line} is not an age key (AGE-SECRET-KEY-1...)"),
        };
        // A line of several words is wrong once.
        if problems.last() != Some(&problem) {
            problems.push(problem);
        }
    }
    (identities, problems)
}

/// What a place with this text holds.
fn held(text: &Result<SecretBuffer, String>) -> AgeHeld {
    let (keys, problems) = match text {
        Ok(text) => keys_in(text),
        Err(problem) => (Vec::new(), vec![problem.clone()]),
    };
    match (keys.len(), problems) {
        (0, none) if none.is_empty() => AgeHeld::Nothing(vec!["there is no key in it".to_owned()]),
        (0, problems) => AgeHeld::Nothing(problems),
        (keys, _) => AgeHeld::Keys(keys),
    }
}

/// The user's configuration folder as `sops` finds it: XDG_CONFIG_HOME or `~/.config`, on macOS `~/Library/Application
/// Support`, on Windows `%AppData%`.
pub fn config_home(env: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if cfg!(windows) {
        return set("AppData");
    }
    let home = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".config" };
    set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|folder| folder.join(home)))
}

/// The file's contents; `None` when there is no such file.
fn read_file(path: &Path) -> Result<Option<SecretBuffer>, String> {
    let mut file = match open_operator_file(path, MAX_KEYS_BYTES as u64) {
        Err(FileFault::Missing) => return Ok(None),
        file => file.map_err(|fault| format!("it {fault}"))?,
    };
    let read = SecretBuffer::read_to_limit(&mut file, MAX_KEYS_BYTES);
    read.map(Some).map_err(|error| format!("it {}", file.fault(&error)))
}

fn bounded(reader: &mut impl Read) -> std::io::Result<SecretBuffer> {
    let buffer = SecretBuffer::read_to_limit(reader, MAX_KEYS_BYTES)?;
    if buffer.len() > MAX_KEYS_BYTES { Err(std::io::ErrorKind::FileTooLarge.into()) } else { Ok(buffer) }
}

/// Runs SOPS_AGE_KEY_CMD, split into words as a shell does, for one recipient, and takes its output.
fn run(command: &OsStr, recipient: &str) -> Result<SecretBuffer, String> {
    let words = command.to_str().and_then(shlex::split).filter(|words| !words.is_empty());
    let words = words.ok_or_else(|| "this is not a command".to_owned())?;
    let failed = |error: std::io::Error| format!("the command could not be run: {}", error.kind());
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .env("SOPS_AGE_RECIPIENT", recipient)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let output = child.stdout.take().map_or_else(|| Ok(SecretBuffer::new()), |mut pipe| bounded(&mut pipe));
    let status = child.wait().map_err(failed)?;
    if !status.success() {
        return Err(format!("the command failed: {status}"));
    }
    output.map_err(failed)
}
