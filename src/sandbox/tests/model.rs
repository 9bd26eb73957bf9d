//! A model of versions and labels, as small as the documentation's sentences, and random operations on both it and the
//! sandbox: they must agree after each.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

pub(super) const LABELS: [&str; 5] = ["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS", "BLUE", "GREEN"];

#[derive(Clone, Debug)]
enum Step {
    Create { token: u32, value: Option<u8> },
    Put { token: u32, value: u8, labels: Option<BTreeSet<usize>> },
    Update { token: u32, value: Option<u8> },
    Move { label: usize, from: Option<u32>, to: Option<u32> },
    Delete { force: bool },
    Restore,
    Days(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let token = || 1..7_u32;
    let version = || prop::option::of(1..7_u32);
    prop_oneof![
        2 => (token(), prop::option::of(0..3_u8)).prop_map(|(token, value)| Step::Create { token, value }),
        6 => (token(), 0..3_u8, prop::option::of(prop::collection::btree_set(0..LABELS.len(), 1..4)))
            .prop_map(|(token, value, labels)| Step::Put { token, value, labels }),
        2 => (token(), prop::option::of(0..3_u8)).prop_map(|(token, value)| Step::Update { token, value }),
        6 => (0..LABELS.len(), version(), version()).prop_map(|(label, from, to)| Step::Move { label, from, to }),
        1 => any::<bool>().prop_map(|force| Step::Delete { force }),
        1 => Just(Step::Restore),
        1 => (1..20_i64).prop_map(Step::Days),
    ]
}

/// A version: its value, and the labels that it carries.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Version {
    pub(super) value: u8,
    pub(super) labels: BTreeSet<&'static str>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Secret {
    pub(super) versions: BTreeMap<u32, Version>,
    /// The days that are left until it is gone.
    deletion: Option<i64>,
}

impl Secret {
    fn holder(&self, label: &str) -> Option<u32> {
        self.versions.iter().find(|(_, version)| version.labels.contains(label)).map(|(token, _)| *token)
    }

    fn take_off(&mut self, label: &'static str) {
        for version in self.versions.values_mut() {
            version.labels.remove(label);
        }
    }

    fn attach(&mut self, label: &'static str, token: u32) {
        let former = self.holder(label);
        self.take_off(label);
        self.versions.get_mut(&token).unwrap().labels.insert(label);
        if label == "AWSCURRENT"
            && let Some(former) = former.filter(|former| *former != token)
        {
            self.attach("AWSPREVIOUS", former);
        }
    }

    pub(super) fn put(&mut self, token: u32, value: u8, labels: &[&'static str]) -> Result<(), &'static str> {
        match self.versions.get(&token) {
            Some(version) if version.value == value => return Ok(()),
            Some(_) => return Err("ResourceExistsException"),
            None => {}
        }
        let current = self.versions.values().all(|version| version.labels.is_empty()) || labels.contains(&"AWSCURRENT");
        self.versions.insert(token, Version { value, labels: BTreeSet::new() });
        if current {
            self.take_off("AWSPENDING");
        }
        for label in labels.iter().filter(|label| **label != "AWSCURRENT") {
            self.attach(label, token);
        }
        if current {
            self.attach("AWSCURRENT", token);
        }
        Ok(())
    }

    pub(super) fn shift(
        &mut self,
        label: &'static str,
        from: Option<u32>,
        to: Option<u32>,
    ) -> Result<(), &'static str> {
        if [from, to].into_iter().flatten().any(|token| !self.versions.contains_key(&token)) {
            return Err("ResourceNotFoundException");
        }
        let holder = self.holder(label);
        let allowed = match (from, to) {
            (_, None) if label == "AWSCURRENT" => false,
            (None, None) => false,
            (None, to) => holder.is_none() || holder == to,
            (from, _) => holder == from,
        };
        if !allowed {
            return Err("InvalidParameterException");
        }
        match to {
            Some(to) => self.attach(label, to),
            None => self.take_off(label),
        }
        Ok(())
    }
}

#[derive(Clone, Debug, Default)]
struct Model(Option<Secret>);

impl Model {
    /// The secret, where a step needs one that is not scheduled for deletion.
    fn live(&mut self) -> Result<&mut Secret, &'static str> {
        match &mut self.0 {
            None => Err("ResourceNotFoundException"),
            Some(Secret { deletion: Some(_), .. }) => Err("InvalidRequestException"),
            Some(secret) => Ok(secret),
        }
    }

