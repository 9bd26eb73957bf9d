//! Replication between accounts, in words: what a plan does about it, and what was found.

use serde_json::json;

use super::escape::{self, Escaped, Terminal};
use super::escaped;
use super::rows::{Row, Tone, mark, piece};
use crate::desired::{OtherSecret, Restriction};
use crate::domain::Arn;
use crate::origin::Origin;
use crate::plan::{LinkFinding, LinkReason, LinkWaits, OtherArn, PlannedLink};

fn line(arn: &Arn) -> Escaped<Terminal> {
    escape::line(arn.as_str())
}

/// A secret of another account, with the account.
fn other(other: &OtherArn) -> Escaped<Terminal> {
    let account = other
        .account()
        .map(|account| -> Escaped<Terminal> { escaped!(" in account {}", escape::line(account.as_str())) });
    match other {
        OtherArn::Known(arn) => escaped!("{}{}", line(arn), account),
        OtherArn::Later { target, name, account: _ } => escaped!(
            "{} of target {}{} (its ARN is known after apply)",
            escape::line(name.as_str()),
            escape::line(target),
            account
        ),
    }
}

/// A secret of another account, as its manifest names it.
fn declared(other: &OtherSecret) -> Escaped<Terminal> {
    match other {
        OtherSecret::Arn(arn) => line(arn),
        OtherSecret::Named { target, name } => {
            escaped!("{} in target {}", escape::line(name.as_str()), escape::line(target))
        }
    }
}

fn warning(text: impl Into<Escaped<Terminal>>) -> Row {
    Row::new("", vec![piece(Tone::Warning, text.into())], None)
}

/// What becomes of a replica whose manifest declares that it has no primary.
const KEEPS_VALUE: &str = "it becomes a secret of its own: it keeps its value, and gets no more of its primary's";
const GETS_VALUE: &str = "it becomes a secret of its own: it gets git's value, and no more of its primary's";

/// What a link is that no value goes over any more.
const ENDED: &str = "its owner has ended that before: nothing was copied there any more";

/// What becomes of a replica that gets another primary.
const MADE_ANEW: &str = "a replica cannot change its primary: it is deleted at once and for good, and made anew";
const LOST_MEANWHILE: &str = "its readers lose it until the new value is copied; its ARN is another one then; what no \
                              manifest declares of it is gone";

/// Whose replica a secret becomes, or is no longer; it may get a value of its own then.
pub(super) fn primary_rows(
    before: Option<&Arn>,
    after: Option<&OtherArn>,
    gets_value: bool,
    origin: &Origin,
) -> Vec<Row> {
    let label = "replica of";
    match (before, after) {
        (Some(before), Some(after)) => {
            let then = other(after);
            let pieces = vec![piece(Tone::Removed, line(before)), mark(Tone::Plain, " → "), piece(Tone::Added, then)];
            vec![Row::new(label, pieces, Some(origin)), warning(MADE_ANEW), warning(LOST_MEANWHILE)]
        }
        (None, Some(after)) => vec![Row::new(label, vec![piece(Tone::Added, other(after))], Some(origin))],
        (Some(before), None) => {
            let pieces = vec![piece(Tone::Removed, line(before)), mark(Tone::Plain, " → "), mark(Tone::Plain, "none")];
            vec![Row::new(label, pieces, Some(origin)), warning(if gets_value { GETS_VALUE } else { KEEPS_VALUE })]
        }
        (None, None) => Vec::new(),
    }
}

