//! The inventory as people read it on a terminal.

use std::collections::BTreeMap;

use super::super::error::target_line;
use super::super::escape::{self, Escaped, Terminal, padded};
use super::super::paint::Paint;
use super::super::{count, escaped, plan_text, who, words as common};
use super::InventoryView;
use super::words::{day, fix, fix_of_several, message, restorable};
use crate::desired::{AuditKind, Severity};
use crate::inventory::{AuditFinding, Entry, GroupBy, Inventory, Owner, TargetInventory, Totals};
use crate::plan::LIST_PRICE_DATE;
use crate::sort_few::SortFew as _;

/// Secrets that are listed under a kind of finding; further ones are counted.
const LISTED: usize = 5;

/// Groups that are listed; further ones are counted.
const GROUPS: usize = 20;

/// Columns that a name is padded to at most; a longer one pushes its line out.
const NAME_COLUMNS: usize = 64;

/// The whole inventory: the secrets of each target, what was found, and the totals.
pub fn text(paint: Paint, view: &InventoryView<'_>) -> Escaped<Terminal> {
    let inventory = view.inventory;
    let failed = inventory.targets.iter().filter(|target| target.outcome.is_err()).count();
    let first = (failed > 0).then(|| -> Escaped<Terminal> {
        let words = escaped!("NOT LOOKED AT: {} of {}", failed, count(inventory.targets.len(), "target"));
        escaped!("{}\n\n", paint.error(words))
    });
    let mut out: Escaped<Terminal> = escaped!("{}", first);
    for target in &inventory.targets {
        out.push(&escaped!("{}\n", of_target(paint, inventory, target)));
    }
    // Where nothing could be looked at, nothing is known.
    if failed < inventory.targets.len() {
        out.push(&findings(paint, view));
        for by in &inventory.group_by {
            out.push(&groups(paint, inventory, by));
        }
        out.push(&summary(paint, view));
    }
    out
}

fn of_target(paint: Paint, inventory: &Inventory, target: &TargetInventory) -> Escaped<Terminal> {
    let TargetInventory { name, account, region, endpoint, outcome } = target;
    let mut out = plan_text::heading(paint, name, account.as_deref(), region, endpoint.as_deref());
    let stock = match outcome {
        Ok(stock) => stock,
        Err(error) => {
            out.push(&escaped!("\n  {}: {}\n", paint.error("unreachable"), target_line(error)));
            return out;
        }
    };
    if stock.entries.is_empty() {
        out.push(&"\n  no secrets\n");
        return out;
    }
    let names = stock.entries.iter().map(|entry| escape::line(entry.secret.name.as_str()).chars().count());
    let width = names.max().unwrap_or_default().clamp(6, NAME_COLUMNS);
    let owners = stock.entries.iter().map(|entry| owner(entry).chars().count());
    let owner_width = owners.max().unwrap_or_default().clamp(5, NAME_COLUMNS);
    let head: Escaped<Terminal> = escaped!(
        "  {}  {}  LAST READ   VALUE FROM  ROTATION  FINDINGS",
        padded::<Terminal>("SECRET", width),
        padded::<Terminal>("OWNER", owner_width)
    );
    out.push(&escaped!("\n{}\n", paint.faint(head)));
    for entry in &stock.entries {
        out.push(&line(paint, inventory, entry, width, owner_width));
    }
    if stock.ignored > 0 {
        out.push(&escaped!("  {} excused until a day\n", count(stock.ignored, "finding")));
    }
    out
}

fn owner(entry: &Entry) -> Escaped<Terminal> {
    match entry.owner.name() {
        Some(region) if matches!(entry.owner, Owner::Primary(_)) => escaped!("primary in {}", escape::line(region)),
        Some(name) => escape::line(name),
        None => "nobody".into(),
    }
}

