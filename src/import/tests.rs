//! What is live and nothing that a manifest may say: it is left out, and the manifest says so.

#![expect(clippy::expect_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobSet;

use super::{ImportField, ImportTarget, Importable, ImportedFile, Layout, import, shared_tags};
use crate::desired::{Deletion, TagPatterns};
use crate::domain::{AccountId, Arn, KmsKey, Partition, Region, SecretName, TagKey};
use crate::live::{
    CrossAccount, LinkStatus, LinkedPrimary, LinkedReplica, LivePolicy, LiveReplica, LiveRotation, LiveSecret,
    ReplicaStatus, Seen,
};
use crate::manifest::{DefaultFields, Outline, ScopePrefix, TargetOutline};
use crate::policy::PolicyDocument;

fn live(name: &str) -> LiveSecret {
    LiveSecret { policy: LivePolicy::None, seen: Seen::Described, ..LiveSecret::bare(name) }
}

fn files_of(secrets: Vec<LiveSecret>, deletion: Option<Deletion>) -> Vec<ImportedFile> {
    files_beside(secrets, deletion, &|_| false, &|_| false)
}

fn files_beside(
    secrets: Vec<LiveSecret>,
    deletion: Option<Deletion>,
    taken: &dyn Fn(&str) -> bool,
    settled: &dyn Fn(&str) -> bool,
) -> Vec<ImportedFile> {
    let secrets: Vec<Importable> = secrets.into_iter().map(|secret| Importable { secret, deletion }).collect();
    let target = TargetOutline {
        name: "dev".to_owned(),
        prefixes: vec![
            ScopePrefix { written: "${env}/".to_owned(), filled: "dev/".to_owned() },
            ScopePrefix { written: "${env}/${team}/".to_owned(), filled: "dev/shop/".to_owned() },
        ],
        ..TargetOutline::default()
    };
    let outline = Outline { manifests: None, targets: vec![target.clone()] };
    import(&[ImportTarget {
        secrets: &secrets,
        layout: Layout {
            folder: "secrets",
            schema: false,
            outline: &outline,
            target: &target,
            expanded: false,
            fields: None,
            ignore_tags: &TagPatterns::new(GlobSet::empty()),
            from_state: false,
            account: Some(&AccountId::of_service("111111111111")),
            region: &Region::of_service("eu-west-1"),
            accounts: &BTreeMap::new(),
            taken,
            settled,
        },
    }])
}

/// The document of one secret, without the head of its file.
fn text_of(secret: LiveSecret) -> String {
    let file = files_of(vec![secret], None).remove(0);
    file.text.split_once("\n\n").expect("a head").1.to_owned()
}

#[test]
fn what_a_manifest_may_not_say_is_left_out_and_told() {
    let mut secret = live("dev/a");
    secret.description = Some("d".repeat(2_049));
    secret.kms_key_id = Some(KmsKey::of_service("nonsense"));
    secret.tags =
        BTreeMap::from([(TagKey::of_service("fine"), "1".to_owned()), (TagKey::of_service("not;fine"), String::new())]);
    secret.policy = LivePolicy::Unparsable("[]".to_owned());
    secret.rotation = LiveRotation { enabled: true, every_days: Some(30), ..LiveRotation::default() };
    let failed = ReplicaStatus::Failed { message: "no key\n# evil".to_owned() };
    secret.replicas =
        BTreeMap::from([(Region::of_service("us-east-1"), LiveReplica { kms_key_id: None, status: failed })]);
    assert_eq!(
        text_of(secret),
        "# Not managed: the value, since rotation owns it.
# Not managed: description, since it is longer than a manifest may say.
# Not managed: kmsKeyId, since it is nothing that a manifest may name.
# Not managed: 1 of the tags, since manifests may not name them.
# Not managed: policy, since it is not a JSON object.
# Not managed: rotation, since it holds something that manifests may not say.
# Not managed: replicas, since one of them could not be made: see to it, then declare them here.
apiVersion: keywright/v1
kind: Secret
metadata:
  name: ${env}/a
  targets:
    - dev
spec:
  tags:
    fine: \"1\"
  tagMode: additive
"
    );
}

#[test]
fn a_policy_that_is_unknown_is_left_out() {
    let mut secret = live("dev/a");
    let text = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "x:y", "Resource": "*", "News": 1}]}"#;
    secret.policy =
        LivePolicy::Document(PolicyDocument::parse_lenient(text, &Partition::default()).expect("an object"));
    assert!(text_of(secret).contains("# Not managed: policy, since it holds something that keywright does not know."));
}

