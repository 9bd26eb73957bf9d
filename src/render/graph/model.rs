//! What is drawn: the secrets of each target, what becomes of them, and who needs whom.

use std::collections::{BTreeMap, BTreeSet};

use super::super::words;
use super::links::{AccountLink, OtherSide};
use crate::collect::CollectMap as _;
use crate::desired::{Desired, DesiredSecret, OtherSecret, State};
use crate::domain::SecretName;
use crate::plan::{Plan, PlanReport, Selection, Severity, Verb};

/// The secrets of a project, target by target. The texts in here are as they are; each format escapes them.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The project's name.
    pub project: String,
    /// The targets, in the order of the project file.
    pub targets: Vec<GraphTarget>,
}

/// One target.
#[derive(Clone, Debug, Default)]
pub struct GraphTarget {
    /// Its name.
    pub name: String,
    /// The twelve-digit account, when it is known.
    pub account: Option<String>,
    /// The region.
    pub region: String,
    /// Why the drawing is empty, or not what was asked for.
    pub note: Option<&'static str>,
    /// The secrets, by name.
    pub nodes: Vec<Node>,
    /// Who needs whom.
    pub edges: Vec<Edge>,
    /// Which of them are linked with secrets of other accounts.
    pub links: Vec<AccountLink>,
}

/// One secret.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub status: Status,
    /// Where its replicas are, as the manifest wants them: regions, and targets in other accounts.
    pub replicas: Vec<String>,
}

/// One secret needs another: `dependsOn`, or a `${secret:NAME:arn}`. Both are indexes into [`GraphTarget::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The one that is needed.
    pub needed: usize,
    /// The one that needs it.
    pub waiting: usize,
}

/// What becomes of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Something would be done to it.
    Planned(Verb),
    /// An error keeps it from being planned.
    Blocked,
    /// Something differs, or may differ, that the plan leaves alone for now.
    HeldBack,
    /// It has no value, and git leaves that to people.
    AwaitsValue,
    /// It is as the manifest says.
    Unchanged,
    /// The manifest says that it should not exist, and nothing is left to be done about it.
    Absent,
    /// A manifest names it; nobody looked at what is live.
    Declared,
    /// It is on the other side of a link, in another account, and nothing more is known of it here.
    Outside,
}

impl Status {
    /// The sign and the word that stand on the node; none for what is only declared.
    pub(super) fn label(self) -> Option<String> {
        match self {
            Self::Planned(verb) => {
                let (sign, word) = words::verb(verb);
                Some(format!("{sign} {word}"))
            }
            Self::Blocked => Some("! error".to_owned()),
            Self::HeldBack => Some("held back".to_owned()),
            Self::AwaitsValue => Some("waits for a value".to_owned()),
            Self::Unchanged => Some("unchanged".to_owned()),
            Self::Absent => Some("absent".to_owned()),
            Self::Declared => None,
            Self::Outside => Some("other side of a link".to_owned()),
        }
    }

    /// Whether a reader of the plan should look at it, connected or not.
    fn matters(self, extent: Extent) -> bool {
        match self {
            Self::Planned(_) | Self::Blocked => true,
            Self::HeldBack => extent != Extent::Changes,
            Self::AwaitsValue | Self::Unchanged | Self::Absent | Self::Declared | Self::Outside => false,
        }
    }
}

/// How much is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every secret.
    All,
    /// Secrets that need another, are needed, would change, are held back, or have an error.
    Involved,
    /// Secrets that would change or have an error, and what these need.
    Changes,
}

impl GraphTarget {
    /// The manifests alone, without a look at what is live.
    pub fn declared(desired: &Desired, selection: &Selection, extent: Extent) -> Self {
        let statuses = desired_secrets(desired, selection)
            .map(|desired_secret| {
                let absent = desired_secret.state == State::Absent;
                (desired_secret.name.clone(), if absent { Status::Absent } else { Status::Declared })
            })
            .collect_map();
        let account = desired.target.account.as_ref().map(ToString::to_string);
        let empty = match extent {
            Extent::All => "no manifest names a secret here",
            Extent::Involved | Extent::Changes => "no secret needs another. --all draws every secret",
        };
        Self::new(desired, account, selection, statuses, extent, empty)
    }

    /// What a plan would do to the secrets of its target.
    pub fn planned(desired: &Desired, plan: &Plan, report: &PlanReport, selection: &Selection, extent: Extent) -> Self {
        let mut statuses: BTreeMap<SecretName, Status> = desired_secrets(desired, selection)
            .map(|desired_secret| {
                let absent = desired_secret.state == State::Absent;
                (desired_secret.name.clone(), if absent { Status::Absent } else { Status::Unchanged })
            })
            .collect_map();
        // Neither is as its manifest says; what is planned for one all the same says more.
        statuses.extend(report.awaiting.iter().map(|awaiting| (awaiting.secret.clone(), Status::AwaitsValue)));
        let held_back = report.findings.iter().filter(|finding| finding.holds_back());
        statuses.extend(held_back.map(|finding| (finding.secret.clone(), Status::HeldBack)));
        // An orphan has no manifest and is drawn all the same.
        statuses.extend(plan.secrets.iter().map(|secret| (secret.name.clone(), Status::Planned(secret.verb))));
        let errors = report.findings.iter().filter(|finding| finding.severity() == Severity::Error);
        statuses.extend(errors.map(|finding| (finding.secret.clone(), Status::Blocked)));
        let empty = match extent {
            Extent::All => "no manifest names a secret here",
            Extent::Involved => "no secret needs another, and nothing would change. --all draws every secret",
            Extent::Changes => "nothing would change",
        };
        Self::new(desired, plan.account.as_ref().map(ToString::to_string), selection, statuses, extent, empty)
    }

