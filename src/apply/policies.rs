//! What ValidateResourcePolicy says of the policies of a run: it is asked once for each distinct document, and before
//! the first write where the document is known by then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, stream};
use tokio::sync::OnceCell;

use super::event::ApplyEvent;
use crate::domain::{Arn, SecretName};
use crate::live::{Live, PolicyVerdict, ReadSecrets, ServiceErrorKind};
use crate::plan::{Action, Plan, SecretPlan};
use crate::policy::PolicyDocument;

/// Documents that are asked about at once; the client-side quota sets the pace.
const AT_ONCE: usize = 32;

/// A document that would be put, with the first secret that would get it.
struct Document<'a> {
    text: String,
    secret: &'a SecretName,
    /// A secret that exists and would get it. Who may call by the ARNs of secrets alone is not denied then.
    arn: Option<&'a str>,
}

/// The policy that a plan puts on a secret; none while it waits for an ARN.
pub fn policy_to_put(secret: &SecretPlan, live: &Live) -> Option<PolicyDocument> {
    secret.actions.iter().find_map(|action| match action {
        Action::PutPolicy { policy, .. } => policy.resolve(&|name| live.arn(name)).ok(),
        _ => None,
    })
}

/// Each distinct document that the plan puts.
fn documents<'a>(plan: &'a Plan, live: &Live) -> Vec<Document<'a>> {
    let mut documents: BTreeMap<String, Document<'a>> = BTreeMap::new();
    for secret in &plan.secrets {
        let Some(text) = policy_to_put(secret, live).map(|policy| policy.to_wire()) else { continue };
        let observed = secret.observed.as_ref().filter(|observed| !observed.is_scheduled_for_deletion());
        let arn = observed.map(|observed| observed.arn.as_str());
        let document =
            documents.entry(text.clone()).or_insert_with(|| Document { text, secret: &secret.name, arn: None });
        document.arn = document.arn.or(arn);
    }
    documents.into_values().collect()
}

/// Asks about each distinct document of a plan; those that wait for an ARN are left out.
pub async fn validate_documents<'a>(
    reader: &impl ReadSecrets,
    plan: &'a Plan,
    live: &Live,
) -> BTreeMap<String, (&'a SecretName, PolicyVerdict)> {
    validate(reader, documents(plan, live)).await
}

async fn validate<'a>(
    reader: &impl ReadSecrets,
    documents: Vec<Document<'a>>,
) -> BTreeMap<String, (&'a SecretName, PolicyVerdict)> {
    stream::iter(documents)
        .map(async |Document { text, secret, arn }| {
            let verdict = reader.validate_policy(arn, &text).await;
            (text, (secret, verdict))
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

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
        let documents = documents(plan, live);
        events(ApplyEvent::ValidatingPolicies { documents: documents.len() });
        for (text, (secret, verdict)) in validate(reader, documents).await {
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
