//! How live state is read: few calls, every page, and a list that may lag behind the truth.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what is wrong by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;

use keywright::desired::{Desired, owner_tag};
use keywright::domain::{Arn, Region, SecretName, TagKey, VersionId};
use keywright::live::{
    Counterparts, CrossAccount, ListFilter, ListPage, LivePolicy, LiveRotation, LiveSecret, LiveValue, PolicyVerdict,
    ReadSecrets, Seen, ServiceError, ServiceErrorKind, VersionEntry,
};
use keywright::manifest::{LoadOptions, load};
use keywright::plan::{FindingKind, GuardOverrides, GuardedTarget, Refusal, Rules, RunGuards, Selection, Verb, flags};
use keywright::reconcile::{PlanError, Planning, Reading, TargetPlan, plan_target};
use keywright::value::SecretValue;

const PROJECT: &str = "apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  targets: [{ name: dev, region: eu-west-1 }]
  scope: { namePrefixes: [dev/a/, dev/b/] }
  prune: delete
";

fn desired(secrets: &[(&str, &str)]) -> Desired {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let documents: String = secrets
        .iter()
        .map(|(name, spec)| {
            format!("---\napiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: {name} }}\nspec: {spec}\n")
        })
        .collect();
    support::write_files(folder.path(), [("keywright.yaml", PROJECT), ("secrets.yaml", documents.as_str())]);
    let mut loaded = load(folder.path(), &LoadOptions::default());
    assert!(!loaded.diagnostics.has_errors(), "{:?}", loaded.diagnostics.iter().collect::<Vec<_>>());
    loaded.desired.remove(0)
}

fn secret(name: &str, description: &str) -> LiveSecret {
    LiveSecret {
        name: SecretName::new(name),
        arn: Arn::of_service(format!("arn:aws:secretsmanager:eu-west-1:111111111111:secret:{name}-AbCdEf")),
        description: Some(description.to_owned()),
        kms_key_id: None,
        tags: BTreeMap::from([(
            TagKey::of_service("keywright:project"),
            owner_tag::bind("shop/dev", name, &name[..name.len().min(6)]),
        )]),
        deleted_at: None,
        owning_service: None,
        primary_region: None,
        versions: BTreeMap::new(),
        secret_type: None,
        rotation: LiveRotation::default(),
        replicas: BTreeMap::new(),
        cross_account: CrossAccount::default(),
        created: None,
        last_changed: None,
        last_accessed: None,
        replicas_accessed: None,
        policy: LivePolicy::NotRead,
        other_policies: Vec::new(),
        seen: Seen::Listed,
    }
}

/// A service whose list and whose descriptions may say different things.
#[derive(Default)]
struct Service {
    listed: Vec<LiveSecret>,
    described: Vec<LiveSecret>,
    /// How many secrets stand on a page; every other page is empty.
    page: usize,
    /// Every page gives a token; this is the one that the page of this number gives.
    endless: Option<fn(usize) -> String>,
    calls: Mutex<Vec<String>>,
}

impl Service {
    fn log(&self, call: String) {
        self.calls.lock().expect("no test panicked").push(call);
    }

    fn calls(&self, operation: &str) -> usize {
        self.calls.lock().expect("no test panicked").iter().filter(|call| call.starts_with(operation)).count()
    }
}

impl ReadSecrets for Service {
    async fn list(&self, filter: &ListFilter, next_token: Option<String>) -> Result<ListPage, ServiceError> {
        self.log(format!("ListSecrets {}", filter.prefixes.join(" ")));
        if let Some((_, owner)) = &filter.tag {
            let owned =
                |secret: &&LiveSecret| secret.named_owner().is_some_and(|named| named.starts_with(owner.as_str()));
            let outside = |secret: &&LiveSecret| {
                filter.without.iter().all(|prefix| !secret.name.as_str().starts_with(prefix.as_str()))
            };
            let secrets = self.listed.iter().filter(owned).filter(outside).cloned().collect();
            return Ok(ListPage { secrets, next_token: None });
        }
        if let Some(token) = self.endless {
            return Ok(ListPage {
                secrets: Vec::new(),
                next_token: Some(token(self.calls.lock().expect("no test panicked").len())),
            });
        }
        let at: usize = next_token.map_or(0, |token| token.parse().expect("a token of ours"));
        if at % 2 == 1 {
            return Ok(ListPage { secrets: Vec::new(), next_token: Some((at + 1).to_string()) });
        }
        // A filter is only a help to the service: this one ignores it, as a stand-in might.
        let size = self.page.max(1);
        let secrets: Vec<LiveSecret> = self.listed.iter().skip(at / 2 * size).take(size).cloned().collect();
        let more = at / 2 * size + secrets.len() < self.listed.len();
        Ok(ListPage { secrets, next_token: more.then(|| (at + 1).to_string()) })
    }

