//! Opens files: unwraps the data key, checks the MAC, and keeps the key for the run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::OnceCell;

use super::cipher::{DataKey, Encrypted};
use super::file::{Format, SopsFile, SopsFiles};
use super::keys::AgeKeys;
use super::kms::{DataKeys, KmsRequest};
use super::mac;
use super::metadata::KmsRecipient;
use super::program::{Failure, Plain, SopsProgram};
use super::select::Selection;
use super::tree::Node;
use super::trust::SopsTrust;
use crate::collect::CollectMap as _;
use crate::files::ProjectFile;
use crate::value::buffer::SecretBuffer;
use crate::value::error::{KeySearch, ValueError};

/// A file whose MAC was checked.
pub(in crate::value) enum Opened {
    /// The data key: values are opened when they are needed.
    Key(OpenedKey),
    /// What the `sops` program decrypted.
    Tree(Node),
    /// What the `sops` program decrypted of a binary file.
    Bytes(SecretBuffer),
}

/// The data key of a file whose MAC was checked.
pub(in crate::value) struct OpenedKey(DataKey);

impl OpenedKey {
    pub(in crate::value) fn open(
        &self,
        place: &Selection<'_>,
        value: &Encrypted<'_>,
    ) -> Result<SecretBuffer, ValueError> {
        place.open(value, &self.0)
    }
}

type Slot = Arc<OnceCell<Result<Arc<Opened>, ValueError>>>;

/// Decrypts SOPS files, each once a run however many secrets take their values from it.
pub struct Decryptor<'a, K> {
    pub(in crate::value) files: &'a SopsFiles,
    age: &'a AgeKeys,
    kms: &'a K,
    program: Option<&'a SopsProgram>,
    trust: SopsTrust,
    opened: Mutex<HashMap<(ProjectFile, Format), Slot>>,
}

impl<'a, K: DataKeys> Decryptor<'a, K> {
    /// `program` is there when a person allowed it. Take the same `files` that version ids were made from.
    pub fn new(files: &'a SopsFiles, age: &'a AgeKeys, kms: &'a K, program: Option<&'a SopsProgram>) -> Self {
        Self { files, age, kms, program, trust: SopsTrust::default(), opened: Mutex::new(HashMap::new()) }
    }

    /// What files may ask for when their data keys are unwrapped; nothing, unless this says so.
    #[must_use]
    pub fn trusting(self, trust: SopsTrust) -> Self {
        Self { trust, ..self }
    }

    /// Opens a file, or gives what was opened before.
    pub(in crate::value) async fn open(&self, file: &Arc<SopsFile>) -> Result<Arc<Opened>, ValueError> {
        let slot = {
            let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(opened.entry((file.path.clone(), file.format)).or_default())
        };
        slot.get_or_init(|| async { self.open_now(file).await.map(Arc::new) }).await.clone()
    }

    async fn open_now(&self, file: &Arc<SopsFile>) -> Result<Opened, ValueError> {
        let metadata = &file.metadata;
        let mut needs = metadata.program_features.clone();
        if file.format == Format::Ini {
            needs.push("the INI format".to_owned());
        }
        if !needs.is_empty() {
            return self.open_with_program(file, needs).await;
        }
        let mut search = KeySearch { recipients: metadata.recipients(), ..KeySearch::default() };
        if let Some(key) = self.data_key(file, &mut search).await {
            mac::verify(file, &key)?;
            return Ok(Opened::Key(OpenedKey(key)));
        }
        if metadata.other_recipients.is_empty() {
            return Err(self.no_key(file, search));
        }
        if self.program.is_none() && (!metadata.age.is_empty() || !metadata.kms.is_empty()) {
            search.program_only.clone_from(&metadata.other_recipients);
            return Err(self.no_key(file, search));
        }
        self.open_with_program(file, metadata.other_recipients.clone()).await
    }

