//! What is said of a day-2 command before it is asked about, and when it is done.

use super::escape::{self, Escaped, Terminal};
use super::paint::Paint;
use super::{escaped, words};
use crate::domain::{Region, StagingLabel, VersionId};
use crate::manifest::{Diagnostics, Severity};
use crate::workflow::{Call, Caution, Intended, PrimaryPlace};

/// What the call does.
pub fn consequences(paint: Paint, intended: &Intended) -> Escaped<Terminal> {
    let secret = &intended.found.secret;
    let name = paint.strong(escape::line(secret.name.as_str()));
    let mut out = match &intended.call {
        Call::Rollback { from, to } => rollback(paint, &name, from, to),
        Call::Rotate => escaped!(
            "{}: gets a new value now{}\n\n  readers of AWSCURRENT get the new one as soon as the rotation ends; the \
             old one stays as AWSPREVIOUS\n",
            name,
            secret.rotation_setup().map(|setup| -> Escaped<Terminal> { escaped!(", {}", words::rotation(&setup)) }),
        ),
        Call::Repair { version } => escaped!(
            "{}: {} is taken from {}\n\n  {}\n  the version may be removed by Secrets Manager once it has no label; \
             the current version stays as it is\n",
            name,
            StagingLabel::PENDING,
            escape::line(version.as_str()),
            paint.warning(
                "when the function had changed the database or service already, that version is the only valid \
                 credential"
            ),
        ),
        Call::StopRotation => escaped!("{}: is not rotated any more; its value stays\n", name),
        Call::Restore { deleted } => {
            let when = escape::time::<Terminal>(*deleted, "%Y-%m-%d %H:%M UTC");
            escaped!("{}: its deletion was asked for on {}\n", name, when)
        }
        Call::Promote { primary: PrimaryPlace::Region(primary), replica } => promotion(&name, primary, replica),
        Call::Promote { primary: PrimaryPlace::Account(primary), replica: _ } => escaped!(
            "{}: the replica of {} becomes a secret of its own\n\n  \
             its primary's changes no longer reach it, and the policy that AWS attached for that is taken off\n  \
             it keeps its value, its key and its ARN, and is read as before\n  \
             to make it a replica again, it must be deleted first\n",
            name,
            escape::line(primary.as_str())
        ),
    };
    for caution in &intended.cautions {
        if let Caution::LosesLastLabel { version } = caution {
            out.push(&escaped!(
                "  {} loses its last label, is deprecated then, and may be removed by Secrets Manager\n",
                escape::line(version.as_str())
            ));
        }
    }
    out
}

fn rollback(paint: Paint, name: &Escaped<Terminal>, from: &VersionId, to: &VersionId) -> Escaped<Terminal> {
    let (from, to) = (escape::line(from.as_str()), escape::line(to.as_str()));
    escaped!("{}\n\n  AWSCURRENT   {} → {}\n  AWSPREVIOUS  → {}\n", name, paint.removed(&from), paint.added(to), from,)
}

fn promotion(name: &Escaped<Terminal>, primary: &Region, replica: &Region) -> Escaped<Terminal> {
    let (primary, region) = (escape::line(primary.as_str()), escape::line(replica.as_str()));
    escaped!(
        "{}: the replica in {} becomes a secret of its own\n\n  \
         changes in {}, rotations included, no longer reach {}\n  \
         the secret in {} keeps its value, its key and its ARN, and is read as before\n  \
         to make it a replica again, `overwrite: true` replaces it, or it is deleted in {} first\n",
        name,
        region,
        primary,
        region,
        region,
        region,
    )
}

/// That nothing is known of what git wants, and why.
pub fn manifests_not_read(name: &str, mistakes: &Diagnostics) -> Escaped<Terminal> {
    let first = mistakes.iter().find(|found| found.severity == Severity::Error).map(|found| &found.place.origin);
    escaped!(
        "the manifests have mistakes{}: what they say of {} is not known; keywright validate shows them\n",
        first.map(|origin| -> Escaped<Terminal> { escaped!(", the first in {}", escape::line(&origin.to_string())) }),
        escape::line(name),
    )
}

