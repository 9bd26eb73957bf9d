//! Finding a secret by what a client calls it: its name, its ARN, or its ARN without the six characters at the end.

use super::record::SecretRecord;
use super::store::StoreError;
use super::tables::{Transaction, View, Writer};
use super::{cross_account, replica};
use crate::home::{Home, is_account};
use crate::wire::ServiceError;

/// A SecretId that could name a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretId {
    /// A name in the caller's own home.
    Name(String),
    /// An ARN: the home that it names, and what follows `secret:`.
    Arn { home: Home, rest: String },
}

impl SecretId {
    /// Reads a SecretId.
    ///
    /// The check of a name's characters is known for names only. An ARN whose form is wrong falls under it too, since
    /// a colon is none of them.
    pub(crate) fn parse(text: &str) -> Result<Self, ServiceError> {
        if let Some(arn) = Self::parse_arn(text) {
            return Ok(arn);
        }
        if is_valid_name(text) { Ok(Self::Name(text.to_owned())) } else { Err(ServiceError::invalid_name()) }
    }

    fn parse_arn(text: &str) -> Option<Self> {
        let mut parts = text.splitn(7, ':');
        let (arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, kind, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let ours = arn == "arn" && partition.starts_with("aws") && service == "secretsmanager" && kind == "secret";
        (ours && is_account(account)).then(|| Self::Arn { home: Home::new(account, region), rest: rest.to_owned() })
    }
}

/// The characters that a secret's name may have.
pub(crate) fn is_valid_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-/_+=.@!".contains(&byte))
}

/// Splits off a hyphen and six letters or digits, the ending of a full ARN.
fn without_suffix(rest: &str) -> Option<&str> {
    let (name, suffix) = rest.rsplit_once('-')?;
    (suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(name)
}

/// A secret and where it lives.
pub(crate) struct Found {
    pub(crate) home: Home,
    pub(crate) record: SecretRecord,
}

impl Found {
    /// Refuses a secret that is scheduled for deletion.
    pub(crate) fn refuse_scheduled(&self) -> Result<(), ServiceError> {
        if self.record.deletion.is_some() { Err(ServiceError::scheduled_for_deletion()) } else { Ok(()) }
    }

    /// Refuses a caller of another account where the default key encrypts the secret, which no policy can share.
    pub(crate) fn refuse_foreign_account(&self, caller: &Home) -> Result<(), ServiceError> {
        let default_key = self.record.kms_key_id.as_deref().is_none_or(super::kms::is_default);
        if self.home.account != caller.account && default_key {
            Err(ServiceError::foreign_account_with_default_key())
        } else {
            Ok(())
        }
    }

    /// Refuses a secret that another service manages, which alone changes it (documented with InvalidRequestException).
    pub(crate) fn refuse_managed(&self) -> Result<(), ServiceError> {
        if self.record.owning_service.is_some() { Err(ServiceError::managed_by_service()) } else { Ok(()) }
    }

    /// Refuses a copy of a secret of another region, which can only be read.
    pub(crate) fn refuse_replica(&self) -> Result<(), ServiceError> {
        if self.record.replica_of.is_some() { Err(ServiceError::not_on_a_replica()) } else { Ok(()) }
    }

    /// Refuses a replica of another account's secret, whose values are its primary's. Nothing is known of the error;
    /// its other fields are its own.
    pub(crate) fn refuse_cross_account_replica(&self) -> Result<(), ServiceError> {
        match &self.record.cross_account_primary {
            Some(primary) => Err(ServiceError::not_on_a_cross_account_replica(&primary.arn)),
            None => Ok(()),
        }
    }

    /// Writes the record, as a change that moves LastChangedDate, and brings its copies in other regions up to it; one
    /// in another account is due then.
    pub(crate) fn save_changed(&mut self, writer: &Writer<'_>) -> Result<(), ServiceError> {
        self.record.touch(writer.now());
        cross_account::note_change(writer, &mut self.record)?;
        writer.save(&self.home, &self.record)?;
        Ok(replica::propagate(writer, &self.home, &self.record)?)
    }
}

/// Finds the secret that a SecretId names, scheduled for deletion or not.
///
/// An ARN that ends in a hyphen and six letters or digits is a full one, even if these belong to the name: so a
/// partial ARN of such a name finds nothing, as the documentation warns. A secret of another account is found by its
/// ARN: the sandbox evaluates no policy. One of another region is not found, since a request reaches one region only.
pub(crate) fn find<T: Transaction>(view: &View<'_, T>, caller: &Home, id: &SecretId) -> Result<Found, ServiceError> {
    search(view, caller, id)?.ok_or_else(ServiceError::secret_not_found)
}

/// Like `find`, where a missing secret is not an error.
pub(crate) fn search<T: Transaction>(
    view: &View<'_, T>,
    caller: &Home,
    id: &SecretId,
) -> Result<Option<Found>, StoreError> {
    let (home, name, arn_rest) = match id {
        SecretId::Name(name) => (caller, name.as_str(), None),
        SecretId::Arn { home, .. } if home.region != caller.region => return Ok(None),
        SecretId::Arn { home, rest } => match without_suffix(rest) {
            Some(name) => (home, name, Some(rest)),
            None => (home, rest.as_str(), None),
        },
    };
    let Some(record) = view.secret(home, name)? else { return Ok(None) };
    let suffix_fits = arn_rest.is_none_or(|rest| record.arn.ends_with(&format!(":secret:{rest}")));
    Ok(suffix_fits.then(|| Found { home: home.clone(), record }))
}

/// The name that a SecretId means, whether there is such a secret or not. For the call log and the fault rules, never
/// for an answer.
pub(crate) fn name_meant<T: Transaction>(view: &View<'_, T>, caller: &Home, text: &str) -> Option<String> {
    match SecretId::parse(text).ok()? {
        SecretId::Name(name) => Some(name),
        id @ SecretId::Arn { .. } => match search(view, caller, &id) {
            Ok(Some(found)) => Some(found.record.name),
            _ => match id {
                SecretId::Name(name) => Some(name),
                SecretId::Arn { rest, .. } => Some(without_suffix(&rest).unwrap_or(&rest).to_owned()),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_id_is_a_name_or_an_arn() {
        assert_eq!(SecretId::parse("a/b_+=.@!-1"), Ok(SecretId::Name("a/b_+=.@!-1".to_owned())));
        assert_eq!(
            SecretId::parse("arn:aws:secretsmanager:eu-west-1:111122223333:secret:a/b-AbCd12"),
            Ok(SecretId::Arn { home: Home::new("111122223333", "eu-west-1"), rest: "a/b-AbCd12".to_owned() })
        );
        for bad in ["a b", "", "a:b", "ä", "arn:aws:s3:::bucket", "arn:aws:secretsmanager:eu-west-1:1:secret:a"] {
            assert_eq!(SecretId::parse(bad), Err(ServiceError::invalid_name()), "{bad}");
        }
    }

    #[test]
    fn an_arn_suffix_is_a_hyphen_and_six_letters_or_digits() {
        assert_eq!(without_suffix("name-a1b2C3"), Some("name"));
        for other in ["name-a1b2", "name-a1b2c3-", "name", "name-a1b2/3", "name-a1b2c3d"] {
            assert_eq!(without_suffix(other), None, "{other}");
        }
    }
}