/// Where values are copied to, or are no longer.
pub(super) fn replica_rows(
    before: Option<&Arn>,
    after: Option<&PlannedLink>,
    reason: &LinkReason,
    origin: &Origin,
) -> Vec<Row> {
    let label = "copied to";
    let mut rows = Vec::new();
    if let Some(before) = before {
        let pieces = vec![piece(Tone::Removed, line(before)), mark(Tone::Plain, " → "), mark(Tone::Plain, "none")];
        rows.push(Row::new(label, pieces, Some(origin)));
        rows.push(if *reason == LinkReason::Ended {
            Row::new("", vec![piece(Tone::Plain, Escaped::from(ENDED))], None)
        } else {
            warning("the replica stays in its account, keeps its value, and gets no more")
        });
    }
    if let Some(PlannedLink { replica, restriction, role }) = after {
        let role = role.as_ref().map(|role| -> Escaped<Terminal> { escaped!(", under {}", line(role)) });
        rows.push(Row::new(label, vec![piece(Tone::Added, escaped!("{}{}", other(replica), role))], Some(origin)));
        rows.push(warning("its value leaves this account: each one is copied there from now on"));
        if *restriction == Restriction::NoRestriction {
            rows.push(warning("noRestriction: that account may be of any organization"));
        }
    }
    match reason {
        LinkReason::Failed { message } => {
            rows.push(warning(escaped!("associated again, since it failed: {}", escape::line(message))));
        }
        LinkReason::RoleChanged { before } => {
            let before = before.as_ref().map_or_else(|| "no role".into(), line);
            rows.push(warning(escaped!("associated again, since its role is another one than before ({})", before)));
        }
        LinkReason::Added | LinkReason::Removed | LinkReason::Replaced | LinkReason::Ended => {}
    }
    rows
}

/// What is said of the links of a secret that goes.
pub(super) fn ends_row(linked: &[&Arn]) -> Option<Row> {
    let arns = Escaped::join(linked.iter().map(|arn| line(arn)), ", ");
    let text: Escaped<Terminal> = escaped!("its replication with {} ends first", arns);
    (!linked.is_empty()).then(|| Row::new("accounts", vec![piece(Tone::Removed, text)], None))
}

/// A secret of another account as a document.
pub(super) fn other_document(other: &OtherArn) -> serde_json::Value {
    let account = other.account().map(|account| account.to_string());
    match other {
        OtherArn::Known(arn) => json!({ "arn": arn, "account": account }),
        OtherArn::Later { target, name, account: _ } => {
            json!({ "target": target, "name": name.as_str(), "account": account })
        }
    }
}

/// A link as a document.
pub(super) fn link_document(link: &PlannedLink) -> serde_json::Value {
    let PlannedLink { replica, restriction, role } = link;
    let mut document = other_document(replica);
    document["restriction"] = json!(match restriction {
        Restriction::SameOrg => "sameOrg",
        Restriction::NoRestriction => "noRestriction",
    });
    document["role"] = json!(role);
    document
}

/// Why, in a few words.
pub(super) fn reason(reason: &LinkReason) -> Option<String> {
    match reason {
        LinkReason::Added | LinkReason::Removed | LinkReason::Replaced => None,
        LinkReason::Ended => Some(ENDED.to_owned()),
        LinkReason::Failed { message } => Some(format!("associated again, since it failed: {message}")),
        LinkReason::RoleChanged { .. } => Some("associated again, since its role is another one now".to_owned()),
    }
}

/// What was found, in one sentence without the secret's name.
pub(super) fn finding(finding: &LinkFinding) -> Escaped<Terminal> {
    match finding {
        LinkFinding::Waits { other, why } => escaped!("waits for {}, {}", declared(other), waits(why)),
        LinkFinding::Pending { primary } => {
            escaped!("is a replica that waits until {} is associated with it", line(primary))
        }
        LinkFinding::InProgress { other } => escaped!("is being replicated with {}", line(other)),
        LinkFinding::Failed { other, message } => {
            escaped!("is not replicated with {}: {}", line(other), escape::line(message))
        }
        LinkFinding::EndedByPrimary { primary } => {
            escaped!("gets no more values of {}, whose owner has ended that", line(primary))
        }
        LinkFinding::EndedByReplica { replica } => {
            escaped!("is not copied to {} any more, whose owner has made it a secret of its own", line(replica))
        }
        LinkFinding::ReplicaLeaves { replica } => {
            escaped!("is linked with {}, which this run deletes, or which is scheduled for deletion", line(replica))
        }
        LinkFinding::NotOurReplica { replica, primary: Some(primary) } => {
            escaped!("cannot be copied to {}, which is a replica of {}", line(replica), line(primary))
        }
        LinkFinding::NotOurReplica { replica, primary: None } => {
            escaped!("cannot be copied to {}, which is no replica", line(replica))
        }
        LinkFinding::MadeForAnother { replica, primary: Some(primary) } => {
            escaped!("cannot be copied to {}, which is made as a replica of {}", declared(replica), declared(primary))
        }
        LinkFinding::MadeForAnother { replica, primary: None } => {
            escaped!("cannot be copied to {}, which is made as a secret of its own", declared(replica))
        }
        LinkFinding::NotAReplica { leaving: false } => escaped!("exists and is no replica, and none can become one"),
        LinkFinding::NotAReplica { leaving: true } => {
            escaped!("is scheduled for deletion and no replica; until it is gone, its name is not free for one")
        }
        LinkFinding::OtherPrimary { live, declared: Some(declared) } => {
            escaped!("is a replica of {}, and not of {}: that is settled when it is made", line(live), line(declared))
        }
        LinkFinding::OtherPrimary { live, declared: None } => escaped!(
            "is a replica of {}, which is not the secret that its manifest names: that one does not exist yet",
            line(live)
        ),
        LinkFinding::Undeclared { primary } => {
            escaped!("is a replica of {}, and its manifest declares what a replica has of its primary", line(primary))
        }
    }
}

