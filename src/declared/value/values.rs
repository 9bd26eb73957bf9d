//! Where values come from when a plan is made and carried out: the seam between those who need one and the files, keys
//! and environment that hold it.

use std::future::Future;

use super::{Identity, SecretValue, Source, ValueError};
use crate::domain::{Arn, SecretName};

/// The ARN of a secret, when it is known.
pub type Arns<'a> = dyn Fn(&SecretName) -> Option<Arn> + Send + Sync + 'a;

/// Where values come from: files, keys, the environment. A value is asked for only when it is about to be put, or
/// compared.
pub trait Values: Send + Sync {
    /// The value itself. Parts that are generated are taken from `kept` where it has them, else they are made.
    fn render(
        &self,
        source: &Source,
        kept: Option<&SecretValue>,
        arns: &Arns<'_>,
    ) -> impl Future<Output = Result<SecretValue, ValueError>> + Send;

    /// The version id that the value stands for.
    fn identity(&self, name: &SecretName, source: &Source, arns: &Arns<'_>) -> Result<Identity, ValueError>;
}
