//! The policies that a plan puts, as they are sent.

use std::collections::BTreeMap;

use super::{Action, Plan, SecretPlan};
use crate::domain::SecretName;
use crate::live::Live;
use crate::policy::PolicyDocument;

/// A document that a plan puts, on one secret or on several.
pub struct PolicyToPut<'a> {
    /// As it is sent.
    pub text: String,
    /// The first secret that gets it.
    pub secret: &'a SecretName,
    /// The ARN of a secret that exists and gets it.
    pub arn: Option<&'a str>,
}

impl SecretPlan {
    /// The policy that is put, and whether broad access is to be refused (`BlockPublicPolicy`); none while it waits for
    /// an ARN.
    pub fn policy_as_sent(&self, live: &Live) -> Option<(PolicyDocument, bool)> {
        self.actions.iter().find_map(|action| match action {
            Action::PutPolicy { policy, block_public_policy } => {
                Some((policy.resolve(&|name| live.arn(name)).ok()?, *block_public_policy))
            }
            _ => None,
        })
    }
}

impl Plan {
    /// Each distinct document that is put; those that wait for an ARN are left out.
    pub fn policies_as_sent(&self, live: &Live) -> Vec<PolicyToPut<'_>> {
        let mut documents: BTreeMap<String, PolicyToPut<'_>> = BTreeMap::new();
        for secret in &self.secrets {
            let Some((policy, _)) = secret.policy_as_sent(live) else { continue };
            let text = policy.to_wire();
            let observed = secret.observed.as_ref().filter(|observed| !observed.is_scheduled_for_deletion());
            let arn = observed.map(|observed| observed.arn.as_str());
            let document =
                documents.entry(text.clone()).or_insert_with(|| PolicyToPut { text, secret: &secret.name, arn: None });
            document.arn = document.arn.or(arn);
        }
        documents.into_values().collect()
    }
}
