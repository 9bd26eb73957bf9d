//! What is waited for, as a line for people.

use super::escape::{Escaped, Terminal, escaped, line};
use super::words::count;
use crate::live::{Propagating, Waiting};

/// One line.
pub fn waiting(waiting: &Waiting<'_>) -> Escaped<Terminal> {
    match *waiting {
        Waiting::Throttled { operation } => {
            escaped!("AWS throttles {}: slowing down, and trying again", line(operation))
        }
        Waiting::Unreachable { operation, place, message } => {
            escaped!("no answer from {} ({}: {}): trying again", line(place), line(operation), line(message))
        }
        Waiting::Slow { trying, place } => escaped!("waiting for {} ({})", line(place), line(trying)),
        Waiting::Propagation { operation, of, limit } => {
            let until = match of {
                Propagating::Principal => "every principal that the policy names is known",
                Propagating::Invocation => "Secrets Manager may invoke the function",
                Propagating::Name => "the name is free after a deletion",
                Propagating::Grant => "the KMS key may be used",
            };
            let seconds = count(usize::try_from(limit.as_secs()).unwrap_or(usize::MAX), "second");
            escaped!("{}: trying for up to {} until {}", line(operation), seconds, line(until))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn lines_say_what_is_tried_and_for_how_long() {
        let limit = Duration::from_mins(1);
        let of = |of| waiting(&Waiting::Propagation { operation: "PutResourcePolicy", of, limit }).into_owned();
        assert_eq!(
            of(Propagating::Principal),
            "PutResourcePolicy: trying for up to 60 seconds until every principal that the policy names is known"
        );
        let hostile = Waiting::Unreachable { operation: "ListSecrets", place: "http://x", message: "a\u{1b}[2J\nb" };
        let shown = waiting(&hostile).into_owned();
        assert!(!shown.contains('\u{1b}') && !shown.contains('\n'), "{shown}");
    }
}