    async fn describe(&self, name: &SecretName) -> Result<Option<LiveSecret>, ServiceError> {
        self.log(format!("DescribeSecret {name}"));
        let found = self.described.iter().find(|secret| secret.name == *name).cloned();
        Ok(found.map(|secret| LiveSecret { seen: Seen::Described, ..secret }))
    }

    fn service_time(&self) -> Option<jiff::Timestamp> {
        None
    }

    async fn policy_names(&self, _: &SecretName) -> Result<Option<Vec<String>>, ServiceError> {
        unreachable!("the names of policies are not listed here")
    }

    async fn validate_policy(&self, _: Option<&str>, policy: &str) -> PolicyVerdict {
        unreachable!("nobody asked to validate {policy}")
    }

    async fn describe_in_region(&self, region: &Region, name: &SecretName) -> Result<Option<LiveSecret>, ServiceError> {
        unreachable!("nothing here overwrites a replica: {name} in {region}")
    }

    async fn policy(&self, name: &SecretName) -> Result<Option<LivePolicy>, ServiceError> {
        self.log(format!("GetResourcePolicy {name}"));
        Ok(Some(LivePolicy::None))
    }

    async fn versions(&self, name: &SecretName) -> Result<Option<Vec<VersionEntry>>, ServiceError> {
        self.log(format!("ListSecretVersionIds {name}"));
        Ok(None)
    }

    async fn value(&self, name: &SecretName, version_id: &VersionId) -> Result<Option<SecretValue>, ServiceError> {
        unreachable!("nobody asked for {version_id} of {name}")
    }

    async fn values(
        &self,
        _: &[SecretName],
    ) -> Result<BTreeMap<SecretName, Result<LiveValue, ServiceError>>, ServiceError> {
        self.log("BatchGetSecretValue".to_owned());
        Ok(BTreeMap::new())
    }
}

fn plan(service: &Service, desired: &Desired, selection: Selection) -> Result<TargetPlan, PlanError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let rules = Rules { selection, as_of: None };
    let (reading, counterparts) = (Reading::default(), Counterparts::new());
    let planning =
        Planning { rules: &rules, values: &support::NoValues, reading, counterparts: &counterparts, progress: &|_| {} };
    runtime.block_on(plan_target(service, desired, None, &planning))
}

#[test]
fn unchanged_secrets_cost_pages_and_nothing_else() {
    let live: Vec<_> = (0..7).map(|index| secret(&format!("dev/a/{index}"), "Same")).collect();
    let service = Service { listed: live.clone(), described: live, page: 3, ..Service::default() };
    let names: Vec<String> = (0..7).map(|index| format!("dev/a/{index}")).collect();
    let desired_secrets: Vec<_> =
        names.iter().map(|name| (name.as_str(), "{ description: Same, valueExpected: false }")).collect();
    let planned = plan(&service, &desired(&desired_secrets), Selection::all()).expect("a plan");
    assert!(planned.plan.is_empty(), "{:?}", planned.plan);
    assert_eq!(planned.report.counts.unchanged, 7);
    assert_eq!(service.calls("DescribeSecret"), 0);
    assert_eq!(service.calls("GetResourcePolicy"), 0, "no manifest declares a policy");
    // Three full pages and the empty ones between them, once for each of the two prefixes; and one for what is owned
    // outside of them.
    assert_eq!(service.calls("ListSecrets"), 2 * 5 + 1);
}

#[test]
fn policies_are_read_only_where_one_is_declared() {
    let live = vec![secret("dev/a/1", "x"), secret("dev/a/2", "x")];
    let service = Service { listed: live.clone(), described: live, page: 100, ..Service::default() };
    plan(&service, &desired(&[("dev/a/1", "{ policy: null }"), ("dev/a/2", "{}")]), Selection::all()).expect("a plan");
    assert_eq!(service.calls("GetResourcePolicy"), 1);
}

#[test]
fn a_list_that_lags_makes_no_change() {
    let service = Service {
        listed: vec![secret("dev/a/stale", "Before"), secret("dev/a/gone", "x")],
        described: vec![secret("dev/a/stale", "After"), secret("dev/a/new", "Made a minute ago")],
        page: 100,
        ..Service::default()
    };
    let desired_secrets = [
        ("dev/a/stale", "{ description: After, valueExpected: false }"),
        ("dev/a/new", "{ description: Made a minute ago, valueExpected: false }"),
    ];
    let planned = plan(&service, &desired(&desired_secrets), Selection::all()).expect("a plan");
    assert!(planned.plan.is_empty(), "{:?}", planned.plan);
    assert_eq!(planned.report.counts.unchanged, 2);
}

#[test]
fn a_listed_secret_that_is_gone_is_created_and_not_changed() {
    let service = Service { listed: vec![secret("dev/a/gone", "Before")], page: 100, ..Service::default() };
    let planned =
        plan(&service, &desired(&[("dev/a/gone", "{ description: After }")]), Selection::all()).expect("a plan");
    assert_eq!(planned.plan.secrets.len(), 1);
    assert_eq!(planned.plan.secrets[0].verb, Verb::Create);
}

