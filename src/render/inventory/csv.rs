//! The inventory as CSV (RFC 4180): a line for each secret, for a spreadsheet.

use super::super::escape::{self, Csv, Escaped, Format};
use super::super::{escaped, words as common};
use super::words::day;
use crate::domain::{KmsKey, Region};
use crate::inventory::{Entry, Inventory, TargetInventory};
use crate::live::LivePolicy;

/// The columns.
const COLUMNS: [&str; 24] = [
    "target",
    "account",
    "region",
    "secret",
    "arn",
    "owner_kind",
    "owner",
    "team",
    "description",
    "kms_key",
    "created",
    "changed",
    "last_read",
    "value_since",
    "rotation",
    "last_rotated",
    "next_rotation",
    "replicas",
    "scheduled_for_deletion",
    "readers",
    "other_accounts",
    "public",
    "monthly_usd",
    "findings",
];

/// The inventory as CSV, with a line of names first. What a spreadsheet would take for a formula is made text.
pub fn csv(inventory: &Inventory) -> Escaped<Csv> {
    let mut out: Escaped<Csv> = escaped!("{}\r\n", Escaped::join(COLUMNS, ","));
    for (target, entry) in inventory.entries() {
        out.push(&escaped!("{}\r\n", Escaped::join(fields(inventory, target, entry), ",")));
    }
    out
}

fn fields(inventory: &Inventory, target: &TargetInventory, entry: &Entry) -> Vec<Escaped<Csv>> {
    let text = |text: &str| escape::csv(text);
    let maybe = |text: Option<&str>| escape::csv(text.unwrap_or_default());
    let date = |moment: Option<jiff::Timestamp>| escape::csv(&moment.map(day).unwrap_or_default());
    let Entry { secret, exposure, .. } = entry;
    let readers: Vec<String> =
        exposure.readers.iter().map(|who| super::super::policy_words::who(who).into_owned()).collect();
    let accounts: Vec<&str> = exposure.other_accounts.iter().map(String::as_str).collect();
    let replicas: Vec<&str> = secret.replicas.keys().map(Region::as_str).collect();
    let findings: Vec<&str> = entry.findings.iter().map(|finding| finding.kind().word()).collect();
    let public = match secret.policy {
        LivePolicy::Document(_) if exposure.public => "yes",
        LivePolicy::Document(_) | LivePolicy::None => "no",
        LivePolicy::NotRead | LivePolicy::Unreadable | LivePolicy::Unparsable(_) => "",
    };
    vec![
        text(&target.name),
        maybe(target.account.as_deref()),
        text(&target.region),
        text(secret.name.as_str()),
        text(secret.arn.as_str()),
        text(entry.owner.word()),
        maybe(entry.owner.name()),
        maybe(entry.team.as_deref()),
        maybe(secret.description.as_deref()),
        maybe(secret.kms_key_id.as_ref().map(KmsKey::as_str)),
        date(secret.created),
        date(secret.last_changed),
        date(entry.last_read()),
        date(entry.value_since()),
        text(entry.rotation(inventory.started).word()),
        date(secret.rotation.last),
        date(secret.rotation.next),
        text(&replicas.join(" ")),
        date(secret.deleted_at),
        text(&readers.join("; ")),
        text(&accounts.join(" ")),
        text(public),
        amount(entry.billed),
        text(&findings.join(" ")),
    ]
}

/// A number of dollars, without their name.
fn amount<F: Format>(billed: u64) -> Escaped<F> {
    let cents = billed * crate::plan::LIST_PRICE_CENTS;
    common::dollars(cents)
}
