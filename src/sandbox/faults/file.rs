//! The fault file: what `--sandbox-faults`, `sandbox serve --faults` and `POST /_keywright/faults` take, as JSON.
//!
//! ```json
//! { "rules": [{ "operation": "PutSecretValue", "secret": "dev/db", "times": 1, "kind": "answerLost" }],
//!   "profile": { "seed": 7, "throttled": 0.05, "quotas": true },
//!   "rotations": [{ "of": { "secret": "dev/db" }, "outcome": { "failAt": "test" } }],
//!   "replications": [{ "of": { "secret": "dev/db" }, "outcome": { "fail": "Access to KMS is not allowed" } }] }
//! ```
//!
//! Only its shape is here: a key of a rule is a field of `Fault` (in `rule`), a key of the profile one of
//! `FaultProfile` (in `profile`), a new kind of fault a variant of `FaultKind`. `docs/reference.md` and CHANGELOG name
//! the keys.

use serde::Deserialize;

use super::profile::FaultProfile;
use super::replication::{ReplicationOf, ReplicationOutcome};
use super::rotation::{RotationOf, RotationOutcome};
use super::rule::Fault;

/// A fault file. Every part can be left out; a key that is none of them is an error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultFile {
    /// Rules to add to those in force.
    #[serde(default)]
    pub(crate) rules: Vec<Fault>,
    /// The profile from now on. The alias is its name in the first version.
    #[serde(alias = "weather")]
    pub(crate) profile: Option<FaultProfile>,
    /// How the simulated rotation functions end from now on.
    #[serde(default)]
    pub(crate) rotations: Vec<RotationFault>,
    /// How copies in other regions and accounts end from now on.
    #[serde(default)]
    pub(crate) replications: Vec<ReplicationFault>,
}

/// How the replications of a secret end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplicationFault {
    pub(crate) of: ReplicationOf,
    pub(crate) outcome: ReplicationOutcome,
}

/// How the rotations of a secret or of a function end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotationFault {
    pub(crate) of: RotationOf,
    pub(crate) outcome: RotationOutcome,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
mod tests {
    use std::time::Duration;

    use super::super::rotation::RotationStep;
    use super::super::rule::FaultKind;
    use super::*;

    #[test]
    fn every_part_of_the_file_is_read() {
        let text = r#"{
            "rules": [{"operation": "PutSecretValue", "times": 1, "kind": {"slow": {"by": 1.5}}}],
            "profile": {"seed": 7, "latency": "PT0.2S", "answerLost": 0.5, "quotas": true, "listLag": 90},
            "rotations": [{"of": {"secret": "dev/db"}, "outcome": {"failAt": "test"}}],
            "replications": [
                {"of": {"secret": "dev/db"}, "outcome": {"fail": "no key"}}, {"of": "any", "outcome": "succeed"}
            ]
        }"#;
        let FaultFile { rules, profile, rotations, replications } = serde_json::from_str(text).unwrap();
        assert!(matches!(rules[0].kind, FaultKind::Slow { by } if by == Duration::from_millis(1500)));
        let expected = FaultProfile {
            rng_seed: 7,
            latency: Duration::from_millis(200),
            answer_lost: 0.5,
            quotas: true,
            list_lag: Duration::from_secs(90),
            ..FaultProfile::default()
        };
        assert_eq!(profile, Some(expected));
        assert_eq!(rotations[0].of, RotationOf::Secret("dev/db".to_owned()));
        assert_eq!(rotations[0].outcome, RotationOutcome::FailAt(RotationStep::Test));
        assert_eq!(replications[0].of, ReplicationOf::Secret("dev/db".to_owned()));
        assert_eq!(replications[0].outcome, ReplicationOutcome::Fail("no key".to_owned()));
        assert_eq!(replications[1].outcome, ReplicationOutcome::Succeed);
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        for (text, key) in [
            (r#"{"profil": {}}"#, "profil"),
            (r#"{"profile": {"latencies": 1}}"#, "latencies"),
            (r#"{"rules": [{"kind": "answerLost", "operations": []}]}"#, "operations"),
            (r#"{"rules": [{"kind": {"killed": {"after": 1}}}]}"#, "after"),
            (r#"{"rotations": [{"of": "any", "outcome": "succeed", "when": 1}]}"#, "when"),
            (r#"{"replications": [{"of": "any", "outcome": "succeed", "how": 1}]}"#, "how"),
        ] {
            let error = serde_json::from_str::<FaultFile>(text).err().unwrap().to_string();
            assert!(error.contains(&format!("unknown field `{key}`")), "{error}");
        }
    }
}