#[test]
fn the_longest_prefix_gives_its_variables() {
    assert!(text_of(live("dev/shop/db")).contains("  name: ${env}/${team}/db\n"));
    assert!(text_of(live("dev/shopping/db")).contains("  name: ${env}/shopping/db\n"));
    assert!(text_of(live("elsewhere")).contains("  name: elsewhere\n"));
}

#[test]
fn a_rotation_by_a_partner_is_written_whole() {
    let mut secret = live("dev/a");
    secret.secret_type = Some("SalesforceClientSecret".to_owned());
    secret.rotation = LiveRotation {
        enabled: true,
        every_days: Some(30),
        external_role_arn: Some(Arn::of_service("arn:aws:iam::111111111111:role/rotate")),
        external_metadata: BTreeMap::from([("admin".to_owned(), "${x}".to_owned())]),
        ..LiveRotation::default()
    };
    let text = text_of(secret.clone());
    let rotation = "  type: SalesforceClientSecret
  rotation:
    externalRotation:
      roleArn: arn:aws:iam::111111111111:role/rotate
      metadata:
        admin: $${x}
    everyDays: 30
";
    assert!(text.ends_with(rotation), "{text}");
    secret.secret_type = None;
    assert!(
        text_of(secret).contains("# Not managed: rotation, since a partner rotates the secret, and it has no type.")
    );
}

#[test]
fn a_stack_is_told() {
    let mut secret = live("dev/a");
    secret.tags = BTreeMap::from([(TagKey::of_service("aws:cloudformation:stack-name"), "s".to_owned())]);
    let text = text_of(secret);
    assert!(text.contains("# A CloudFormation stack manages it") && !text.contains("tags:"), "{text}");
}

#[test]
fn windows_come_from_terraform_and_force_does_not() {
    let text = |deletion| files_of(vec![live("dev/a")], Some(deletion)).remove(0).text;
    assert!(text(Deletion::Window(7)).contains("  deletion:\n    recoveryWindowDays: 7\n"));
    assert!(!text(Deletion::Window(30)).contains("deletion:"));
    let forced = text(Deletion::Force);
    assert!(forced.contains("# Terraform would delete it at once") && !forced.contains("deletion:"), "{forced}");
}

#[test]
fn large_folders_are_split_and_nothing_is_lost() {
    let one = |number: usize| LiveSecret {
        description: Some(format!("no. {}", number * 7 % 95)),
        ..live(&format!("dev/many/{number:03}"))
    };
    let many = (0..95).map(one).chain([live("dev/one")]).collect();
    let files = files_of(many, None);
    let sizes: Vec<(&str, usize)> = files.iter().map(|file| (file.path.as_str(), file.secrets.len())).collect();
    assert_eq!(
        sizes,
        [
            ("secrets/dev.yaml", 1),
            ("secrets/dev/many.yaml", 40),
            ("secrets/dev/many-2.yaml", 40),
            ("secrets/dev/many-3.yaml", 15),
        ]
    );
    let names: BTreeSet<&SecretName> = files.iter().flat_map(|file| &file.secrets).collect();
    assert_eq!(names.len(), 96);

    // Long descriptions fill a file sooner.
    let long = |number: usize| LiveSecret {
        description: Some(format!("{number}{}", "é".repeat(2_000))),
        ..live(&format!("dev/a/{number}"))
    };
    assert!(files_of((0..40).map(long).collect(), None).iter().all(|file| file.text.len() < 300 * 1024));
}

#[test]
fn tags_are_shared_by_three_or_more() {
    let secret = |tags: &[(&str, &str)]| {
        let tags = tags.iter().map(|(key, value)| (TagKey::of_service(*key), (*value).to_owned())).collect();
        Importable { secret: LiveSecret { tags, ..live("dev/a") }, deletion: None }
    };
    let none = TagPatterns::new(GlobSet::empty());
    let a = secret(&[("team", "shop"), ("tier", "1"), ("aws:x", "y"), ("keywright:protect", "true")]);
    let b = secret(&[("team", "shop"), ("tier", "2"), ("aws:x", "y"), ("keywright:protect", "true")]);
    assert!(shared_tags(&[a.clone(), b.clone()], &none).is_empty(), "two are no pattern");
    let shared = shared_tags(&[a.clone(), b, a], &none);
    assert_eq!(shared, BTreeMap::from([(TagKey::of_service("team"), "shop".to_owned())]));
}