    /// The same with a note.
    #[must_use]
    pub fn with_note(self, note: &'static str) -> Self {
        Self { note: Some(note), ..self }
    }

    /// Whether an arrow begins or ends here.
    pub(in crate::render) fn has_arrows(&self) -> bool {
        !self.edges.is_empty() || !self.links.is_empty()
    }

    /// Its name, account and region on one line, not escaped yet.
    pub(super) fn heading(&self) -> String {
        let account = self.account.as_ref().map_or_else(String::new, |account| format!("{account} · "));
        format!("{} · {account}{}", self.name, self.region)
    }

    fn new(
        desired: &Desired,
        account: Option<String>,
        selection: &Selection,
        mut statuses: BTreeMap<SecretName, Status>,
        extent: Extent,
        empty: &'static str,
    ) -> Self {
        let mut needs: Vec<(&SecretName, &SecretName)> = desired_secrets(desired, selection)
            .flat_map(|desired_secret| desired_secret.depends_on.iter().map(|needed| (needed, &desired_secret.name)))
            .filter(|(needed, _)| desired.secrets.contains_key(*needed))
            .collect();
        // What a selected secret needs is drawn, though the selection leaves it out.
        for (needed, _) in &needs {
            statuses.entry((*needed).clone()).or_insert(Status::Declared);
        }
        let matters = |name: &SecretName| statuses.get(name).is_some_and(|status| status.matters(extent));
        if extent == Extent::Changes {
            needs.retain(|(_, waiting)| matters(waiting));
        }
        let connected: BTreeSet<&SecretName> = needs.iter().flat_map(|(needed, waiting)| [*needed, *waiting]).collect();
        let linked =
            |name: &SecretName| desired.secrets.get(name).is_some_and(|secret| secret.linked_with().next().is_some());
        let involved = |name: &SecretName| connected.contains(name) || (extent == Extent::Involved && linked(name));
        let drawn: BTreeMap<&SecretName, Status> = statuses
            .iter()
            .filter(|(name, status)| extent == Extent::All || status.matters(extent) || involved(name))
            .map(|(name, status)| (name, *status))
            .collect_map();
        let index: BTreeMap<&SecretName, usize> = drawn.keys().enumerate().map(|(at, name)| (*name, at)).collect_map();
        let mut edges: Vec<Edge> = needs
            .iter()
            .filter_map(|(needed, waiting)| Some(Edge { needed: *index.get(needed)?, waiting: *index.get(waiting)? }))
            .collect();
        edges.sort_unstable();
        let links = index.iter().flat_map(|(name, at)| {
            let secret = desired.secrets.get(*name);
            let link = |is_replica, other| AccountLink { node: *at, is_replica, other: OtherSide::of(other) };
            let replica = secret.and_then(DesiredSecret::other_replica);
            let replica = replica.map(|replica| link(false, &replica.secret));
            replica.into_iter().chain(secret.and_then(DesiredSecret::other_primary).map(|primary| link(true, primary)))
        });
        let links = links.collect();
        Self {
            name: desired.target.name.clone(),
            account,
            region: desired.target.region.to_string(),
            note: drawn.is_empty().then_some(empty),
            nodes: drawn
                .into_iter()
                .map(|(name, status)| Node {
                    name: name.as_str().to_owned(),
                    status,
                    replicas: replicas(desired, name),
                })
                .collect(),
            edges,
            links,
        }
    }
}

/// The replica in another account that the manifest wants.
fn replica_in_other_account<'a>(desired: &'a Desired, name: &SecretName) -> Option<&'a OtherSecret> {
    Some(&desired.secrets.get(name)?.other_replica()?.secret)
}

/// Where the manifest wants a replica.
fn replicas(desired: &Desired, name: &SecretName) -> Vec<String> {
    let declared = desired.secrets.get(name).and_then(|desired_secret| desired_secret.replicas.as_ref());
    declared
        .and_then(|declared| declared.value.as_ref())
        .into_iter()
        .flat_map(|value| value.keys().map(ToString::to_string))
        .chain(replica_in_other_account(desired, name).map(|other| match other {
            OtherSecret::Named { target, .. } => format!("target {target}"),
            OtherSecret::Arn(arn) => format!("account {}", arn.parts().map_or("", |arn| arn.account)),
        }))
        .collect()
}

fn desired_secrets<'a>(desired: &'a Desired, selection: &'a Selection) -> impl Iterator<Item = &'a DesiredSecret> {
    desired.secrets.values().filter(|desired_secret| selection.contains(&desired_secret.name))
}
