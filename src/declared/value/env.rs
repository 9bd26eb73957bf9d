//! Which environment variables a manifest may read.

use std::ffi::OsString;

use globset::GlobSet;
use zeroize::{Zeroize, Zeroizing};

use super::error::ValueError;

/// Names that begin so are never read, whatever is allowed: they hold the credentials of keywright itself, and a pull
/// request could otherwise have them written into a secret that its author can read.
const NEVER: [&str; 2] = ["AWS_", "SOPS_"];

/// The environment as far as manifests may see it.
pub struct EnvAccess<'a> {
    lookup: &'a (dyn Fn(&str) -> Option<OsString> + Sync),
    allowed: &'a GlobSet,
}

impl<'a> EnvAccess<'a> {
    /// `allowed` holds the patterns of `--allow-env`.
    pub fn new(lookup: &'a (dyn Fn(&str) -> Option<OsString> + Sync), allowed: &'a GlobSet) -> Self {
        Self { lookup, allowed }
    }

    /// Whether a manifest may read this variable, without reading it.
    pub fn check(&self, name: &str) -> Result<(), ValueError> {
        // Windows takes the names of variables in either case.
        let upper = name.to_ascii_uppercase();
        if NEVER.iter().any(|prefix| upper.starts_with(prefix)) {
            return Err(ValueError::EnvNever { name: name.to_owned() });
        }
        if !self.allowed.is_match(name) {
            return Err(ValueError::EnvNotAllowed { name: name.to_owned() });
        }
        Ok(())
    }

    /// What the variable holds.
    pub(super) fn read(&self, name: &str) -> Result<Zeroizing<String>, ValueError> {
        self.check(name)?;
        let value = (self.lookup)(name).ok_or_else(|| ValueError::EnvNotSet { name: name.to_owned() })?;
        value.into_string().map(Zeroizing::new).map_err(|raw| {
            raw.into_encoded_bytes().zeroize();
            ValueError::EnvNotText { name: name.to_owned() }
        })
    }
}

#[cfg(test)]
mod tests {
    use globset::{Glob, GlobSetBuilder};

    use super::*;

    #[test]
    fn only_what_is_allowed_is_read() -> Result<(), globset::Error> {
        let allowed = GlobSetBuilder::new().add(Glob::new("DB_*")?).add(Glob::new("*_KEY")?).build()?;
        let lookup = |name: &str| (name != "DB_NONE").then(|| OsString::from("CANARY"));
        let access = EnvAccess::new(&lookup, &allowed);
        assert_eq!(access.read("DB_PASSWORD").as_deref().map(String::as_str), Ok("CANARY"));
        let name = |name: &str| name.to_owned();
        assert_eq!(access.read("HOME"), Err(ValueError::EnvNotAllowed { name: name("HOME") }));
        assert_eq!(access.read("AWS_SECRET_KEY"), Err(ValueError::EnvNever { name: name("AWS_SECRET_KEY") }));
        assert_eq!(access.read("sops_age_KEY"), Err(ValueError::EnvNever { name: name("sops_age_KEY") }));
        assert_eq!(access.read("DB_NONE"), Err(ValueError::EnvNotSet { name: name("DB_NONE") }));
        Ok(())
    }
}