fn line(paint: Paint, inventory: &Inventory, entry: &Entry, width: usize, owner_width: usize) -> Escaped<Terminal> {
    let secret = &entry.secret;
    let date = |moment: Option<jiff::Timestamp>, unknown: &'static str| -> Escaped<Terminal> {
        moment.map_or_else(|| unknown.into(), |moment| escape::line(&day(moment)))
    };
    let kinds = entry.findings.iter().map(|finding| -> Escaped<Terminal> {
        escaped!("{}", severity(paint, finding.severity(), finding.kind().word()))
    });
    let told: Escaped<Terminal> = match (secret.deleted_at, entry.replica_of.as_deref()) {
        (Some(since), _) => escape::line(&restorable(since, inventory.started)),
        (None, Some(region)) if entry.findings.is_empty() => escaped!("replica of {}", escape::line(region)),
        _ => Escaped::join(kinds, ", "),
    };
    let name = paint.strong(escape::line(secret.name.as_str()));
    let blank = width.saturating_sub(escape::line(secret.name.as_str()).chars().count());
    escaped!(
        "  {}{}  {}  {}  {}  {}  {}\n",
        name,
        padded::<Terminal>("", blank),
        padded(owner(entry), owner_width),
        padded(date(entry.last_read(), "never"), 10),
        padded(date(entry.value_since(), "-"), 10),
        padded::<Terminal>(entry.rotation(inventory.started).word(), 8),
        told
    )
}

fn severity(paint: Paint, severity: Severity, word: &'static str) -> Escaped<Terminal> {
    match severity {
        Severity::High => paint.error(word),
        Severity::Medium => paint.changed(word),
        Severity::Low => word.into(),
        Severity::Info => paint.faint(word),
    }
}

/// A finding with the secret and the target that it is of.
type Place<'a> = (&'a TargetInventory, &'a Entry, &'a AuditFinding);