fn waits(why: &LinkWaits) -> Escaped<Terminal> {
    match why {
        LinkWaits::Missing => escaped!("which does not exist"),
        LinkWaits::Waiting => escaped!("which waits for its own primary"),
        LinkWaits::Leaving => escaped!("which is scheduled for deletion"),
        LinkWaits::NotInRun => escaped!("whose target is no part of this run"),
        LinkWaits::Unreadable { reason } => escaped!("which could not be read: {}", escape::line(reason)),
        LinkWaits::Unreached => escaped!("whose target could not be reached"),
        LinkWaits::AnotherArn { target, live: Some(live) } => {
            escaped!("while the secret of this name in target {} is {}", escape::line(target), line(live))
        }
        LinkWaits::AnotherArn { target, live: None } => {
            escaped!("while the secret of this name in target {} is made by this run", escape::line(target))
        }
    }
}

/// What can be done about it.
pub(super) fn help(finding: &LinkFinding) -> &'static str {
    match finding {
        LinkFinding::Waits { why: LinkWaits::Missing, .. } => "declare it there, or make it; the next apply goes on",
        LinkFinding::Waits { why: LinkWaits::Waiting, .. } => "that one's own line says what it waits for",
        LinkFinding::Waits { why: LinkWaits::Leaving, .. } => "restore it there, or take the link away",
        LinkFinding::Waits { why: LinkWaits::NotInRun, .. } => {
            "run both targets together; `arn` in the place of `target` and `name` needs no other target"
        }
        LinkFinding::Waits { why: LinkWaits::AnotherArn { .. }, .. } => {
            "name it by `target` and `name`, which needs no ARN; or correct the ARN"
        }
        LinkFinding::Waits { .. } => "the next apply goes on once it can be read",
        LinkFinding::Pending { .. } => "`crossAccountReplica` in the primary's manifest associates it",
        LinkFinding::InProgress { .. } => "it goes on by itself; --wait-replicas follows it",
        LinkFinding::Failed { .. } => "associating it again, from the primary's side, repairs that: see its manifest",
        LinkFinding::EndedByPrimary { .. } => {
            "`crossAccountPrimary: null` makes it a secret of its own; an apply of its primary associates it again"
        }
        LinkFinding::ReplicaLeaves { .. } => {
            "take crossAccountReplica away; a replica is made anew once that is gone and a manifest declares it"
        }
        LinkFinding::EndedByReplica { .. } => "take crossAccountReplica away, or have the replica made anew",
        LinkFinding::NotOurReplica { .. } => {
            "a replica is made for one primary: delete it and let an apply make it anew, or name another one"
        }
        LinkFinding::MadeForAnother { .. } => {
            "a replica is made for one primary: name this secret in its `crossAccountPrimary`, or name another one here"
        }
        LinkFinding::NotAReplica { leaving: false } => {
            "delete it (with --force-delete-without-recovery, for good, or its name stays taken until the recovery \
             window is over) and let an apply make it anew, or give the replica another name"
        }
        LinkFinding::NotAReplica { leaving: true } => {
            "`aws secretsmanager delete-secret --force-delete-without-recovery` frees the name at once, for good; or \
             give the replica another name"
        }
        LinkFinding::OtherPrimary { .. } => {
            "an apply makes a replica anew that is this project's and not protected; or give the new one another name"
        }
        LinkFinding::Undeclared { .. } => {
            "declare crossAccountPrimary and leave value, description, type, rotation and replicas out; or \
             crossAccountPrimary: null, which makes it a secret of its own"
        }
    }
}