fn tagged(name: &str, description: &str, tags: &[(&str, &str)]) -> LiveSecret {
    let tags = tags.iter().map(|(key, value)| (TagKey::of_service(*key), (*value).to_owned())).collect();
    LiveSecret { description: Some(description.to_owned()), tags, ..live(name) }
}

#[test]
fn what_a_folder_has_in_common_is_said_once_where_nobody_wrote_anything() {
    let secrets = || {
        vec![
            tagged("dev/a/all/x", "1", &[("team", "a"), ("tier", "1")]),
            tagged("dev/a/all/y", "2", &[("team", "a"), ("tier", "1")]),
            tagged("dev/a/all/z", "3", &[("team", "a"), ("tier", "1"), ("own", "z")]),
            tagged("dev/b/y", "4", &[("team", "a")]),
        ]
    };
    let defaults = |files: &[ImportedFile]| -> Vec<(String, String)> {
        let text = |file: &ImportedFile| file.text.split_once("\n\n").expect("a head").1.to_owned();
        let defaults = files.iter().filter(|file| file.text.contains("kind: Defaults"));
        defaults.map(|file| (file.path.clone(), text(file))).collect()
    };
    let files = files_of(secrets(), None);
    let document = |tag: &str| format!("apiVersion: keywright/v1\nkind: Defaults\nspec:\n  tags:\n    {tag}\n");
    let (all, of_a) = (document("team: a"), document("tier: \"1\""));
    assert_eq!(
        defaults(&files),
        [("secrets/dev/defaults.yaml".to_owned(), all), ("secrets/dev/a/defaults.yaml".to_owned(), of_a),]
    );
    let tags: Vec<&str> =
        files.iter().flat_map(|file| file.text.lines()).filter(|line| line.contains("own: ")).collect();
    assert_eq!(tags, ["    own: z"]);

    // In a folder with manifests, they would change what these mean.
    let settled = |folder: &str| folder == "secrets" || folder == "secrets/dev";
    let files = files_beside(secrets(), None, &|path| path == "secrets/dev/a/defaults.yaml", &settled);
    let both = document("team: a\n    tier: \"1\"");
    assert_eq!(defaults(&files), [("secrets/dev/a/defaults-2.yaml".to_owned(), both)]);
    assert!(defaults(&files_beside(secrets(), None, &|_| false, &|_| true)).is_empty());
}

#[test]
fn no_file_is_named_twice() {
    let secrets = vec![live("a/x"), live("A/y"), live("b/z")];
    let files = files_beside(secrets, None, &|path| path == "secrets/a.yaml", &|_| true);
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["secrets/A.yaml", "secrets/a-2.yaml", "secrets/b.yaml"]);
}

#[test]
fn a_key_that_lies_beneath_in_one_target_alone_is_written() {
    let key = KmsKey::of_service("alias/app");
    let keyed = Importable { secret: LiveSecret { kms_key_id: Some(key), ..live("app/db") }, deletion: None };
    let secrets = [keyed];
    let target = |name: &str, kms_key: Option<&str>| {
        let fields = kms_key.iter().map(|_| "kmsKeyId".to_owned()).collect();
        let beneath = DefaultFields { fields, kms_key: kms_key.map(str::to_owned), ..DefaultFields::default() };
        let defaults = BTreeMap::from([("secrets".into(), beneath)]);
        TargetOutline { name: name.to_owned(), defaults, ..TargetOutline::default() }
    };
    let text = |prod: Option<&str>| {
        let outline =
            Outline { manifests: None, targets: vec![target("dev", Some("alias/app")), target("prod", prod)] };
        let (none, region) = (TagPatterns::new(GlobSet::empty()), Region::of_service("eu-west-1"));
        let accounts = BTreeMap::new();
        let layout = |target| Layout {
            folder: "secrets",
            schema: false,
            outline: &outline,
            target,
            expanded: false,
            fields: None,
            ignore_tags: &none,
            from_state: false,
            account: None,
            region: &region,
            accounts: &accounts,
            taken: &|_| false,
            settled: &|_| true,
        };
        let targets: Vec<ImportTarget<'_>> =
            outline.targets.iter().map(|target| ImportTarget { secrets: &secrets, layout: layout(target) }).collect();
        import(&targets).remove(0).text
    };
    assert!(!text(Some("alias/app")).contains("kmsKeyId"), "{}", text(Some("alias/app")));
    for prod in [None, Some("alias/other")] {
        assert!(text(prod).ends_with("spec:\n  kmsKeyId: alias/app\n"), "{}", text(prod));
    }
}

