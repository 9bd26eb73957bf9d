//! What somebody approves: whatever of it changes must be approved anew.

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobSet;

use super::{live, name, region};
use crate::desired::{Deletion, Restriction, RotationSetup, Rotator, TagPatterns};
use crate::domain::{AccountId, Arn, Frequency, Part, StagingLabel, TagKey, Template, VersionId};
use crate::plan::{
    Action, LabelVersion, OtherArn, Plan, PlannedLink, PlannedValue, SecretPlan, Token, Verb, fingerprint, target_lines,
};
use crate::value::{GenerateOptions, Source};

fn lines(action: Action) -> Vec<String> {
    let plan = Plan::bare(vec![SecretPlan::bare("app/db", Verb::Change, vec![action])]);
    target_lines(&plan, &live(Vec::new()), &TagPatterns::new(GlobSet::empty()))
}

/// Each of these is approved by itself.
fn are_told_apart(actions: &[Action]) {
    let fingerprints: Vec<String> = actions.iter().map(|action| fingerprint(&lines(action.clone()))).collect();
    for (at, one) in fingerprints.iter().enumerate() {
        for (other_at, other) in fingerprints.iter().enumerate().skip(at + 1) {
            assert_ne!(one, other, "{:?}\n{:?}", actions[at], actions[other_at]);
        }
    }
}

fn arn(account: &str) -> Arn {
    Arn::of_service(format!("arn:aws:secretsmanager:eu-west-1:{account}:secret:app/db-AbCdEf"))
}

#[test]
fn a_link_is_approved_with_its_account_its_restriction_and_its_role() {
    let later = |target: &str, secret: &str, account: Option<&str>| OtherArn::Later {
        target: target.to_owned(),
        name: name(secret),
        account: account.and_then(AccountId::parse),
    };
    let link = |replica, restriction, role| Action::Associate(PlannedLink { replica, restriction, role });
    let one = || later("other", "app/db", Some("222222222222"));
    are_told_apart(&[
        link(one(), Restriction::SameOrg, None),
        link(one(), Restriction::NoRestriction, None),
        link(one(), Restriction::SameOrg, Some(arn("111111111111"))),
        link(later("other", "app/db", Some("333333333333")), Restriction::SameOrg, None),
        link(later("other", "app/db", None), Restriction::SameOrg, None),
        link(later("third", "app/db", Some("222222222222")), Restriction::SameOrg, None),
        link(later("other", "app/web", Some("222222222222")), Restriction::SameOrg, None),
        link(OtherArn::Known(arn("222222222222")), Restriction::SameOrg, None),
        link(OtherArn::Known(arn("333333333333")), Restriction::SameOrg, None),
        Action::Disassociate { replica: arn("222222222222") },
        Action::Disassociate { replica: arn("333333333333") },
    ]);
}

#[test]
fn what_goes_is_approved_with_all_that_goes() {
    let keys = |keys: &[&str]| Action::Untag { keys: keys.iter().map(|key| TagKey::of_service(*key)).collect() };
    let regions = |regions: &[&str]| -> BTreeSet<_> { regions.iter().map(|name| region(name)).collect() };
    let replicate = |names: &[&str], overwrite| Action::Replicate {
        regions: regions(names).into_iter().map(|region| (region, None)).collect(),
        overwrite,
    };
    are_told_apart(&[
        Action::Delete { deletion: Deletion::Window(7) },
        Action::Delete { deletion: Deletion::Window(30) },
        Action::Delete { deletion: Deletion::Force },
        keys(&["team"]),
        keys(&["stage", "team"]),
        Action::RemoveReplicas { regions: regions(&["us-east-1"]) },
        Action::RemoveReplicas { regions: regions(&["us-west-2"]) },
        replicate(&["us-east-1"], false),
        replicate(&["us-east-1"], true),
        replicate(&["us-west-2"], true),
        Action::DeletePolicy,
        Action::CancelRotation,
    ]);
}

