//! The table by room, and what was missed.

use std::collections::BTreeMap;

use crate::judge::{Outcome, Results};
use crate::list::Mutant;

/// How many mutants of a room came to what.
#[derive(Default)]
struct Counts {
    by_outcome: BTreeMap<Outcome, usize>,
    open: usize,
}

impl Counts {
    fn of(&self, outcome: Outcome) -> usize {
        self.by_outcome.get(&outcome).copied().unwrap_or(0)
    }

    fn row(&self, room: &str) -> String {
        let caught = self.of(Outcome::Caught) + self.of(Outcome::TimedOut);
        let missed = self.of(Outcome::Missed) + self.of(Outcome::Unreached);
        let viable = caught + missed;
        let percent = if viable == 0 { "–".to_owned() } else { format!("{:.1} %", percentage(caught, viable)) };
        format!(
            "| {room} | {viable} | {} | {} | {missed} | {percent} | {} | {} | {} |\n",
            self.of(Outcome::Caught),
            self.of(Outcome::TimedOut),
            self.of(Outcome::NotViable),
            self.of(Outcome::NotExpressed),
            self.open,
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of mutants are small")]
fn percentage(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}

/// The table in Markdown, then a line for each mutant that was missed and each that was not expressed.
pub fn report(mutants: &[Mutant], results: &Results) -> String {
    let mut rooms: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut total = Counts::default();
    let mut lines = String::new();
    for mutant in mutants {
        let outcome = results.of(mutant);
        for counts in [rooms.entry(mutant.room()).or_default(), &mut total] {
            match outcome {
                Some(outcome) => *counts.by_outcome.entry(outcome).or_default() += 1,
                None => counts.open += 1,
            }
        }
        let words = match outcome {
            Some(Outcome::Missed) => "missed",
            Some(Outcome::Unreached) => "missed, no test reaches it",
            Some(Outcome::NotExpressed) => "not expressed",
            Some(Outcome::NotViable | Outcome::Caught | Outcome::TimedOut) | None => continue,
        };
        lines.push_str(&format!("{}: {words}\n", mutant.name));
    }
    let mut text = String::from(
        "| room | viable | caught | timed out | missed | of the viable | not viable | not expressed | not tried |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for (room, counts) in &rooms {
        text.push_str(&counts.row(room));
    }
    text.push_str(&total.row("all"));
    format!("{text}\n{lines}")
}
