//! What an import says: what it left out, and what its proof came to.

use std::collections::BTreeMap;

use super::paint::Paint;
use super::{escape, finding_help, finding_text, plan_text, words};
use crate::import::{LeftOut, Proof, Reason};
use crate::plan::PlanReport;

/// Names of one reason that are listed one by one; further ones are counted.
const LISTED: usize = 20;

/// The secrets that were left out, by reason; empty when there are none.
pub fn left_out(left_out: &[LeftOut]) -> String {
    let mut by_reason: BTreeMap<&Reason, Vec<&str>> = BTreeMap::new();
    for LeftOut { name, reason } in left_out {
        by_reason.entry(reason).or_default().push(name.as_str());
    }
    let mut out = String::new();
    for (reason, names) in by_reason {
        if *reason == Reason::Named {
            // What is imported already is nothing to look into.
            out.push_str(&format!("left out, {}: {}\n", reason_text(reason), words::count(names.len(), "secret")));
            continue;
        }
        out.push_str(&format!("left out, {}:\n", reason_text(reason)));
        for name in names.iter().take(LISTED) {
            out.push_str(&format!("  {}\n", escape::line(name)));
        }
        if names.len() > LISTED {
            out.push_str(&format!("  and {} more\n", names.len() - LISTED));
        }
    }
    out
}

fn reason_text(reason: &Reason) -> String {
    match reason {
        Reason::Named => "since manifests name them".to_owned(),
        Reason::Orphaned => "since this project owns it already and its manifest is gone (--all imports it)".to_owned(),
        Reason::Foreign { owner } => format!("since it belongs to {}", escape::line(owner)),
        Reason::OwnedByService { service } => format!("since the AWS service {} owns it", escape::line(service)),
        Reason::Replica { primary_region } => {
            format!("since it is a replica: import it in {}", escape::line(primary_region.as_str()))
        }
        Reason::ScheduledForDeletion => "since it is scheduled for deletion".to_owned(),
        Reason::NameNotAllowed => "since no manifest can name it".to_owned(),
        Reason::TooManyTags => "since it has 50 tags, and keywright needs one for the owner".to_owned(),
        Reason::OutOfScope => "since it is outside the project's scope".to_owned(),
        Reason::OtherPlace { place } => format!("since it is in another account or region, {}", escape::line(place)),
    }
}

/// Tags that all imported secrets share, as a proposal for the project's defaults.
pub fn shared_tags(tags: &BTreeMap<String, String>) -> String {
    let listed: Vec<String> =
        tags.iter().map(|(key, value)| format!("{} = {}", escape::line(key), escape::line(value))).collect();
    format!("all of them have {}: spec.defaults.tags of the project could say it once", listed.join(", "))
}

/// The verdict, and the plan of what is more than an adoption. A state is what Terraform last saw, which may not be
/// live.
pub fn proof(paint: Paint, proof: &Proof, from_state: bool) -> String {
    let Proof { adopted, unchanged, missing, remaining, obstacles } = proof;
    if proof.holds() {
        let by = if from_state { " by the state" } else { "" };
        let but = match (adopted, unchanged) {
            (0, _) => String::new(),
            (adopted, 0) => format!(" but for the owner tag ({adopted} to adopt)"),
            (adopted, unchanged) => format!(" but for the owner tag ({adopted} to adopt; {unchanged} unchanged)"),
        };
        let next = if from_state { "`keywright plan` says whether that is what is live.\n" } else { "" };
        return format!("Proven{by}: the plan is empty{but}.\n{next}");
    }
    let mut out = String::new();
    for name in missing {
        out.push_str(&format!("  {}: no manifest of the project names it after all\n", escape::line(name.as_str())));
    }
    for finding in obstacles {
        out.push_str(&format!("  {}: {}\n", escape::line(finding.secret.as_str()), finding_text(finding)));
        if let Some(help) = finding_help(finding) {
            out.push_str(&format!("      {help}\n"));
        }
    }
    if !remaining.is_empty() {
        // The findings that matter here are above.
        out.push_str(&plan_text::target(paint, remaining, &PlanReport::default()));
    }
    let odd = missing.len() + obstacles.len() + remaining.secrets.len();
    out.push_str(&format!(
        "\n{}: the plan of {} is more than an adoption ({adopted} to adopt).\n",
        paint.error("Not proven"),
        words::count(odd, "secret")
    ));
    out
}