const PROD: &str = "111111111111";
const DATA: &str = "222222222222";

/// A project of three targets, the last of them in an account that nobody knows, and what their secrets become.
fn linked(prod: Vec<LiveSecret>, data: Vec<LiveSecret>, beneath: &[&str], fields: Option<&[ImportField]>) -> String {
    let place = |name: &str, account: Option<&str>| TargetOutline {
        name: name.to_owned(),
        account: account.map(str::to_owned),
        region: "eu-west-1".to_owned(),
        prefixes: vec![ScopePrefix { written: "shared/".to_owned(), filled: "shared/".to_owned() }],
        defaults: BTreeMap::from([(
            "secrets".into(),
            DefaultFields {
                fields: beneath.iter().map(|field| (*field).to_owned()).collect(),
                ..DefaultFields::default()
            },
        )]),
        ..TargetOutline::default()
    };
    let targets = vec![place("other", None), place("prod", Some(PROD)), place("data", Some(DATA))];
    let outline = Outline { manifests: None, targets };
    let accounts = [("prod", PROD), ("data", DATA)];
    let accounts: BTreeMap<String, AccountId> =
        accounts.map(|(name, account)| (name.to_owned(), AccountId::of_service(account))).into();
    let (none, region) = (TagPatterns::new(GlobSet::empty()), Region::of_service("eu-west-1"));
    let fields: Option<BTreeSet<ImportField>> = fields.map(|fields| fields.iter().copied().collect());
    let importable = |secrets: Vec<LiveSecret>| -> Vec<Importable> {
        secrets.into_iter().map(|secret| Importable { secret, deletion: None }).collect()
    };
    let secrets = [("prod", importable(prod)), ("data", importable(data))];
    let layout = |target: &str| Layout {
        folder: "secrets",
        schema: false,
        outline: &outline,
        target: outline.targets.iter().find(|outline| outline.name == target).expect("a target"),
        expanded: false,
        fields: fields.as_ref(),
        ignore_tags: &none,
        from_state: false,
        account: accounts.get(target),
        region: &region,
        accounts: &accounts,
        taken: &|_| false,
        settled: &|_| true,
    };
    let targets: Vec<ImportTarget<'_>> =
        secrets.iter().map(|(target, secrets)| ImportTarget { secrets, layout: layout(target) }).collect();
    let files = import(&targets);
    files.iter().map(|file| file.text.split_once("\n\n").expect("a head").1).collect::<Vec<_>>().join("---\n")
}

fn arn(account: &str, name: &str) -> Arn {
    Arn::of_service(format!("arn:aws:secretsmanager:eu-west-1:{account}:secret:{name}-AbCdEf"))
}

fn primary_of(name: &str, replicas: &[(Arn, LinkStatus)]) -> LiveSecret {
    let linked = |status: &LinkStatus| LinkedReplica { role: None, status: status.clone() };
    let replicas = replicas.iter().map(|(arn, status)| (arn.clone(), linked(status))).collect();
    LiveSecret { cross_account: CrossAccount { primary: None, replicas }, ..live(name) }
}

fn replica_of(name: &str, primary: Arn, status: LinkStatus) -> LiveSecret {
    let primary = Some(LinkedPrimary { arn: primary, status });
    LiveSecret {
        kms_key_id: Some(KmsKey::of_service("alias/data")),
        cross_account: CrossAccount { primary, replicas: BTreeMap::new() },
        ..live(name)
    }
}

#[test]
fn a_primary_and_its_replica_are_two_manifests_that_name_each_other() {
    let primary = primary_of("shared/a", &[(arn(DATA, "shared/a"), LinkStatus::InSync)]);
    let replica = replica_of("shared/a", arn(PROD, "shared/a"), LinkStatus::InSync);
    let text = linked(vec![primary], vec![replica], &["description", "rotation", "value", "crossAccountReplica"], None);
    let (of_primary, of_replica) = text.split_once("---\n").expect("two documents");
    assert!(of_primary.contains("# The restriction of its replica cannot be read back"), "{of_primary}");
    let declared = "crossAccountReplica:\n        secret:\n          target: data\n          name: shared/a\n";
    assert!(of_primary.contains(declared) && of_primary.contains("        - crossAccountReplica\n"), "{of_primary}");
    let declared = "  kmsKeyId: alias/data\n  crossAccountPrimary:\n    target: prod\n    name: shared/a\n";
    assert!(of_replica.contains("the value, since its primary gives it"), "{of_replica}");
    assert!(of_replica.contains(declared), "{of_replica}");
    let unset = "unset:\n        - value\n        - description\n        - rotation\n        - crossAccountReplica\n";
    assert!(of_replica.contains(unset) && !of_replica.contains("null"), "{of_replica}");
}

