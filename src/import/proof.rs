//! The proof of an import: a plan of the new manifests does nothing but write the owner tag.

use std::collections::BTreeSet;

use crate::desired::{Desired, OWNER_TAG};
use crate::domain::SecretName;
use crate::plan::{Change, Finding, Plan, PlanReport, SecretPlan, Severity, Verb};

/// What a plan says of imported secrets.
#[derive(Clone, Debug)]
pub struct Proof {
    /// How many are adopted by the owner tag alone.
    pub adopted: usize,
    /// How many have nothing to do, since they carry the owner tag already.
    pub unchanged: usize,
    /// Imported names that no manifest names after all.
    pub missing: Vec<SecretName>,
    /// The plan of those of which more would be changed.
    pub remaining: Plan,
    /// The findings that keep secrets from being planned.
    pub obstacles: Vec<Finding>,
}

impl Proof {
    /// Whether nothing but owner tags would be written.
    pub fn holds(&self) -> bool {
        self.missing.is_empty() && self.remaining.is_empty() && self.obstacles.is_empty()
    }
}

/// Judges the plan of the imported secrets.
pub fn prove(imported: &BTreeSet<SecretName>, desired: &Desired, plan: &Plan, report: &PlanReport) -> Proof {
    let of_ours = |name: &SecretName| imported.contains(name);
    let planned = || plan.secrets.iter().filter(|secret| of_ours(&secret.name));
    let obstacles: Vec<Finding> = report
        .findings
        .iter()
        .filter(|finding| finding.severity() == Severity::Error && of_ours(&finding.secret))
        .cloned()
        .collect();
    let missing: Vec<SecretName> =
        imported.iter().filter(|name| !desired.secrets.contains_key(*name)).cloned().collect();
    let adopted = planned().filter(|secret| is_adoption(secret)).count();
    let remaining: Vec<SecretPlan> = planned().filter(|secret| !is_adoption(secret)).cloned().collect();
    let blocked: BTreeSet<&SecretName> = obstacles.iter().map(|finding| &finding.secret).collect();
    let unchanged = (imported.len() - missing.len()).saturating_sub(adopted + remaining.len() + blocked.len());
    Proof { adopted, unchanged, missing, remaining: Plan { secrets: remaining, ..plan.clone() }, obstacles }
}

/// Whether the owner tag is all that is written.
fn is_adoption(secret: &SecretPlan) -> bool {
    secret.verb == Verb::Adopt
        && secret
            .changes
            .iter()
            .all(|change| matches!(change, Change::Tag { key, after: Some(_), .. } if key == OWNER_TAG))
}

#[cfg(test)]
mod tests {
    use crate::domain::TagKey;
    use std::collections::BTreeMap;

    use super::*;
    use crate::desired::{GuardLimits, Prune, Scope, TagPatterns, Target};
    use crate::domain::Region;
    use crate::origin::Origin;
    use crate::plan::{FindingKind, PlannedText};

    fn tag(key: &str, before: Option<&str>) -> Change {
        let after = Some(PlannedText { text: "shop/dev".to_owned(), known: true });
        Change::Tag { key: TagKey::of_service(key), before: before.map(str::to_owned), after, origin: None }
    }

    fn planned(name: &str, verb: Verb, changes: Vec<Change>) -> SecretPlan {
        SecretPlan {
            moved: None,
            name: SecretName::new(name),
            origin: None,
            verb,
            changes,
            actions: Vec::new(),
            depends_on: BTreeSet::new(),
            observed: None,
            leaving: crate::plan::Leaving::default(),
            item: None,
        }
    }

    /// A desired for nothing, since these tests look at plans: every imported name is missing in it.
    fn nothing() -> Desired {
        Desired {
            project: "shop".to_owned(),
            target: Target {
                name: "dev".to_owned(),
                account: None,
                region: Region::of_service("eu-west-1"),
                assume_role: None,
                profile: None,
                endpoint_url: None,
                origin: Origin::new(std::path::Path::new("keywright.yaml"), 1, 1),
            },
            targets: BTreeSet::from(["dev".to_owned()]),
            scope: Scope::new([]),
            prune: Prune::Report,
            prune_window_days: 30,
            ignore_tags: TagPatterns::new(globset::GlobSet::empty()),
            guards: GuardLimits::default(),
            skipped: Vec::new(),
            of_other_targets: BTreeMap::new(),
            lists: Vec::new(),
            secrets: BTreeMap::new(),
        }
    }

    fn proof_of(secrets: Vec<SecretPlan>, report: &PlanReport) -> Proof {
        let imported = secrets.iter().map(|secret| secret.name.clone()).collect();
        prove(&imported, &nothing(), &Plan::bare(secrets), report)
    }

    #[test]
    fn only_the_owner_tag_is_an_adoption() {
        let proof = proof_of(
            vec![
                planned("adopted", Verb::Adopt, vec![tag(OWNER_TAG, None)]),
                planned("another-tag", Verb::Adopt, vec![tag(OWNER_TAG, None), tag("team", None)]),
                planned("copied-tag", Verb::Adopt, vec![tag(OWNER_TAG, Some("x"))]),
                planned("changed", Verb::Change, vec![tag(OWNER_TAG, None)]),
                planned("created", Verb::Create, vec![tag(OWNER_TAG, None)]),
            ],
            &PlanReport::default(),
        );
        assert_eq!(proof.adopted, 2);
        let remaining: Vec<&str> = proof.remaining.secrets.iter().map(|secret| secret.name.as_str()).collect();
        assert_eq!(remaining, ["another-tag", "changed", "created"]);
        assert!(!proof.holds());
    }

    #[test]
    fn a_secret_that_is_blocked_or_nowhere_is_not_proven() {
        let report = PlanReport {
            findings: vec![Finding {
                secret: SecretName::new("a"),
                origin: None,
                kind: FindingKind::OwnedByService { service: "rds".to_owned() },
            }],
            ..PlanReport::default()
        };
        let imported = BTreeSet::from([SecretName::new("a")]);
        let empty = proof_of(Vec::new(), &PlanReport::default());
        assert!(empty.holds());
        let proof = prove(&imported, &nothing(), &empty.remaining, &report);
        assert_eq!((proof.obstacles.len(), proof.missing.len(), proof.holds()), (1, 1, false));
    }
}
