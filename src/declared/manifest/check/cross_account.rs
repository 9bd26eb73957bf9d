//! `spec.crossAccountReplica` and `spec.crossAccountPrimary`: that both sides can be linked.
//!
//! Source: CreateSecret (`CrossAccountPrimaryARN`) and AssociateCrossAccountReplica.

use std::collections::BTreeMap;

use super::super::codes;
use super::super::diagnostic::{Problem, Report, nearest};
use super::super::field::Field;
use super::super::schema::{CrossAccountReplicaSpec, Defaults, OtherSecretSpec, RestrictionChoice};
use super::super::source::Span;
use super::super::tree::{Kind, Node};
use super::arn::{Home, role_account};
use super::dependencies::Built;
use super::project::{Project, key_span};
use super::required;
use super::secret::Builder;
use super::target::TargetModel;
use crate::collect::CollectMap as _;
use crate::desired::{CrossAccountReplica, Declared, Desired, OtherSecret, Restriction, State, Target};
use crate::domain::{AccountId, Arn, ArnParts, Partition, SecretName};

/// The alias of AWS's own key, alone or at the end of its ARN.
const DEFAULT_KEY: &str = "alias/aws/secretsmanager";

/// A link as it is written.
pub(crate) struct Link {
    /// Which side declares it.
    side: Side,
    /// The secret on the other side.
    other: OtherSecret,
    span: Span,
}

/// The side of a link that a secret is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// It has the value.
    Primary,
    /// It gets the value.
    Replica,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Primary => Self::Replica,
            Self::Replica => Self::Primary,
        }
    }

    /// The field by which a secret says that it is on this side.
    const fn field(self) -> &'static str {
        match self {
            Self::Primary => "crossAccountReplica",
            Self::Replica => "crossAccountPrimary",
        }
    }
}

impl Builder<'_> {
    /// `spec.crossAccountPrimary` and `spec.crossAccountReplica`, checked, with the links that they are.
    pub(crate) fn cross_account(&mut self, fields: &Defaults, spec: &Node, target: &TargetModel) -> CrossAccountFields {
        let mut check = LinkCheck { project: self.project, target, report: self.report };
        let mut found = CrossAccountFields::default();
        let span = key_span(spec, &[Side::Replica.field()]);
        if let Some(declared) = fields.cross_account_primary.get() {
            if declared.value.is_some() {
                check.replica_alone(fields, spec, span);
            }
            let value = declared.value.as_ref().map(|written| check.other(written, declared.span));
            if value != Some(None) {
                let value = value.flatten();
                found.links.extend(value.clone().map(|other| Link { side: Side::Replica, other, span }));
                found.primary = Some(Declared { value, origin: self.sources.origin(span) });
            }
        }
        let span = key_span(spec, &[Side::Primary.field()]);
        if let Some(declared) = fields.cross_account_replica.get() {
            let value = declared.value.as_ref().map(|written| check.replica(written, declared.span));
            if value != Some(None) {
                let value = value.flatten();
                let link =
                    |replica: &CrossAccountReplica| Link { side: Side::Primary, other: replica.secret.clone(), span };
                found.links.extend(value.as_ref().map(link));
                found.replica = Some(Declared { value, origin: self.sources.origin(span) });
            }
        }
        found
    }
}

/// What a secret declares of its links.
#[derive(Default)]
pub(crate) struct CrossAccountFields {
    pub(crate) primary: Option<Declared<OtherSecret>>,
    pub(crate) replica: Option<Declared<CrossAccountReplica>>,
    pub(crate) links: Vec<Link>,
}

/// Checks the fields of one target.
struct LinkCheck<'a> {
    project: &'a Project,
    target: &'a TargetModel,
    report: &'a mut Report,
}

