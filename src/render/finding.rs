//! Findings as sentences.

use super::escape;
use crate::plan::{Finding, FindingKind};

/// What was found, in one sentence without the secret's name.
pub fn finding_text(finding: &Finding) -> String {
    let changed = |date: &Option<jiff::Timestamp>| {
        date.map_or_else(String::new, |date| format!(" (last changed {})", date.strftime("%Y-%m-%d %H:%M UTC")))
    };
    match &finding.kind {
        FindingKind::Unmanaged { last_changed } => {
            format!("is live and in scope, and no manifest names it{}", changed(last_changed))
        }
        FindingKind::Orphaned { last_changed } => {
            format!("belongs to this project, and no manifest names it any more{}", changed(last_changed))
        }
        FindingKind::Foreign { owner } => format!("belongs to {}, not to this project", escape::line(owner)),
        FindingKind::ForeignInScope { owner } => format!("is in scope and belongs to {}", escape::line(owner)),
        FindingKind::OwnedByService { service } => {
            format!("is managed by the AWS service {}, and is read-only for everybody else", escape::line(service))
        }
        FindingKind::Replica { primary_region } => {
            format!("is a replica here; its primary is in {}", escape::line(primary_region))
        }
        FindingKind::NotCarriedOut(part) => {
            format!(
                "declares {} ({}), which this version of keywright checks but cannot apply yet",
                part.field, part.origin
            )
        }
        FindingKind::LooksRenamed { from } => {
            format!("looks like a renamed {}", escape::line(from.as_str()))
        }
        FindingKind::RotationPending { version } => format!(
            "has AWSPENDING on {}, which is not the current version: a rotation is stuck, and its value is left alone",
            escape::line(version)
        ),
        FindingKind::ValueReEncrypted => "was re-encrypted in git: its value is the live one".to_owned(),
        FindingKind::ValueUnknown => "may or may not have the declared value: it was not read".to_owned(),
        FindingKind::ValueUnreadable { reason } => {
            format!("has a value that could not be compared: {}", escape::line(reason))
        }
        FindingKind::DependencyNotSelected { dependency } => {
            format!("needs {}, which does not exist and is not selected", escape::line(dependency.as_str()))
        }
        FindingKind::DependencyAbsent { dependency } => {
            format!("needs {}, whose manifest says state: absent", escape::line(dependency.as_str()))
        }
    }
}

/// What can be done about it.
pub fn finding_help(finding: &Finding) -> Option<String> {
    let help = match &finding.kind {
        FindingKind::Unmanaged { .. } => "write a manifest for it and it will be adopted, or leave it",
        FindingKind::Orphaned { .. } => {
            "delete it with state: absent in a manifest, keep it with `keywright release`, or set prune in the project"
        }
        FindingKind::Foreign { .. } => "only its owner may change it, or release it with `keywright release`",
        FindingKind::ForeignInScope { .. } => "two projects share this scope: narrow one of them",
        FindingKind::OwnedByService { .. } => "remove its manifest, and change the secret through that service",
        FindingKind::Replica { .. } => "manage it from the target of its primary's region",
        FindingKind::NotCarriedOut(_) => "leave the field out for now",
        FindingKind::LooksRenamed { .. } => {
            "AWS cannot rename a secret: the new one starts without a value, so copy it before the old one goes"
        }
        FindingKind::RotationPending { .. } => {
            "a put would drop what may be the only valid credential: let the rotation finish, or remove the label by hand"
        }
        FindingKind::ValueReEncrypted => "nothing needs to be done",
        FindingKind::ValueUnknown => "--read-values reads and compares it",
        FindingKind::ValueUnreadable { .. } => "it was left alone; check the permission to read it, and the key",
        FindingKind::DependencyNotSelected { .. } => "select it too, or apply it first",
        FindingKind::DependencyAbsent { .. } => "remove the dependency, or let the other secret be present",
    };
    Some(help.to_owned())
}