    fn take(&mut self, step: &Step) -> Result<(), &'static str> {
        match step {
            Step::Create { token, value } => match (&mut self.0, value) {
                (Some(Secret { deletion: Some(_), .. }), _) => Err("InvalidRequestException"),
                (Some(secret), Some(value)) if secret.versions.get(token).is_some_and(|one| one.value == *value) => {
                    Ok(())
                }
                (Some(_), _) => Err("ResourceExistsException"),
                (None, value) => {
                    let secret = self.0.insert(Secret::default());
                    value.map_or(Ok(()), |value| secret.put(*token, value, &["AWSCURRENT"]))
                }
            },
            Step::Put { token, value, labels } => self.live()?.put(*token, *value, &named(labels.as_ref())),
            Step::Update { token, value } => {
                let secret = self.live()?;
                value.map_or(Ok(()), |value| secret.put(*token, value, &["AWSCURRENT"]))
            }
            Step::Move { label, from, to } => self.live()?.shift(LABELS[*label], *from, *to),
            Step::Delete { force: true } => {
                self.0 = None;
                Ok(())
            }
            Step::Delete { force: false } => {
                self.live()?.deletion = Some(30);
                Ok(())
            }
            Step::Restore => {
                self.0.as_mut().ok_or("ResourceNotFoundException")?.deletion = None;
                Ok(())
            }
            Step::Days(days) => {
                if let Some(Secret { deletion: Some(left), .. }) = &mut self.0 {
                    *left -= days;
                    if *left <= 0 {
                        self.0 = None;
                    }
                }
                Ok(())
            }
        }
    }
}

fn named(labels: Option<&BTreeSet<usize>>) -> Vec<&'static str> {
    labels.map_or_else(|| vec!["AWSCURRENT"], |labels| labels.iter().map(|label| LABELS[*label]).collect())
}

fn request(step: &Step) -> (&'static str, Value) {
    let value = |value: &u8| Value::from(format!("value {value}"));
    match step {
        Step::Create { token: number, value: given } => {
            let mut input = json!({"Name": "a", "ClientRequestToken": token(*number)});
            if let Some(given) = given {
                input["SecretString"] = value(given);
            }
            ("CreateSecret", input)
        }
        Step::Put { token: number, value: given, labels } => {
            let mut input =
                json!({"SecretId": "a", "ClientRequestToken": token(*number), "SecretString": value(given)});
            if labels.is_some() {
                input["VersionStages"] = json!(named(labels.as_ref()));
            }
            ("PutSecretValue", input)
        }
        Step::Update { token: number, value: given } => {
            let mut input = json!({"SecretId": "a", "ClientRequestToken": token(*number)});
            if let Some(given) = given {
                input["SecretString"] = value(given);
            }
            ("UpdateSecret", input)
        }
        Step::Move { label, from, to } => {
            let mut input = json!({"SecretId": "a", "VersionStage": LABELS[*label]});
            if let Some(from) = from {
                input["RemoveFromVersionId"] = token(*from).into();
            }
            if let Some(to) = to {
                input["MoveToVersionId"] = token(*to).into();
            }
            ("UpdateSecretVersionStage", input)
        }
        Step::Delete { force } => ("DeleteSecret", json!({"SecretId": "a", "ForceDeleteWithoutRecovery": force})),
        Step::Restore => ("RestoreSecret", json!({"SecretId": "a"})),
        Step::Days(_) => unreachable!("no request"),
    }
}

/// What a client can see of the secret.
fn compare(client: &Client, model: &Model) -> Result<(), TestCaseError> {
    let Some(secret) = &model.0 else {
        prop_assert_eq!(client.refused("DescribeSecret", json!({"SecretId": "a"})), not_found());
        return Ok(());
    };
    let labelled: BTreeMap<String, Vec<&str>> = secret
        .versions
        .iter()
        .filter(|(_, version)| !version.labels.is_empty())
        .map(|(number, version)| (token(*number), version.labels.iter().copied().collect()))
        .collect();
    let described = client.describe("a");
    let shown = described.get("VersionIdsToStages").cloned().unwrap_or_else(|| json!({}));
    prop_assert_eq!(shown, json!(labelled));
    prop_assert_eq!(described.get("DeletedDate").is_some(), secret.deletion.is_some());
    if secret.deletion.is_none() {
        for (number, version) in &secret.versions {
            let got = client.ok("GetSecretValue", json!({"SecretId": "a", "VersionId": token(*number)}));
            prop_assert_eq!(&got["SecretString"], &json!(format!("value {}", version.value)));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_sandbox_agrees_with_the_model(steps in prop::collection::vec(step(), 1..40)) {
        let client = Client::new();
        let mut model = Model::default();
        for step in &steps {
            let expected = model.take(step);
            if let Step::Days(days) = step {
                client.advance(days * 24);
            } else {
                let (operation, input) = request(step);
                let response = client.send(operation, &input);
                let outcome = if response.status() == 200 { Ok(()) } else { Err(refusal(&response).code) };
                prop_assert_eq!(outcome, expected.map_err(str::to_owned), "{:?}", step);
            }
            compare(&client, &model)?;
        }
    }
}