/// Findings of one kind by what mends them; what can be mended here is told first.
fn by_fix<'a>(found: &[Place<'a>], inventory: &Inventory) -> Vec<(String, Vec<Place<'a>>)> {
    let mut groups: Vec<(String, Vec<Place<'a>>)> = Vec::new();
    for place in found {
        let (_, entry, finding) = place;
        let alike = fix_of_several(finding, None, entry, &inventory.rules);
        match groups.iter_mut().find(|(same, _)| *same == alike) {
            Some((_, group)) => group.push(*place),
            None => groups.push((alike, vec![*place])),
        }
    }
    for (alike, group) in &mut groups {
        let Some((target, entry, finding)) = group.first() else { continue };
        let first = fix(finding, target, entry, &inventory.rules);
        let same = group.iter().all(|(target, entry, finding)| fix(finding, target, entry, &inventory.rules) == first);
        let one_target = group.iter().all(|(other, ..)| other.name == target.name);
        *alike = match (same, one_target) {
            (true, _) => first,
            (false, true) => fix_of_several(finding, Some(target), entry, &inventory.rules),
            (false, false) => continue,
        };
    }
    let is_ours = |entry: &Entry| entry.manifest.is_some() || entry.owner.is_unmanaged();
    groups.sort_few_by_key(|(_, group)| !group.iter().any(|(_, entry, _)| is_ours(entry)));
    groups
}

/// What was found, by kind, each with what mends it.
fn findings(paint: Paint, view: &InventoryView<'_>) -> Escaped<Terminal> {
    let inventory = view.inventory;
    let mut by_kind: BTreeMap<AuditKind, Vec<Place<'_>>> = BTreeMap::new();
    for (target, entry) in inventory.entries() {
        for finding in &entry.findings {
            by_kind.entry(finding.kind()).or_default().push((target, entry, finding));
        }
    }
    let several = inventory.targets.len() > 1;
    let mut out = Escaped::default();
    for (kind, found) in by_kind {
        let checks = kind.checks().iter().map(|check| -> Escaped<Terminal> { escaped!("{} {}", check.tool, check.id) });
        let checks: Escaped<Terminal> = Escaped::join(checks, ", ");
        let checks = (!kind.checks().is_empty()).then(|| paint.faint(escaped!("  ({})", checks)));
        out.push(&escaped!(
            "{} {}: {}{}\n",
            severity(paint, kind.severity(), kind.severity().word()),
            paint.strong(kind.word()),
            count(found.len(), "secret"),
            checks
        ));
        let listed = if view.full { found.len() } else { LISTED };
        let mut left = listed;
        for (fix, alike) in by_fix(&found, inventory) {
            if left == 0 {
                break;
            }
            for (target, entry, finding) in alike.iter().take(left) {
                let place = several.then(|| paint.faint(escaped!("  {}", escape::line(&target.name))));
                let name = paint.strong(escape::line(entry.secret.name.as_str()));
                let words = escape::line(&message(finding, inventory));
                out.push(&escaped!("    {} {}{}\n", name, words, place));
                for line in finding.who.iter().flat_map(who::lines) {
                    out.push(&escaped!("        {}\n", paint.faint(escape::line(&line))));
                }
            }
            left = left.saturating_sub(alike.len());
            out.push(&escaped!("      {}\n", paint.faint(escape::line(&fix))));
        }
        if found.len() > listed {
            out.push(&escaped!("    and {} more: --full lists them\n", found.len() - listed));
        }
        out.push(&"\n");
    }
    out
}

fn groups(paint: Paint, inventory: &Inventory, by: &GroupBy) -> Escaped<Terminal> {
    let title: Escaped<Terminal> = match by {
        GroupBy::Target => "By target".into(),
        GroupBy::Owner => "By owner".into(),
        GroupBy::Tag(key) => escaped!("By the tag {}", escape::line(key.as_str())),
    };
    let groups = inventory.groups(by);
    let mut out = escaped!("{}\n", paint.strong(title));
    for group in groups.iter().take(GROUPS) {
        let name: Escaped<Terminal> = group.name.as_deref().map_or_else(|| "(without)".into(), escape::line);
        out.push(&escaped!("    {}  {}\n", padded(name, NAME_COLUMNS), amount(&group.totals)));
    }
    if groups.len() > GROUPS {
        out.push(&escaped!("    and {} more: --format json has them\n", groups.len() - GROUPS));
    }
    out.push(&"\n");
    out
}

/// `12 secrets, 4.80 USD a month`.
fn amount(totals: &Totals) -> Escaped<Terminal> {
    let secrets = count(totals.secrets, "secret");
    escaped!("{}, {} a month", secrets, common::usd::<Terminal>(totals.monthly_cents()))
}

/// Everything together, and what is not known.
fn summary(paint: Paint, view: &InventoryView<'_>) -> Escaped<Terminal> {
    let inventory = view.inventory;
    let totals = inventory.totals();
    let read = inventory.targets.iter().filter(|target| target.outcome.is_ok()).count();
    let found: usize = totals.findings.values().sum();
    let by_severity = Severity::ALL.iter().filter_map(|severity| {
        let number = totals.findings.get(severity)?;
        Some(escaped!("{} {}", *number, severity.word()))
    });
    let by_severity: Escaped<Terminal> = Escaped::join(by_severity, ", ");
    let by_severity = (found > 0).then(|| -> Escaped<Terminal> { escaped!(" ({})", by_severity) });
    let from: Escaped<Terminal> = escaped!("AWS's list price of {}, without calls", LIST_PRICE_DATE);
    let mut out: Escaped<Terminal> = escaped!(
        "{} in {}; {} ({}); {}{}.\n",
        count(totals.secrets, "secret"),
        count(read, "target"),
        escaped!("{} a month", common::usd::<Terminal>(totals.monthly_cents())),
        from,
        count(found, "finding"),
        by_severity
    );
    if totals.unused > 0 {
        let yearly = common::usd::<Terminal>(totals.unused_yearly_cents());
        out.push(&escaped!("{} nobody reads: {} a year.\n", count(totals.unused, "secret"), yearly));
    }
    let unread = inventory.entries().filter(|(_, entry)| entry.has_unread_replicas()).count();
    if unread > 0 {
        let secrets = count(unread, "secret");
        out.push(&escaped!("{} with replicas, which the cost lacks: --audit reads where they are.\n", secrets));
    }
    if !inventory.depth.audited {
        let words = "Policies, replicas, dates of versions and links with other accounts were not read: --audit does.";
        out.push(&escaped!("{}\n", paint.faint(words)));
    }
    out
}
