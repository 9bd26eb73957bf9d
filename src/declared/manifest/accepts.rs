//! Whether a manifest may say something: for commands that write manifests, and must not write what `validate` refuses.

use globset::GlobSet;

use super::check::arn::{Home, check_kms_key};
use super::check::cross_account::{check_other_arn, check_role};
use super::check::name::check_secret_name;
use super::check::rotation::check_rotation;
use super::check::tags::{check_key, check_value};
use super::diagnostic::Report;
use super::field::{Field, Map, Spanned};
use super::schema::{ExternalRotationSpec, RotationSpec};
use super::source::Span;
use crate::desired::{RotationSetup, Rotator, TagPatterns};
use crate::domain::{Frequency, Region};

/// The rules for the manifests of one target.
#[derive(Clone, Copy, Debug)]
pub struct Accepts<'a> {
    /// The target's account, when it is known.
    pub account: Option<&'a str>,
    /// The target's region.
    pub region: &'a str,
}

impl Accepts<'_> {
    /// The name of a secret that the service `managed_by` manages, or of one of our own.
    pub fn name(&self, name: &str, managed_by: Option<&str>) -> bool {
        passes(|report| {
            check_secret_name(name, managed_by, Span::default(), report);
        })
    }

    /// A tag, as far as its form goes.
    pub fn tag(&self, key: &str, value: &str) -> bool {
        let ignored = TagPatterns::new(GlobSet::empty());
        passes(|report| {
            check_key(key, Span::default(), &ignored, report);
            check_value(value, Span::default(), report);
        })
    }

    /// A KMS key for a secret in this target, or for a replica in another region.
    pub fn kms_key(&self, key: &str, region: &str) -> bool {
        passes(|report| check_kms_key(key, Span::default(), Home { region, ..self.home() }, report))
    }

    /// The ARN of a secret in another account that this one is linked with.
    pub fn other_secret(&self, arn: &str) -> bool {
        passes(|report| {
            check_other_arn(arn, Span::default(), self.home(), report);
        })
    }

    /// The role under which values are copied to another account.
    pub fn replication_role(&self, role: &str) -> bool {
        passes(|report| {
            check_role(role, Span::default(), self.home(), report);
        })
    }

    /// The region of a replica.
    pub fn replica_region(&self, region: &str) -> bool {
        Region::parse(region).is_some() && region != self.region
    }

    /// A rotation.
    pub fn rotation(&self, setup: &RotationSetup) -> bool {
        let RotationSetup { rotator, frequency, duration } = setup;
        let mut spec = RotationSpec::default();
        match rotator {
            Rotator::OwningService => {}
            Rotator::Lambda(arn) => spec.lambda_arn = set(arn.to_string()),
            Rotator::External { role_arn, metadata } => {
                let Some(role_arn) = role_arn else { return false };
                let items = metadata
                    .iter()
                    .map(|(key, value)| (Spanned { value: key.clone(), span: Span::default() }, set(value.clone())));
                spec.external_rotation = set(ExternalRotationSpec {
                    role_arn: set(role_arn.to_string()),
                    metadata: set(Map(items.collect())),
                });
            }
        }
        match frequency {
            Frequency::EveryDays(days) => spec.every_days = set(i64::from(*days)),
            Frequency::Expression(expression) => spec.schedule = set(expression.as_str().to_owned()),
        }
        if let Some(duration) = duration {
            spec.duration = set(duration.as_str().to_owned());
        }
        passes(|report| {
            let by_service = *rotator == Rotator::OwningService;
            check_rotation(&spec, by_service, Span::default(), self.home(), report);
        })
    }

    fn home(&self) -> Home<'_> {
        Home { target: "", account: self.account, region: self.region }
    }
}

/// Whether a check finds no error; warnings are for the people who read the manifest.
fn passes(check: impl FnOnce(&mut Report)) -> bool {
    let mut report = Report::default();
    check(&mut report);
    !report.has_errors()
}

fn set<T>(value: T) -> Field<T> {
    Field::Set(Spanned { value, span: Span::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Arn, RotationDuration};

    const HERE: Accepts<'_> = Accepts { account: Some("111111111111"), region: "eu-west-1" };

    fn lambda(frequency: Frequency, duration: Option<&str>) -> RotationSetup {
        let rotator = Rotator::Lambda(Arn::of_service("arn:aws:lambda:eu-west-1:111111111111:function:rotate"));
        RotationSetup { rotator, frequency, duration: duration.map(RotationDuration::of_service) }
    }

    #[test]
    fn it_takes_what_validate_takes_and_nothing_else() {
        assert!(HERE.name("dev/shop/db", None) && !HERE.name("rds!db-1", None));
        assert!(HERE.name("rds!db-1", Some("rds")) && !HERE.name("dev/db", Some("rds")));
        assert!(
            HERE.tag("team", "Größe 1")
                && HERE.tag("team", "a;b")
                && !HERE.tag("team", "a\u{7}b")
                && !HERE.tag("aws:x", "")
        );
        assert!(HERE.kms_key("alias/a", "us-east-1") && !HERE.kms_key("nonsense", "us-east-1"));
        assert!(HERE.replica_region("us-east-1") && !HERE.replica_region("eu-west-1") && !HERE.replica_region("x"));
        let secret = |account: &str, region: &str, name: &str| {
            HERE.other_secret(&format!("arn:aws:secretsmanager:{region}:{account}:secret:{name}"))
        };
        assert!(secret("222222222222", "eu-west-1", "a/b-AbCdEf"));
        assert!(!secret("111111111111", "eu-west-1", "a/b-AbCdEf") && !secret("222222222222", "eu-west-1", "a"));
        assert!(!secret("222222222222", "us-east-1", "a/b-AbCdEf") && !HERE.other_secret("a/b"));
        assert!(HERE.replication_role("arn:aws:iam::111111111111:role/copy") && !HERE.replication_role("copy"));
        assert!(!HERE.replication_role("arn:aws:iam::222222222222:role/copy"));
        assert!(HERE.rotation(&lambda(Frequency::EveryDays(30), Some("2h"))));
        assert!(!HERE.rotation(&lambda(Frequency::EveryDays(0), None)));
        assert!(!HERE.rotation(&lambda(Frequency::of_service("cron(1 2 3)"), None)));
        let external = Rotator::External { role_arn: None, metadata: std::collections::BTreeMap::new() };
        assert!(!HERE.rotation(&RotationSetup { rotator: external, ..lambda(Frequency::EveryDays(30), None) }));
    }
}