impl LinkCheck<'_> {
    /// The replica that is declared.
    fn replica(&mut self, spec: &CrossAccountReplicaSpec, at: Span) -> Option<CrossAccountReplica> {
        let CrossAccountReplicaSpec { secret, restriction, role } = spec;
        let secret = required(secret, "Secret.spec.crossAccountReplica.secret", at, self.report)?;
        let secret = self.other(&secret.value, secret.span)?;
        let role = role.get().and_then(|role| {
            let fits = check_role(&role.value, role.span, home(self.target), self.report);
            fits.then(|| Arn::of_service(role.value.clone()))
        });
        let restriction = match restriction.value() {
            Some(RestrictionChoice::NoRestriction) => Restriction::NoRestriction,
            Some(RestrictionChoice::SameOrg) | None => Restriction::SameOrg,
        };
        Some(CrossAccountReplica { secret, restriction, role })
    }

    /// The secret in the other account.
    fn other(&mut self, spec: &OtherSecretSpec, at: Span) -> Option<OtherSecret> {
        match (&spec.arn, &spec.target, &spec.name) {
            (Field::Set(arn), Field::Absent, Field::Absent) => self.by_arn(&arn.value, arn.span),
            (Field::Absent, Field::Set(target), Field::Set(name)) => {
                self.by_name((&target.value, target.span), (&name.value, name.span))
            }
            (Field::Invalid, ..) | (_, Field::Invalid, _) | (.., Field::Invalid) => None,
            _ => {
                self.wrong(
                    at,
                    "a secret of another account is named by `target` and `name`, or by `arn`",
                    "one of both",
                );
                None
            }
        }
    }

    fn by_arn(&mut self, text: &str, span: Span) -> Option<OtherSecret> {
        let fits = check_other_arn(text, span, home(self.target), self.report);
        fits.then(|| OtherSecret::Arn(Arn::of_service(text)))
    }

    fn by_name(&mut self, target: (&str, Span), name: (&str, Span)) -> Option<OtherSecret> {
        let here = &self.target.target;
        let targets = &self.project.targets;
        let Some(there) = targets.iter().find(|model| model.target.name == target.0) else {
            let near = nearest(target.0, targets.iter().map(|model| model.target.name.as_str()));
            let problem =
                Problem::new(&codes::CROSS_ACCOUNT, target.1, format!("the project has no target `{}`", target.0));
            self.report.push(problem.label("one name").help_if(near.map(|near| format!("did you mean `{near}`?"))));
            return None;
        };
        if there.target.region != here.region {
            let message =
                format!("target `{}` is in {}, and this one in {}", target.0, there.target.region, here.region);
            self.wrong(target.1, &message, "both sides are in one region");
            return None;
        }
        let same = |account: &AccountId| here.account.as_ref() == Some(account);
        if there.target.name == here.name || there.target.account.as_ref().is_some_and(same) {
            self.wrong(target.1, &format!("target `{}` is in the same account", target.0), "not another account");
            return None;
        }
        if !there.scope.contains(name.0) && !there.scope.prefixes().is_empty() {
            let message = format!("`{}` is outside the scope of target `{}`", name.0, target.0);
            self.wrong(name.1, &message, "no secret that this project may look at there");
            return None;
        }
        Some(OtherSecret::Named { target: target.0.to_owned(), name: SecretName::new(name.0) })
    }

    /// Refuses what a replica cannot have, and a replica without a key that its value can be encrypted with.
    fn replica_alone(&mut self, fields: &Defaults, spec: &Node, at: Span) {
        for field in ["value", "description", "type", "replicas", "rotation", "labels", "crossAccountReplica"] {
            if spec.get(field).is_none_or(|node| matches!(node.kind, Kind::Null)) {
                continue;
            }
            let span = key_span(spec, &[field]);
            let message = format!("`{field}` beside `crossAccountPrimary`: a replica has none of its own");
            self.report.push(
                Problem::new(&codes::CROSS_ACCOUNT, span, message)
                    .label("comes from the primary, or not at all")
                    .help("leave it out; an override with `unset` takes away what comes from defaults"),
            );
        }
        let key = fields.kms_key_id.get();
        let usable = key.and_then(|key| key.value.as_ref()).is_some_and(|key| !key.ends_with(DEFAULT_KEY));
        if !usable && !matches!(fields.kms_key_id.0, Field::Invalid) {
            let span = if key.is_some() { key_span(spec, &["kmsKeyId"]) } else { at };
            self.wrong(span, "a replica needs `kmsKeyId`: a customer managed key", "AWS's own key serves one account");
        }
    }

    fn wrong(&mut self, span: Span, message: &str, label: &str) {
        wrong(span, message, label, self.report);
    }
}

fn home(target: &TargetModel) -> Home<'_> {
    let Target { name, account, region, .. } = &target.target;
    Home { target: name, account: account.as_ref().map(AccountId::as_str), region: region.as_str() }
}