#[test]
fn a_rotation_is_approved_with_who_rotates_and_when() {
    let lambda =
        |name: &str| Rotator::Lambda(Arn::of_service(format!("arn:aws:lambda:eu-west-1:111111111111:function:{name}")));
    let partner = |role: Option<Arn>, metadata: &[(&str, &str)]| Rotator::External {
        role_arn: role,
        metadata: metadata.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect(),
    };
    let rotate = |rotator, frequency, immediately| Action::Rotate {
        setup: RotationSetup { rotator, frequency, duration: None },
        immediately,
    };
    let monthly = || Frequency::EveryDays(30);
    are_told_apart(&[
        rotate(lambda("one"), monthly(), false),
        rotate(lambda("two"), monthly(), false),
        rotate(lambda("one"), monthly(), true),
        rotate(lambda("one"), Frequency::EveryDays(31), false),
        rotate(lambda("one"), Frequency::of_service("rate(30 days)"), false),
        rotate(lambda("one"), Frequency::of_service("rate(4 hours)"), false),
        rotate(Rotator::OwningService, monthly(), false),
        rotate(partner(None, &[]), monthly(), false),
        rotate(partner(Some(arn("111111111111")), &[]), monthly(), false),
        rotate(partner(None, &[("user", "app")]), monthly(), false),
    ]);
}

#[test]
fn a_value_is_approved_with_its_source_its_version_and_its_labels() {
    let value = |source: Source| PlannedValue {
        source,
        token: Token::Random,
        compare_with: None,
        labels: Vec::new(),
        digest: None,
        keeps_generated_of: None,
    };
    let put = |value: PlannedValue| Action::PutValue(Box::new(value));
    let of_env = || value(Source::Env("ONE".to_owned()));
    let version = VersionId::of_service("v1");
    let defaults = GenerateOptions::default;
    let generated = |options| put(value(Source::Generate(options)));
    let reference = |to: &str| Template::new(vec![Part::Text("at ".to_owned()), Part::SecretArn(name(to))]);
    let json = |key: &str, variable: &str| {
        put(value(Source::Json(BTreeMap::from([(key.to_owned(), Source::Env(variable.to_owned()))]))))
    };
    are_told_apart(&[
        put(of_env()),
        put(value(Source::Env("TWO".to_owned()))),
        put(PlannedValue { token: Token::Id(version.clone()), ..of_env() }),
        put(PlannedValue { token: Token::KnownAfterApply, ..of_env() }),
        put(PlannedValue { compare_with: Some(version.clone()), ..of_env() }),
        put(PlannedValue { digest: Some("sha256:0".to_owned()), ..of_env() }),
        put(PlannedValue { keeps_generated_of: Some(version.clone()), ..of_env() }),
        put(value(Source::Text(reference("app/one")))),
        put(value(Source::Text(reference("app/two")))),
        json("user", "ONE"),
        json("user", "TWO"),
        json("password", "ONE"),
        generated(defaults()),
        generated(GenerateOptions { length: 33, ..defaults() }),
        generated(GenerateOptions { exclude_characters: "x".to_owned(), ..defaults() }),
        generated(GenerateOptions { exclude_numbers: !defaults().exclude_numbers, ..defaults() }),
        generated(GenerateOptions { exclude_punctuation: !defaults().exclude_punctuation, ..defaults() }),
        generated(GenerateOptions { exclude_uppercase: !defaults().exclude_uppercase, ..defaults() }),
        generated(GenerateOptions { exclude_lowercase: !defaults().exclude_lowercase, ..defaults() }),
        generated(GenerateOptions { include_space: !defaults().include_space, ..defaults() }),
    ]);
}

#[test]
fn texts_are_approved_with_the_arns_that_they_wait_for() {
    let tag = |template: Template| Action::Tag { tags: BTreeMap::from([(TagKey::of_service("at"), template)]) };
    let of = |to: &str| Part::SecretArn(name(to));
    let update = |description: Option<Template>| Action::Update { description, kms_key_id: None, secret_type: None };
    are_told_apart(&[
        tag(Template::text("")),
        tag(Template::text("one")),
        tag(Template::new(vec![of("app/one")])),
        tag(Template::new(vec![of("app/two")])),
        tag(Template::new(vec![of("app/one"), Part::Text("/".to_owned())])),
        update(None),
        update(Some(Template::text(""))),
        update(Some(Template::text("one"))),
        Action::RemoveLabel { label: StagingLabel::of_service("blue"), from: VersionId::of_service("v1") },
        Action::MoveLabel {
            label: StagingLabel::of_service("blue"),
            to: LabelVersion::JustPut,
            from: Some(VersionId::of_service("v1")),
        },
    ]);
}
