//! The inventory as JSON. The HTML page carries the same document and draws everything from it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::super::drift::json::drifted;
use super::super::error::target_line;
use super::super::escape::{self, Escaped, Json};
use super::super::plan_json::place;
use super::super::{policy_words, who, words as common};
use super::documents::{
    CheckDocument, DeletionDocument, FORMAT_VERSION, FindingDocument, GroupDocument, GroupingDocument,
    InventoryDocument, KindDocument, LinkDocument, OwnerDocument, PolicyDocument, ReplicaDocument, RotationDocument,
    SecretDocument, Secrets, TargetDocument, ThresholdsDocument, TotalsDocument, VersionDocument,
};
use super::words;
use crate::collect::CollectMap as _;
use crate::desired::{AuditKind, AuditRules, RECOVERY_WINDOW_DAYS};
use crate::domain::{Arn, Region, StagingLabel};
use crate::inventory::{AuditFinding, Entry, Exposure, Group, GroupBy, Inventory, TargetInventory, Totals};
use crate::live::{CrossAccount, LinkStatus, LivePolicy, LiveReplica, ReplicaStatus};
use crate::plan::LIST_PRICE_CENTS;

/// The inventory as JSON text with a final line feed.
pub fn json(inventory: &Inventory) -> Escaped<Json> {
    escape::json(&document(inventory))
}

/// The document that JSON and the page are made of.
pub fn document(inventory: &Inventory) -> InventoryDocument<'_> {
    let by = |by: &GroupBy| GroupingDocument {
        by: match by {
            GroupBy::Target => "target".to_owned(),
            GroupBy::Owner => "owner".to_owned(),
            GroupBy::Tag(key) => format!("tag:{key}"),
        },
        groups: inventory.groups(by).into_iter().map(group).collect(),
    };
    let asked = inventory.group_by.iter().filter(|by| matches!(by, GroupBy::Tag(_)));
    let AuditRules { unused_days, value_age_days, rotation_days, required_tags, ignored: _ } = &inventory.rules;
    InventoryDocument {
        format_version: FORMAT_VERSION,
        project: inventory.project.clone(),
        started: inventory.started.to_string(),
        seconds: inventory.seconds,
        calls: inventory.calls.clone(),
        whole_account: inventory.depth.whole_account,
        audited: inventory.depth.audited,
        thresholds: ThresholdsDocument {
            unused_days: *unused_days,
            value_age_days: *value_age_days,
            rotation_days: *rotation_days,
            required_tags: required_tags.iter().map(ToString::to_string).collect(),
        },
        kinds: kinds(inventory),
        totals: totals(&inventory.totals()),
        groups: [GroupBy::Target, GroupBy::Owner].iter().chain(asked).map(by).collect(),
        targets: inventory.targets.iter().map(|one| target(inventory, one)).collect(),
    }
}

fn kinds(inventory: &Inventory) -> Vec<KindDocument> {
    let mut found: BTreeMap<AuditKind, usize> = BTreeMap::new();
    for (_, entry) in inventory.entries() {
        for finding in &entry.findings {
            *found.entry(finding.kind()).or_default() += 1;
        }
    }
    let document = |(kind, findings): (AuditKind, usize)| KindDocument {
        kind: kind.word(),
        severity: kind.severity().word(),
        meaning: kind.meaning(),
        findings,
        checks: kind.checks().iter().map(|check| CheckDocument { tool: check.tool, id: check.id }).collect(),
    };
    found.into_iter().map(document).collect()
}

fn group(group: Group) -> GroupDocument {
    GroupDocument { name: group.name, totals: totals(&group.totals) }
}

fn totals(totals: &Totals) -> TotalsDocument {
    TotalsDocument {
        secrets: totals.secrets,
        billed: totals.billed,
        monthly_cents: totals.monthly_cents(),
        unused: totals.unused,
        unused_yearly_cents: totals.unused_yearly_cents(),
        findings: totals.findings.iter().map(|(severity, number)| (severity.word(), *number)).collect_map(),
    }
}

fn target<'a>(inventory: &'a Inventory, target: &'a TargetInventory) -> TargetDocument<'a> {
    let TargetInventory { name, account, region, endpoint, outcome } = target;
    TargetDocument {
        name: name.clone(),
        account: account.clone(),
        region: region.clone(),
        endpoint: endpoint.clone(),
        error: outcome.as_ref().err().map(|error| target_line(error).into_owned()),
        ignored: outcome.as_ref().map_or(0, |stock| stock.ignored),
        secrets: Secrets { inventory, target },
    }
}

fn text(moment: Option<Timestamp>) -> Option<String> {
    moment.map(|moment| moment.to_string())
}