/// What somebody should be warned of before they agree.
pub fn warnings(intended: &Intended) -> impl Iterator<Item = Escaped<Terminal>> {
    intended.cautions.iter().filter_map(warning)
}

fn warning(caution: &Caution) -> Option<Escaped<Terminal>> {
    Some(match caution {
        Caution::LosesLastLabel { .. } => return None,
        Caution::RotationOwnsValue { last } => escaped!(
            "rotation owns this value (last on {}): the credential in an earlier version may no longer work",
            escape::time::<Terminal>(*last, "%Y-%m-%d")
        ),
        Caution::GitHoldsAnother { origin } => escaped!(
            "git still holds another value ({}:{}): change it there too, or the next apply puts it back",
            escape::line(&origin.file),
            origin.line
        ),
        Caution::GitMayHoldAnother { origin } => escaped!(
            "git may hold another value ({}:{}): change it there too, or an apply with --read-values puts it back",
            escape::line(&origin.file),
            origin.line
        ),
        Caution::GitHoldsSeed { origin } => escaped!(
            "git holds another value ({}:{}), or may: it is a seed, and no apply puts it in the place of this one",
            escape::line(&origin.file),
            origin.line
        ),
        Caution::GitNotRead => escaped!("if git holds another value, the next apply puts that back"),
        Caution::RotationDeclared { origin } => {
            escaped!("{} declares rotation: the next apply switches it on again", escape::line(&origin.to_string()))
        }
        Caution::ReplicaDeclared { origin, region } => escaped!(
            "{} still wants a replica in {}: remove it there, or the next apply tries again and fails",
            escape::line(&origin.to_string()),
            escape::line(region.as_str())
        ),
        Caution::PrimaryDeclared { origin } => escaped!(
            "{} still declares its primary: write crossAccountPrimary: null there, or the next apply refuses it",
            escape::line(&origin.to_string())
        ),
        Caution::NoManifest => {
            escaped!("no manifest names it: it will be an orphan, and is deleted again where prune is delete")
        }
        Caution::MovesAgain { to, origin } => escaped!(
            "{} gives it the name {} (metadata.renamedFrom): the next apply moves it there, and deletes it again",
            escape::line(&origin.to_string()),
            escape::line(to.as_str())
        ),
        Caution::RotationStaysOff { declared } => {
            let next =
                if *declared { "the next apply sets up what its manifest declares" } else { "no manifest declares it" };
            escaped!("rotation stays off, since the deletion switched it off: {}", next)
        }
        Caution::DeclaredAbsent { origin } => {
            escaped!("{} says state: absent, so the next apply deletes it again", escape::line(&origin.to_string()))
        }
    })
}

/// What is asked, without the place.
pub fn question(call: &Call) -> &'static str {
    match call {
        Call::Rollback { .. } => "Roll it back",
        Call::Rotate => "Rotate it",
        Call::Repair { .. } => "Take the label away",
        Call::StopRotation => "Switch rotation off",
        Call::Restore { .. } => "Restore it",
        Call::Promote { .. } => "Promote it",
    }
}

/// What was done. `version` is the one that a rotation makes.
pub fn done(intended: &Intended, version: Option<&VersionId>) -> Escaped<Terminal> {
    let name = escape::line(intended.found.secret.name.as_str());
    match &intended.call {
        Call::Rollback { to, .. } => escaped!("{}: AWSCURRENT is on {} now.", name, escape::line(to.as_str())),
        Call::Rotate => {
            let version =
                version.map(|version| -> Escaped<Terminal> { escaped!(" to {}", escape::line(version.as_str())) });
            escaped!("{}: the rotation{} has begun.", name, version)
        }
        Call::Repair { .. } => {
            let is_on = intended.found.secret.rotation_setup().is_some();
            let next = if is_on { "`keywright rotate` starts a rotation" } else { "Rotation is off" };
            escaped!("{}: repaired. {}.", name, next)
        }
        Call::StopRotation => escaped!("{}: rotation is off.", name),
        Call::Restore { .. } => escaped!("{}: restored.", name),
        Call::Promote { replica, .. } => {
            escaped!("{}: a secret of its own in {} now.", name, escape::line(replica.as_str()))
        }
    }
}