#[test]
fn a_secret_that_no_target_has_is_named_by_its_arn() {
    for (account, name) in [("333333333333", "shared/a"), (DATA, "other/a")] {
        let text =
            linked(vec![primary_of("shared/a", &[(arn(account, name), LinkStatus::InSync)])], Vec::new(), &[], None);
        let secret = format!("    secret:\n      arn: {}\n", arn(account, name).as_str());
        assert!(text.contains(&secret), "{text}");
        let text = linked(vec![replica_of("shared/a", arn(account, name), LinkStatus::Pending)], Vec::new(), &[], None);
        assert!(
            text.contains(&format!("  crossAccountPrimary:\n    arn: {}\n", arn(account, name).as_str())),
            "{text}"
        );
    }
}

#[test]
fn a_link_that_a_plan_would_change_is_left_out_and_told() {
    let there = || arn(DATA, "shared/a");
    let failed = LinkStatus::Failed { message: "no key".to_owned() };
    let cases = [
        (vec![(there(), failed)], "the value could not be copied"),
        (vec![(there(), LinkStatus::Detached)], "the replica's owner has ended it"),
        (vec![(there(), LinkStatus::InSync), (arn(DATA, "shared/b"), LinkStatus::Detached)], "there are several"),
        (vec![(arn(PROD, "shared/b"), LinkStatus::InSync)], "it holds something that manifests may not say"),
    ];
    for (replicas, why) in cases {
        let text = linked(vec![primary_of("shared/a", &replicas)], Vec::new(), &[], None);
        assert!(text.contains(&format!("# Not managed: crossAccountReplica, since {why}")), "{text}");
        assert!(!text.contains("spec:"), "{text}");
    }
    let ended = replica_of("shared/a", arn(PROD, "shared/a"), LinkStatus::Detached);
    let keyless = LiveSecret { kms_key_id: None, ..replica_of("shared/b", arn(PROD, "shared/a"), LinkStatus::InSync) };
    let text = linked(Vec::new(), vec![ended, keyless], &["description"], None);
    assert!(text.contains("# Not managed: crossAccountPrimary, since the primary's owner has ended it"), "{text}");
    assert!(text.contains("# Not managed: crossAccountPrimary, since a manifest of a replica names its key"), "{text}");
    assert!(!text.contains("  crossAccountPrimary:") && text.contains("        - description\n"), "{text}");
}

#[test]
fn a_role_of_the_secrets_own_account_is_written() {
    let with_role = |role: &str| {
        let linked = LinkedReplica { role: Some(Arn::of_service(role)), status: LinkStatus::InSync };
        let replicas = BTreeMap::from([(arn(DATA, "shared/a"), linked)]);
        LiveSecret { cross_account: CrossAccount { primary: None, replicas }, ..live("shared/a") }
    };
    let text = |role: &str| linked(vec![with_role(role)], Vec::new(), &[], None);
    let own = "arn:aws:iam::111111111111:role/copy";
    assert!(text(own).contains(&format!("    role: {own}\n")), "{}", text(own));
    assert!(!text("arn:aws:iam::222222222222:role/copy").contains("spec:"));
}

#[test]
fn links_are_a_field_of_their_own() {
    let primary = || primary_of("shared/a", &[(arn(DATA, "shared/a"), LinkStatus::InSync)]);
    let replica = || replica_of("shared/a", arn(PROD, "shared/a"), LinkStatus::InSync);
    let text = |field| linked(vec![primary()], vec![replica()], &["crossAccountPrimary"], Some(&[field]));
    let links = text(ImportField::CrossAccount);
    assert!(links.contains("crossAccountReplica:\n") && links.contains("  crossAccountPrimary:\n"), "{links}");
    assert!(links.contains("# Managed too: kmsKeyId") && links.contains("kmsKeyId: alias/data\n"), "{links}");
    let others = text(ImportField::Tags);
    assert!(others.contains("- crossAccountPrimary\n") && !others.contains("alias/data"), "{others}");
    assert!(!others.contains("crossAccountReplica:") && !others.contains("crossAccountPrimary:"), "{others}");
}
