//! The proof of an import: a plan of the new manifests does nothing but write the owner tag.

use std::collections::BTreeSet;

use crate::desired::{Desired, DesiredSecret, OWNER_TAG, OtherSecret};
use crate::domain::SecretName;
use crate::live::{Counterpart, CounterpartState, Counterparts};
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
    /// Those that the project gives a value or labels: that is more than an adoption, though a plan that knows no
    /// values cannot say what would be put.
    pub given: Vec<SecretName>,
    /// The plan of those of which more would be changed.
    pub remaining: Plan,
    /// The findings that keep secrets from being planned.
    pub obstacles: Vec<Finding>,
    /// Those that are linked with a secret of another target that was not read: whether it is the one that its name
    /// says is not known. That keeps nothing from being adopted.
    pub unchecked: Vec<SecretName>,
}

impl Proof {
    /// Whether nothing but owner tags would be written.
    pub fn holds(&self) -> bool {
        self.missing.is_empty() && self.given.is_empty() && self.remaining.is_empty() && self.obstacles.is_empty()
    }
}

/// Judges the plan of the imported secrets, by what is known of secrets of other targets.
pub fn prove(
    imported: &BTreeSet<SecretName>,
    desired: &Desired,
    counterparts: &Counterparts,
    (plan, report): (&Plan, &PlanReport),
) -> Proof {
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
    let named = |is: &dyn Fn(&DesiredSecret) -> bool| -> Vec<SecretName> {
        let declared = imported.iter().filter_map(|name| desired.secrets.get(name));
        declared.filter(|secret| is(secret)).map(|secret| secret.name.clone()).collect()
    };
    // By name, as `imported` is.
    let given = named(&gives);
    let unchecked = named(&|secret| is_linked_unseen(secret, counterparts));
    let is_adopted = |secret: &SecretPlan| is_adoption(secret) && given.binary_search(&secret.name).is_err();
    let adopted = planned().filter(|secret| is_adopted(secret)).count();
    let remaining: Vec<SecretPlan> = planned().filter(|secret| !is_adoption(secret)).cloned().collect();
    let not_adopted = remaining.iter().map(|secret| &secret.name).chain(&given);
    let not_adopted: BTreeSet<&SecretName> =
        not_adopted.chain(obstacles.iter().map(|finding| &finding.secret)).collect();
    let unchanged = (imported.len() - missing.len()).saturating_sub(adopted + not_adopted.len());
    let remaining = Plan { secrets: remaining, ..plan.clone() };
    Proof { adopted, unchanged, missing, given, remaining, obstacles, unchecked }
}

/// Whether a manifest, or what lies beneath it, says what the value or its labels are: an import never does.
fn gives(secret: &DesiredSecret) -> bool {
    secret.value.is_some() || !secret.labels.is_empty() || secret.no_labels.is_some()
}

