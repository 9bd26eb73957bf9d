//! What ValidateResourcePolicy says of the policies of a run: it is asked once for each distinct document, and before
//! the first write where the document is known by then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::event::ApplyEvent;
use crate::domain::Arn;
use crate::live::{Live, PolicyVerdict, ReadSecrets, ServiceErrorKind, validate_policies};
use crate::plan::{Plan, PolicyToPut};

/// The verdicts of one run in one target.
#[derive(Debug, Default)]
pub struct PolicyChecks {
    verdicts: Mutex<BTreeMap<String, Arc<OnceCell<PolicyVerdict>>>>,
}

impl PolicyChecks {
    /// Asks about the documents of a plan before anything is written.
    ///
    /// Where the caller may validate for secrets alone, and there is none yet, it is asked again with the first that is
    /// made.
    pub async fn ask(
        &self,
        reader: &impl ReadSecrets,
        plan: &Plan,
        live: &Live,
        events: &(dyn Fn(ApplyEvent<'_>) + Sync),
    ) {
        let documents = plan.policies_as_sent(live);
        events(ApplyEvent::ValidatingPolicies { documents: documents.len() });
        let asked = documents.iter().map(|document| (document.text.clone(), document.arn));
        let mut verdicts = validate_policies(reader, asked).await;
        for PolicyToPut { text, secret, arn: _ } in documents {
            let Some(verdict) = verdicts.remove(&text) else { continue };
            if let PolicyVerdict::Unavailable(error) = &verdict {
                if error.kind == ServiceErrorKind::AccessDenied {
                    continue;
                }
                events(ApplyEvent::PolicyNotValidated { secret, error });
            }
            // Nobody else asks yet.
            let _ = self.cell(text).set(verdict);
        }
    }

    /// What is known already of a document.
    pub(super) fn known(&self, text: &str) -> Option<PolicyVerdict> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner).get(text)?.get().cloned()
    }

    /// The verdict about a document, and whether it was asked for just now.
    pub(super) async fn verdict(&self, reader: &impl ReadSecrets, arn: &Arn, text: &str) -> (PolicyVerdict, bool) {
        let cell = self.cell(text.to_owned());
        let mut asked = false;
        let verdict = cell
            .get_or_init(async || {
                asked = true;
                reader.validate_policy(Some(arn.as_str()), text).await
            })
            .await;
        (verdict.clone(), asked)
    }

    fn cell(&self, text: String) -> Arc<OnceCell<PolicyVerdict>> {
        Arc::clone(self.verdicts.lock().unwrap_or_else(PoisonError::into_inner).entry(text).or_default())
    }
}
