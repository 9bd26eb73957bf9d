//! A model of a primary and its replica in another account, and random operations of both owners on it and the sandbox:
//! they must agree after each. Secrets come and go, so that ARNs lead to what is not there any more.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::cross_account::{HERE, KEY, THERE};
use super::model::{LABELS, Secret};
use super::*;

const MESSAGE: &str = "Access to KMS is not allowed";

#[derive(Clone, Debug)]
enum Step {
    CreatePrimary,
    CreateReplica,
    Put {
        token: u32,
        value: u8,
    },
    Move {
        label: usize,
        from: Option<u32>,
        to: u32,
    },
    Associate,
    Disassociate,
    Promote,
    WriteReplica {
        token: u32,
        value: u8,
    },
    DeletePrimary,
    DeleteReplica,
    /// Whether copies fail from now on.
    Faults(bool),
    /// The sandbox's owner looks elsewhere for a while.
    Days(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let token = || 1..6_u32;
    prop_oneof![
        2 => Just(Step::CreatePrimary),
        2 => Just(Step::CreateReplica),
        5 => (token(), 0..3_u8).prop_map(|(token, value)| Step::Put { token, value }),
        3 => (0..LABELS.len(), prop::option::of(token()), token())
            .prop_map(|(label, from, to)| Step::Move { label, from, to }),
        4 => Just(Step::Associate),
        1 => Just(Step::Disassociate),
        1 => Just(Step::Promote),
        1 => (token(), 0..3_u8).prop_map(|(token, value)| Step::WriteReplica { token, value }),
        1 => Just(Step::DeletePrimary),
        1 => Just(Step::DeleteReplica),
        1 => any::<bool>().prop_map(Step::Faults),
        1 => (1..3_i64).prop_map(Step::Days),
    ]
}

/// The other side of a secret, by the number of its creation, with the status that is shown of it.
type Link = Option<(u32, &'static str)>;

#[derive(Clone, Debug)]
struct Side {
    /// Which creation it is of.
    number: u32,
    secret: Secret,
    link: Link,
}

#[derive(Clone, Debug, Default)]
struct Model {
    primary: Option<Side>,
    replica: Option<Side>,
    /// How many there were of each.
    primaries: u32,
    replicas: u32,
    failing: bool,
}

type Outcome = Result<(), &'static str>;

const NOT_FOUND: Outcome = Err("ResourceNotFoundException");
const REQUEST: Outcome = Err("InvalidRequestException");

impl Model {
    /// Copies the values, if both sides are linked, and the primary has others than the replica.
    fn follow(&mut self, anyway: bool) {
        let (Some(primary), Some(replica)) = (&mut self.primary, &mut self.replica) else { return };
        let linked = primary.link.is_some_and(|(number, status)| number == replica.number && status != "Detached");
        if !linked || (!anyway && primary.secret.versions == replica.secret.versions) {
            return;
        }
        let status = if self.failing { "Failed" } else { "InSync" };
        if !self.failing {
            replica.secret = primary.secret.clone();
        }
        primary.link = Some((replica.number, status));
        replica.link = Some((primary.number, status));
    }

    fn take(&mut self, step: &Step) -> Outcome {
        match step {
            Step::CreatePrimary => {
                if self.primary.is_some() {
                    return Err("ResourceExistsException");
                }
                self.primaries += 1;
                self.primary = Some(Side { number: self.primaries, secret: Secret::default(), link: None });
                Ok(())
            }
            Step::CreateReplica => {
                if self.replica.is_some() {
                    return Err("ResourceExistsException");
                }
                self.replicas += 1;
                let link = Some((self.primaries, "Pending"));
                self.replica = Some(Side { number: self.replicas, secret: Secret::default(), link });
                Ok(())
            }
            Step::Put { token, value } => {
                let Some(primary) = &mut self.primary else { return NOT_FOUND };
                let known = primary.secret.versions.contains_key(token);
                primary.secret.put(*token, *value, &["AWSCURRENT"])?;
                if !known {
                    self.follow(false);
                }
                Ok(())
            }
            Step::Move { label, from, to } => {
                let Some(primary) = &mut self.primary else { return NOT_FOUND };
                primary.secret.shift(LABELS[*label], *from, Some(*to))?;
                self.follow(false);
                Ok(())
            }
            Step::Associate => self.associate(),
            Step::Disassociate => self.disassociate(),
            Step::Promote => self.promote(),
            Step::WriteReplica { token, value } => match &mut self.replica {
                None => NOT_FOUND,
                Some(Side { link: Some(_), .. }) => REQUEST,
                Some(replica) => replica.secret.put(*token, *value, &["AWSCURRENT"]),
            },
            Step::DeletePrimary => deleted(&mut self.primary),
            Step::DeleteReplica => deleted(&mut self.replica),
            Step::Faults(failing) => {
                self.failing = *failing;
                Ok(())
            }
            Step::Days(_) => Ok(()),
        }
    }

    fn associate(&mut self) -> Outcome {
        let Some(primary) = &mut self.primary else { return NOT_FOUND };
        let Some(replica) = &mut self.replica else { return NOT_FOUND };
        if replica.link.is_none_or(|(number, _)| number != primary.number) {
            return REQUEST;
        }
        match primary.link {
            Some((number, _)) if number != replica.number => Err("LimitExceededException"),
            Some((_, "InSync")) => Ok(()),
            _ => {
                primary.link = Some((replica.number, "InProgress"));
                self.follow(true);
                Ok(())
            }
        }
    }

    fn disassociate(&mut self) -> Outcome {
        let Some(primary) = &mut self.primary else { return NOT_FOUND };
        let Some((number, _)) = primary.link.take() else { return REQUEST };
        if let Some(replica) = self.replica.as_mut().filter(|replica| replica.number == number)
            && let Some((of, status)) = &mut replica.link
            && *of == primary.number
        {
            *status = "Detached";
        }
        Ok(())
    }

    fn promote(&mut self) -> Outcome {
        let Some(replica) = &mut self.replica else { return NOT_FOUND };
        let Some((of, _)) = replica.link.take() else { return REQUEST };
        if let Some(primary) = self.primary.as_mut().filter(|primary| primary.number == of)
            && let Some((number, status)) = &mut primary.link
            && *number == replica.number
        {
            *status = "Detached";
        }
        Ok(())
    }
}

/// A forced deletion, which a secret that is not there does not keep from succeeding.
fn deleted(side: &mut Option<Side>) -> Outcome {
    if side.as_ref().is_some_and(|side| side.link.is_some()) {
        return REQUEST;
    }
    *side = None;
    Ok(())
}

/// The sandbox with both owners, and the last ARN of each side.
struct Owners {
    here: Client,
    there: Client,
    primary: String,
    replica: String,
}

impl Owners {
    fn new() -> Self {
        let client = Client::new();
        let arn = |account: &str, name: &str| format!("arn:aws:secretsmanager:{REGION}:{account}:secret:{name}-000000");
        let (here, there) = (client.as_account(HERE), client.as_account(THERE));
        Self { here, there, primary: arn(HERE, "a"), replica: arn(THERE, "b") }
    }

    /// The replica that the primary's owner would take off: the one that the primary shows.
    fn shown_replica(&self) -> String {
        let described = self.here.send("DescribeSecret", &json!({"SecretId": "a"}));
        let described: Value = serde_json::from_slice(described.body()).unwrap();
        described["CrossAccountReplicas"][0]["ReplicaSecretARN"].as_str().unwrap_or(&self.replica).to_owned()
    }

    /// Carries a step out: the code of its error, if there is one.
    fn take(&mut self, step: &Step) -> Result<(), String> {
        let forced = |name: &str| json!({"SecretId": name, "ForceDeleteWithoutRecovery": true});
        let put = |name: &str, number: u32, value: u8| {
            let value = format!("value {value}");
            json!({"SecretId": name, "ClientRequestToken": token(number), "SecretString": value})
        };
        let (client, operation, input) = match step {
            Step::CreatePrimary => (&self.here, "CreateSecret", json!({"Name": "a", "ClientRequestToken": token(9)})),
            Step::CreateReplica => {
                let primary = &self.primary;
                let input = json!({
                    "Name": "b", "ClientRequestToken": token(9), "KmsKeyId": KEY, "CrossAccountPrimaryARN": primary
                });
                (&self.there, "CreateSecret", input)
            }
            Step::Put { token, value } => (&self.here, "PutSecretValue", put("a", *token, *value)),
            Step::WriteReplica { token, value } => (&self.there, "PutSecretValue", put("b", *token, *value)),
            Step::Move { label, from, to } => {
                let input = json!({
                    "SecretId": "a", "VersionStage": LABELS[*label], "MoveToVersionId": token(*to),
                    "RemoveFromVersionId": from.map(token)
                });
                (&self.here, "UpdateSecretVersionStage", input)
            }
            Step::Associate => {
                let input = json!({"SecretId": "a", "CrossAccountReplicaARN": self.replica});
                (&self.here, "AssociateCrossAccountReplica", input)
            }
            Step::Disassociate => {
                let input = json!({"SecretId": "a", "CrossAccountReplicaARN": self.shown_replica()});
                (&self.here, "DisassociateCrossAccountReplica", input)
            }
            Step::Promote => (&self.there, "StopReplicationToReplica", json!({"SecretId": "b"})),
            Step::DeletePrimary => (&self.here, "DeleteSecret", forced("a")),
            Step::DeleteReplica => (&self.there, "DeleteSecret", forced("b")),
            Step::Faults(failing) => {
                let outcome = if *failing { json!({"fail": MESSAGE}) } else { json!("succeed") };
                let faults = json!({"replications": [{"of": "any", "outcome": outcome}]});
                // What has fallen due by now is carried out under the faults before.
                self.here.send("ListSecrets", &json!({}));
                self.here.sandbox.apply_fault_file(faults.to_string()).unwrap();
                return Ok(());
            }
            Step::Days(days) => {
                self.here.advance(days * 24);
                return Ok(());
            }
        };
        let response = client.send(operation, &input);
        if response.status() != 200 {
            return Err(refusal(&response).code);
        }
        let answer: Value = serde_json::from_slice(response.body()).unwrap();
        match step {
            Step::CreatePrimary => self.primary = text(&answer["ARN"]),
            Step::CreateReplica => self.replica = text(&answer["ARN"]),
            _ => {}
        }
        Ok(())
    }

    fn compare(&self, model: &Model) -> Result<(), TestCaseError> {
        for (client, name, side) in [(&self.here, "a", &model.primary), (&self.there, "b", &model.replica)] {
            let Some(Side { secret, link, .. }) = side else {
                prop_assert_eq!(client.refused("DescribeSecret", json!({"SecretId": name})), not_found());
                continue;
            };
            let described = client.describe(name);
            let shown = match name {
                "a" => &described["CrossAccountReplicas"][0],
                _ => &described["CrossAccountPrimary"],
            };
            prop_assert_eq!(shown["ReplicationStatus"].as_str(), link.map(|(_, status)| status), "{}", name);
            let failed = link.is_some_and(|(_, status)| status == "Failed");
            prop_assert_eq!(shown["StatusMessage"].as_str(), failed.then_some(MESSAGE), "{}", name);
            let labelled: BTreeMap<String, Vec<&str>> = secret
                .versions
                .iter()
                .filter(|(_, version)| !version.labels.is_empty())
                .map(|(number, version)| (token(*number), version.labels.iter().copied().collect()))
                .collect();
            let shown = described.get("VersionIdsToStages").cloned().unwrap_or_else(|| json!({}));
            prop_assert_eq!(shown, json!(labelled), "{}", name);
            for (number, version) in &secret.versions {
                let got = client.ok("GetSecretValue", json!({"SecretId": name, "VersionId": token(*number)}));
                prop_assert_eq!(&got["SecretString"], &json!(format!("value {}", version.value)), "{}", name);
            }
            let policies = client.ok("ListResourcePolicies", json!({"SecretId": name}));
            let managed = name == "b" && link.is_some();
            prop_assert_eq!(policies["ResourcePolicies"].as_array().map(Vec::len), Some(usize::from(managed)));
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn both_sides_agree_with_the_model(steps in prop::collection::vec(step(), 1..40)) {
        let mut owners = Owners::new();
        let mut model = Model::default();
        for step in [Step::CreatePrimary, Step::CreateReplica].iter().chain(&steps) {
            let expected = model.take(step).map_err(str::to_owned);
            prop_assert_eq!(owners.take(step), expected, "{:?}", step);
            owners.compare(&model)?;
        }
    }
}