pub(super) fn secret(inventory: &Inventory, target: &TargetInventory, entry: &Entry) -> SecretDocument {
    let secret = &entry.secret;
    let finding = |finding: &AuditFinding| FindingDocument {
        kind: finding.kind().word(),
        severity: finding.severity().word(),
        message: words::message(finding, inventory),
        fix: words::fix(finding, target, entry, &inventory.rules),
        who: finding.who.as_ref().map(who::document),
    };
    SecretDocument {
        name: secret.name.to_string(),
        arn: secret.arn.to_string(),
        in_scope: entry.in_scope,
        owner: OwnerDocument { kind: entry.owner.word(), name: entry.owner.name().map(str::to_owned) },
        team: entry.team.clone(),
        description: secret.description.clone(),
        tags: secret.tags.iter().map(|(key, value)| (key.to_string(), value.clone())).collect_map(),
        kms_key_id: secret.kms_key_id.as_ref().map(ToString::to_string),
        secret_type: secret.secret_type.clone(),
        created: text(secret.created),
        changed: text(secret.last_changed),
        last_accessed: text(entry.last_read()),
        value_since: text(entry.value_since()),
        versions: versions(entry),
        rotation: rotation(entry, inventory.started),
        replica_of: entry.replica_of.clone(),
        replicas: secret.replicas.iter().map(replica).collect(),
        has_unread_replicas: entry.has_unread_replicas(),
        links: links(entry, inventory),
        deletion: secret.deleted_at.map(|scheduled| DeletionDocument {
            scheduled: scheduled.to_string(),
            restorable_until: words::days_after(scheduled, RECOVERY_WINDOW_DAYS.0).to_string(),
            gone_by: words::days_after(scheduled, RECOVERY_WINDOW_DAYS.1).to_string(),
        }),
        policy: policy(entry),
        other_policies: secret.other_policies.clone(),
        billed: entry.billed,
        monthly_cents: entry.billed * LIST_PRICE_CENTS,
        manifest: entry.manifest.as_ref().map(place),
        error: entry.error.clone(),
        drifts: (!entry.drifts.is_empty()).then(|| entry.drifts.iter().map(drifted).collect()),
        findings: entry.findings.iter().map(finding).collect(),
    }
}

fn versions(entry: &Entry) -> Vec<VersionDocument> {
    let labels = |labels: &BTreeSet<StagingLabel>| labels.iter().map(ToString::to_string).collect();
    if let Some(versions) = &entry.versions {
        let dated = versions.iter().map(|version| VersionDocument {
            id: version.id.to_string(),
            labels: labels(&version.labels),
            created: text(version.created),
            last_accessed: text(version.last_accessed),
        });
        return dated.collect();
    }
    let labelled = entry.secret.versions.iter().map(|(id, with)| VersionDocument {
        id: id.to_string(),
        labels: labels(with),
        created: None,
        last_accessed: None,
    });
    labelled.collect()
}

fn rotation(entry: &Entry, now: Timestamp) -> RotationDocument {
    let setup = entry.secret.rotation_setup();
    RotationDocument {
        state: entry.rotation(now).word(),
        schedule: setup.as_ref().map(|setup| common::when(setup).into_owned()),
        by: setup.as_ref().map(|setup| common::who(setup).into_owned()),
        last: text(entry.secret.rotation.last),
        next: text(entry.secret.rotation.next),
    }
}

fn replica((region, replica): (&Region, &LiveReplica)) -> ReplicaDocument {
    let (status, message) = match &replica.status {
        ReplicaStatus::InSync => ("InSync", None),
        ReplicaStatus::InProgress => ("InProgress", None),
        ReplicaStatus::Failed { message } => ("Failed", Some(message.clone())),
    };
    ReplicaDocument { region: region.to_string(), status, message }
}

fn links(entry: &Entry, inventory: &Inventory) -> Vec<LinkDocument> {
    let link = |other: &'static str, arn: &Arn, status: &LinkStatus| {
        let (status, message) = match status {
            LinkStatus::Pending => ("Pending", None),
            LinkStatus::InProgress => ("InProgress", None),
            LinkStatus::InSync => ("InSync", None),
            LinkStatus::Failed { message } => ("Failed", Some(message.clone())),
            LinkStatus::Detached => ("Detached", None),
        };
        let is_there = |target: &&TargetInventory| {
            arn.parts().is_some_and(|arn| target.account.as_deref() == Some(arn.account) && target.region == arn.region)
        };
        let target = inventory.targets.iter().find(is_there).map(|target| target.name.clone());
        LinkDocument { other, arn: arn.to_string(), target, status: status.to_owned(), message }
    };
    let CrossAccount { primary, replicas } = &entry.secret.cross_account;
    let primary = primary.iter().map(|primary| link("primary", &primary.arn, &primary.status));
    primary.chain(replicas.iter().map(|(arn, replica)| link("replica", arn, &replica.status))).collect()
}

fn policy(entry: &Entry) -> PolicyDocument {
    let (state, document) = match &entry.secret.policy {
        LivePolicy::NotRead => ("not-read", None),
        LivePolicy::None => ("none", None),
        LivePolicy::Document(document) => ("document", Some(document)),
        LivePolicy::Unreadable => ("not-readable", None),
        LivePolicy::Unparsable(_) => ("not-json", None),
    };
    let Exposure { readers, other_accounts, public, restricts: _, dangling } = &entry.exposure;
    let words = document.map(|policy| policy_words::standing(policy, &entry.secret.arn)).unwrap_or_default();
    PolicyDocument {
        state,
        words: words.into_iter().map(Escaped::into_owned).collect(),
        readers: readers.iter().map(|who| policy_words::who(who).into_owned()).collect(),
        other_accounts: other_accounts.iter().cloned().collect(),
        public: *public,
        dangling: dangling.clone(),
        document: document.map(|document| document.as_written().clone()),
    }
}