/// Whether this is the full ARN of a secret that one in this place can be linked with.
pub(crate) fn check_other_arn(text: &str, span: Span, home: Home<'_>, report: &mut Report) -> bool {
    let Some(arn) = ArnParts::parse(text).filter(|arn| arn.secret_name().is_some()) else {
        wrong(span, "this is not the full ARN of a secret", "with the six characters that end it", report);
        return false;
    };
    let partition = Partition::of_region(home.region);
    if partition != arn.partition || home.region != arn.region {
        let message = format!("this secret is in {} ({})", arn.region, arn.partition);
        wrong(span, &message, "both sides are in one region and partition", report);
        return false;
    }
    if home.account == Some(arn.account) {
        wrong(span, &format!("this secret is in account {} too", arn.account), "not another account", report);
        return false;
    }
    true
}

/// Whether this is a role of the primary's account.
pub(crate) fn check_role(text: &str, span: Span, home: Home<'_>, report: &mut Report) -> bool {
    match role_account(text) {
        Some(account) if home.account.is_none_or(|here| here == account) => return true,
        Some(account) => {
            wrong(span, &format!("this role is in account {account}"), "the primary's account", report);
        }
        None => wrong(span, "this is not the ARN of a role", "arn:aws:iam::ACCOUNT:role/NAME", report),
    }
    false
}

fn wrong(span: Span, message: &str, label: &str, report: &mut Report) {
    report.push(Problem::new(&codes::CROSS_ACCOUNT, span, message.to_owned()).label(label.to_owned()));
}

/// The links of all targets, which are compared once every target is built: of the secrets that have any, by target and
/// name.
#[derive(Default)]
pub(crate) struct Links {
    secrets: BTreeMap<String, BTreeMap<SecretName, Vec<Link>>>,
}

impl Links {
    /// Adds what is declared in a target.
    pub(crate) fn add(&mut self, target: &str, secrets: &mut BTreeMap<SecretName, Built>) {
        let linked = |built: &Built| built.secret.state == State::Present && !built.links.is_empty();
        let links = secrets.iter_mut().filter(|(_, built)| linked(built));
        let links: BTreeMap<_, _> =
            links.map(|(name, built)| (name.clone(), std::mem::take(&mut built.links))).collect_map();
        if !links.is_empty() {
            self.secrets.insert(target.to_owned(), links);
        }
    }

    /// Tells what only one side declares, of targets that were all built.
    pub(crate) fn compare(&self, targets: &[Desired], report: &mut Report) {
        for (target, secrets) in &self.secrets {
            for (name, link) in secrets.iter().flat_map(|(name, links)| links.iter().map(move |link| (name, link))) {
                let OtherSecret::Named { target: there, name: other } = &link.other else { continue };
                // A target that is not looked at may declare anything.
                let Some(desired) = targets.iter().find(|desired| desired.target.name == *there) else { continue };
                let field = link.side.other().field();
                let back = |link_back: &Link| {
                    link_back.side == link.side.other()
                        && match &link_back.other {
                            OtherSecret::Named { target: back, name: named } => back == target && named == name,
                            OtherSecret::Arn(arn) => {
                                arn.parts().and_then(|arn| arn.secret_name()) == Some(name.as_str())
                            }
                        }
                };
                let links_there = self.secrets.get(there).and_then(|secrets| secrets.get(other));
                if links_there.is_some_and(|links| links.iter().any(back)) {
                    continue;
                }
                let declared = desired.secrets.get(other).is_some_and(|secret| secret.state == State::Present);
                let (message, help) = if declared {
                    (
                        format!("`{other}` in target `{there}` does not declare the other side"),
                        declaring(link.side.other(), &in_braces(target), &in_braces(name.as_str())),
                    )
                } else {
                    (
                        format!("no manifest declares `{other}` in target `{there}`"),
                        format!("declare it there with `{field}`; without that it has to be made and linked by hand"),
                    )
                };
                let problem = Problem::new(&codes::CROSS_ACCOUNT_ONE_SIDED, link.span, message);
                report.push(problem.label("one side alone").help(help));
            }
        }
    }
}

/// What is to be written for the side that is missing.
fn declaring(side: Side, target: &str, name: &str) -> String {
    match side {
        Side::Primary => {
            format!("write `crossAccountReplica: {{ secret: {{ target: {target}, name: {name} }} }}` there")
        }
        Side::Replica => format!("write `crossAccountPrimary: {{ target: {target}, name: {name} }}` there"),
    }
}

/// A name as it can be written between braces of YAML: quoted where it would be something else than a text.
fn in_braces(name: &str) -> String {
    let word = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(&name.to_lowercase().as_str());
    if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') && !word {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}
