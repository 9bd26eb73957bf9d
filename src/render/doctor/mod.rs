//! What `keywright doctor` found: a report for people, and JSON. It is made to be pasted into a public issue, so that
//! names, accounts, paths and the service's own texts are left out of it, unless they are asked for; regions, kinds,
//! numbers and error codes stay.

mod json;
mod words;

#[cfg(test)]
pub(super) use json::DoctorDocument;
pub use json::{FORMAT_VERSION, json};

use super::escape::{self, Escaped, Terminal};
use super::escaped;
use super::paint::Paint;
use crate::workflow::{Check, Checkup, TargetCheckup, Verdict};
use words::{Names, Words, words};

/// The word of a verdict.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "ok",
        Verdict::Warning => "warning",
        Verdict::Failed => "failed",
        Verdict::Unknown => "unknown",
    }
}

/// The column in which messages begin.
const MARGIN: usize = 32;

/// The four words, the worst last.
const VERDICTS: [Verdict; 4] = [Verdict::Good, Verdict::Warning, Verdict::Unknown, Verdict::Failed];

fn number(checkup: &Checkup, verdict: Verdict) -> usize {
    checkup.all().filter(|check| check.verdict() == verdict).count()
}

/// How it was built.
const BUILD: &str = if cfg!(debug_assertions) { "debug" } else { "release" };

/// What this keywright is: `keywright 0.2.0 (release, x86_64 linux)`.
fn build() -> String {
    let (version, machine, system) = (env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, std::env::consts::OS);
    format!("keywright {version} ({BUILD}, {machine} {system})")
}

/// The report; `show_names` leaves nothing out.
pub fn text(paint: Paint, checkup: &Checkup, show_names: bool) -> Escaped<Terminal> {
    let names = Names::new(show_names);
    let mut out: Escaped<Terminal> = escaped!("{}\n", paint.strong(escape::line(&build())));
    if checkup.embedded {
        out.push(&"in the embedded sandbox: nothing of AWS was asked\n");
    }
    out.push(&"\n");
    lines(paint, &checkup.checks, &names, &mut out);
    for TargetCheckup { name, account, region, checks } in &checkup.targets {
        let account = account.as_ref().map_or_else(|| "any account".to_owned(), |account| names.account(account));
        let place: Escaped<Terminal> = escaped!("  {} · {}", escape::line(&account), escape::line(region));
        let name = names.of("target", name);
        out.push(&escaped!("\n{}{}\n", paint.strong(escape::line(&name)), paint.faint(place)));
        lines(paint, checks, &names, &mut out);
    }
    let counts = VERDICTS.into_iter().map(|verdict| (number(checkup, verdict), verdict));
    let counts = counts.filter(|(number, _)| *number > 0);
    let counts =
        counts.map(|(number, verdict)| -> Escaped<Terminal> { escaped!("{} {}", number, painted(paint, verdict, 0)) });
    out.push(&escaped!("\n{}\n", Escaped::join(counts, ", ")));
    if !show_names {
        out.push(&escaped!("{}\n", paint.faint("Names and accounts are left out: --show-names has them.")));
    }
    out
}

fn painted(paint: Paint, verdict: Verdict, width: usize) -> Escaped<Terminal> {
    let word: Escaped<Terminal> = escape::padded(word(verdict), width);
    match verdict {
        Verdict::Good => paint.added(word),
        Verdict::Warning => paint.warning(word),
        Verdict::Failed => paint.error(word),
        Verdict::Unknown => paint.faint(word),
    }
}

fn lines(paint: Paint, checks: &[Check], names: &Names, out: &mut Escaped<Terminal>) {
    for check in checks {
        let Words { subject, message, to_do } = words(check, names);
        let line: Escaped<Terminal> = escaped!(
            "  {} {} {}",
            painted(paint, check.verdict(), 8),
            escape::padded(escape::line(subject), 20),
            escape::line(&message)
        );
        out.push(&escaped!("{}\n", paint.line(&line, MARGIN)));
        if let Some(to_do) = to_do {
            for line in escape::block(&to_do).each_line() {
                let line: Escaped<Terminal> =
                    escaped!("{}{}", escape::padded::<Terminal>("", MARGIN), paint.faint(line));
                out.push(&escaped!("{}\n", paint.line(&line, MARGIN)));
            }
        }
    }
}