    fn no_key(&self, file: &SopsFile, search: KeySearch) -> ValueError {
        let (file_shown, search) = (file.shown.clone(), Box::new(search));
        // Only a file with age recipients has had its keys looked for.
        if !file.metadata.age.is_empty() && self.age.any() {
            ValueError::WrongKey { file: file_shown, search }
        } else {
            ValueError::NoKey { file: file_shown, search }
        }
    }

    /// Unwraps the data key with the first recipient that works: age costs nothing, KMS a call.
    async fn data_key(&self, file: &SopsFile, search: &mut KeySearch) -> Option<DataKey> {
        if !file.metadata.age.is_empty() {
            let found = self.age.found();
            search.places.extend(found.places.iter().cloned());
            search.problems.extend(found.problems.iter().cloned());
            let mut keys = file.metadata.age.iter().filter_map(|recipient| self.age.unwrap(recipient, search));
            if let Some(key) = keys.find_map(|bytes| DataKey::new(&bytes)) {
                return Some(key);
            }
        }
        for recipient in &file.metadata.kms {
            search.places.push(format!("AWS KMS {}", recipient.arn));
            if let Some(asks) = self.trust.refuses(recipient) {
                search.problems.push(format!("AWS KMS {}: {asks}", recipient.arn));
                continue;
            }
            let Some(request) = kms_request(recipient) else {
                search.problems.push(format!("AWS KMS {}: the encrypted data key is damaged", recipient.arn));
                continue;
            };
            match self.kms.decrypt_kms(&request).await {
                Ok(bytes) => match DataKey::new(&bytes) {
                    Some(key) => return Some(key),
                    None => search.problems.push(format!("AWS KMS {}: this is no data key", recipient.arn)),
                },
                Err(message) => search.problems.push(format!("AWS KMS {}: {message}", recipient.arn)),
            }
        }
        None
    }

    async fn open_with_program(&self, file: &Arc<SopsFile>, needs: Vec<String>) -> Result<Opened, ValueError> {
        let Some(program) = self.program.cloned() else {
            return Err(ValueError::NeedsProgram { file: file.shown.clone(), needs });
        };
        // The program writes only the first document as JSON.
        if file.documents.len() > 1 {
            return Err(ValueError::SeveralDocuments { file: file.shown.clone() });
        }
        if let Some(asks) = file.metadata.kms.iter().find_map(|recipient| self.trust.refuses(recipient)) {
            return Err(ValueError::CredentialsChosen { file: file.shown.clone(), asks });
        }
        let task = Arc::clone(file);
        let plain = tokio::task::spawn_blocking(move || program.decrypt(&task)).await;
        match plain {
            Ok(Ok(Plain::Tree(tree))) => Ok(Opened::Tree(tree)),
            Ok(Ok(Plain::Bytes(bytes))) => Ok(Opened::Bytes(bytes)),
            Ok(Err(Failure::NotInstalled)) => Err(ValueError::ProgramMissing { file: file.shown.clone(), needs }),
            Ok(Err(Failure::NoKey)) => {
                let recipients = file.metadata.recipients();
                let search =
                    KeySearch { recipients, places: vec!["the sops program".to_owned()], ..KeySearch::default() };
                Err(ValueError::NoKey { file: file.shown.clone(), search: Box::new(search) })
            }
            Ok(Err(Failure::Other(error))) => Err(error),
            Err(_) => Err(ValueError::ProgramFailed { file: file.shown.clone(), code: None }),
        }
    }
}

impl<K> std::fmt::Debug for Decryptor<'_, K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Decryptor(redacted)")
    }
}

fn kms_request(recipient: &KmsRecipient) -> Option<KmsRequest> {
    let written = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let context = recipient.context.iter().flatten();
    Some(KmsRequest {
        arn: recipient.arn.clone(),
        ciphertext: STANDARD.decode(&recipient.enc).ok()?,
        context: context.map(|(key, value)| (key.clone(), value.clone().unwrap_or_default())).collect_map(),
        role: written(&recipient.role),
        profile: written(&recipient.aws_profile),
    })
}