#[test]
fn what_the_list_shows_outside_the_scope_is_not_looked_at() {
    let service =
        Service { listed: vec![secret("dev/c/theirs", "x"), secret("other", "x")], page: 100, ..Service::default() };
    let planned = plan(&service, &desired(&[]), Selection::all()).expect("a plan");
    assert!(planned.plan.is_empty(), "prune is delete, and the owner tag is ours: only the scope saves them");
    let found = &planned.report.findings;
    assert!(found.iter().all(|finding| matches!(finding.kind, FindingKind::OwnedOutsideScope { .. })), "{found:?}");
    assert_eq!(found.len(), 2, "they are reported, and no more");
}

#[test]
fn plain_names_are_described_and_never_listed() {
    let live = vec![secret("dev/a/1", "x"), secret("dev/a/2", "x")];
    let service = Service { listed: live.clone(), described: live, ..Service::default() };
    let selection = Selection::matching(&["dev/a/1".to_owned()]).expect("a glob");
    plan(&service, &desired(&[("dev/a/1", "{}"), ("dev/a/2", "{}")]), selection).expect("a plan");
    assert_eq!(service.calls("ListSecrets"), 0);
    assert_eq!(service.calls("DescribeSecret"), 1);
}

#[test]
fn a_list_without_an_end_is_an_error_and_no_endless_loop() {
    let same: fn(usize) -> String = |_| "again".to_owned();
    let ever_new: fn(usize) -> String = |page| format!("token {page}");
    for (token, why) in [(same, "the same NextToken came twice"), (ever_new, "more than 10000 pages came")] {
        let service = Service { endless: Some(token), ..Service::default() };
        let error = plan(&service, &desired(&[("dev/a/1", "{}")]), Selection::all()).expect_err("the list has no end");
        let PlanError::Service(error) = error else { panic!("{error:?}") };
        assert_eq!((error.operation, error.kind), ("ListSecrets", ServiceErrorKind::Service));
        assert_eq!(error.message, format!("{why}: the list has no end"));
    }
}

#[test]
fn services_and_replicas_are_nobodys_orphans_and_no_manifest_may_name_them() {
    let mut managed = secret("dev/a/managed", "x");
    managed.owning_service = Some("rds".to_owned());
    let mut replica = secret("dev/b/replica", "x");
    replica.primary_region = Some(Region::of_service("us-east-1"));
    let service = Service {
        listed: vec![managed.clone(), replica.clone()],
        described: vec![managed, replica],
        page: 100,
        ..Service::default()
    };

    let planned = plan(&service, &desired(&[]), Selection::all()).expect("a plan");
    assert!(planned.plan.is_empty() && planned.report.findings.is_empty(), "prune leaves them alone");

    let planned =
        plan(&service, &desired(&[("dev/a/managed", "{}"), ("dev/b/replica", "{ description: y }")]), Selection::all());
    let planned = planned.expect("a plan");
    assert!(planned.plan.is_empty());
    let kinds: Vec<_> = planned.report.findings.iter().map(|finding| &finding.kind).collect();
    assert!(matches!(kinds[0], FindingKind::OwnedByService { service } if service == "rds"), "{kinds:?}");
    assert!(matches!(kinds[1], FindingKind::Replica { primary_region } if *primary_region == "us-east-1"), "{kinds:?}");
    assert!(planned.report.has_blockers());
}

#[test]
fn adopting_from_a_cloudformation_stack_is_a_guard_of_its_own() {
    let mut of_a_stack = secret("dev/a/1", "x");
    of_a_stack.tags = BTreeMap::from([(TagKey::of_service("aws:cloudformation:stack-name"), "shop".to_owned())]);
    let service =
        Service { listed: vec![of_a_stack.clone()], described: vec![of_a_stack], page: 100, ..Service::default() };
    let desired = desired(&[("dev/a/1", "{}")]);
    let planned = plan(&service, &desired, Selection::all()).expect("a plan");
    assert_eq!(planned.plan.secrets[0].verb, Verb::Adopt);
    let refused = |overrides: &GuardOverrides| {
        let TargetPlan { plan, report, live, facts: _ } = &planned;
        RunGuards {
            targets: vec![GuardedTarget { desired: &desired, live, plan, report }],
            beside: Vec::new(),
            unread: &[],
            overrides,
        }
        .refusals()
    };
    let names = |refusals: Vec<Vec<Refusal>>| -> Vec<_> {
        refusals.into_iter().flatten().map(|refusal| refusal.guard.name).collect()
    };
    assert_eq!(names(refused(&GuardOverrides::default())), ["adopt-cloudformation"]);
    let flag = flags().find(|flag| flag.name == "allow-adopt-cloudformation").expect("its flag");
    let overridden = GuardOverrides::default().with(flag, None);
    assert!(names(refused(&overridden)).is_empty());
}