/// Whether a secret of another target that it is linked with was not read.
fn is_linked_unseen(secret: &DesiredSecret, counterparts: &Counterparts) -> bool {
    secret.linked_with().any(|other| match other {
        OtherSecret::Arn(_) => false,
        OtherSecret::Named { target, name } => {
            let found = counterparts.get(&(target.clone(), name.clone()));
            !matches!(found, Some(Counterpart { state: CounterpartState::There { .. }, .. }))
        }
    })
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

    use super::*;
    use crate::desired::Scope;
    use crate::manifest::{LoadOptions, load};
    use crate::plan::bare::bare_desired;
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
        Desired { scope: Scope::new([]), ..bare_desired("", &[]) }
    }

    fn proof_of(secrets: Vec<SecretPlan>, report: &PlanReport) -> Proof {
        let imported = secrets.iter().map(|secret| secret.name.clone()).collect();
        prove(&imported, &nothing(), &Counterparts::new(), (&Plan::bare(secrets), report))
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
        let proof = prove(&imported, &nothing(), &Counterparts::new(), (&empty.remaining, &report));
        assert_eq!((proof.obstacles.len(), proof.missing.len(), proof.holds()), (1, 1, false));
    }

    #[test]
    fn a_secret_that_would_get_a_value_is_more_than_adopted() {
        let folder = tempfile::tempdir();
        let Ok(folder) = folder else { unreachable!("a temporary folder can be made") };
        let project = "apiVersion: keywright/v1\nkind: Project\nmetadata: { name: shop }\nspec:\n  targets: \
                       [{ name: dev, region: eu-west-1 }]\n  scope: { namePrefixes: [a/] }\n";
        let secret = |name: &str, spec: &str| {
            format!("---\napiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: a/{name} }}\nspec: {spec}\n")
        };
        let secrets = [
            secret("plain", "{ description: x }"),
            secret("valued", "{ value: { text: not-a-secret } }"),
            secret("labelled", "{ labels: {} }"),
        ];
        let added = [("keywright.yaml".into(), project.to_owned()), ("a.yaml".into(), secrets.concat())];
        let options = LoadOptions { added: added.into(), ..LoadOptions::default() };
        let loaded = load(folder.path(), &options);
        let Some(desired) = loaded.desired.first() else { unreachable!("{:?}", loaded.diagnostics) };
        let adopted = |name: &&str| planned(&format!("a/{name}"), Verb::Adopt, vec![tag(OWNER_TAG, None)]);
        let plan = Plan::bare(["plain", "valued", "labelled"].iter().map(adopted).collect());
        let imported = desired.secrets.keys().cloned().collect();
        let proof = prove(&imported, desired, &Counterparts::new(), (&plan, &PlanReport::default()));
        let given: Vec<&str> = proof.given.iter().map(SecretName::as_str).collect();
        assert_eq!((proof.adopted, proof.unchanged, given), (1, 0, vec!["a/labelled", "a/valued"]));
        assert!(proof.remaining.is_empty() && !proof.holds());
    }

    #[test]
    fn a_link_with_a_target_that_was_not_read_is_told() {
        let folder = tempfile::tempdir();
        let Ok(folder) = folder else { unreachable!("a temporary folder can be made") };
        let project = "apiVersion: keywright/v1\nkind: Project\nmetadata: { name: shop }\nspec:\n  targets: [{ name: \
                       dev, region: eu-west-1, account: \"111111111111\" }, { name: data, region: eu-west-1, account: \
                       \"222222222222\" }]\n  scope: { namePrefixes: [a/] }\n---\napiVersion: keywright/v1\nkind: \
                       Secret\nmetadata: { name: a/b, targets: [dev] }\nspec: { crossAccountReplica: { secret: { \
                       target: data, name: a/copy } } }\n";
        let options =
            LoadOptions { added: [("keywright.yaml".into(), project.to_owned())].into(), ..LoadOptions::default() };
        let loaded = load(folder.path(), &options);
        let Some(desired) = loaded.desired.first() else { unreachable!("{:?}", loaded.diagnostics) };
        let imported = BTreeSet::from([SecretName::new("a/b")]);
        let plan = Plan::bare(vec![planned("a/b", Verb::Adopt, vec![tag(OWNER_TAG, None)])]);
        let unchecked = |state: Option<CounterpartState>| {
            let at = ("data".to_owned(), SecretName::new("a/copy"));
            let counterparts = state.map(|state| (at, Counterpart { account: None, state })).into_iter().collect();
            let proof = prove(&imported, desired, &counterparts, (&plan, &PlanReport::default()));
            assert!(proof.holds() && proof.adopted == 1);
            proof.unchecked.len()
        };
        let arn = crate::domain::Arn::of_service("arn:aws:secretsmanager:eu-west-1:222222222222:secret:a/copy-AbCdEf");
        let there = CounterpartState::There { arn, primary: None, leaving: false };
        assert_eq!((unchecked(Some(there)), unchecked(Some(CounterpartState::Unreached)), unchecked(None)), (0, 1, 1));
    }
}
