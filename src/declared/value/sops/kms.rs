//! Data keys that AWS KMS unwraps.

use std::collections::BTreeMap;
use std::future::Future;

use zeroize::Zeroizing;

/// A data key that KMS should decrypt (Decrypt). The region is part of the ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KmsRequest {
    /// The key's ARN, or the ARN of an alias (`KeyId`).
    pub arn: String,
    /// The encrypted data key (`CiphertextBlob`).
    pub ciphertext: Vec<u8>,
    /// The encryption context that it was encrypted with (`EncryptionContext`).
    pub context: BTreeMap<String, String>,
    /// A role to assume first.
    pub role: Option<String>,
    /// A profile of the AWS configuration files.
    pub profile: Option<String>,
}

/// Unwraps data keys with AWS KMS. The error is what the service says, for a person to read.
pub trait DataKeys: Send + Sync {
    /// Asks KMS for the data key.
    fn decrypt_kms(&self, request: &KmsRequest) -> impl Future<Output = Result<Zeroizing<Vec<u8>>, String>> + Send;
}

/// No KMS: for what works offline.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKms;

impl DataKeys for NoKms {
    async fn decrypt_kms(&self, _: &KmsRequest) -> Result<Zeroizing<Vec<u8>>, String> {
        Err("AWS KMS is not used here".to_owned())
    }
}
