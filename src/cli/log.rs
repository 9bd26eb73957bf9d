//! Logs on standard error: nothing unless asked for.

use std::io::{self, Write};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{ParseError, Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::render::escape;

/// The variable that says what is logged.
const VARIABLE: &str = "KEYWRIGHT_LOG";

/// Starts logging: `-vv` debug, `-vvv` trace; `KEYWRIGHT_LOG` takes the directives of `RUST_LOG`, `TARGET=LEVEL` and
/// `LEVEL`, with commas between them.
///
/// The SDK and the HTTP stack below it log whole bodies at trace level, values included, so everything that is not
/// keywright's own is capped at debug whatever the filter says.
pub(super) fn start(verbose: u8) {
    let default = match verbose {
        0 | 1 => LevelFilter::OFF,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let asked = std::env::var(VARIABLE).unwrap_or_default();
    let filter = filter(&asked, default).unwrap_or_else(|_| {
        let asked = escape::block(&asked);
        // Whoever cannot be told cannot be shown a log either.
        let _ = writeln!(io::stderr(), "{VARIABLE} is left out of account, for `{asked}` is not LEVEL or TARGET=LEVEL");
        Targets::new().with_default(default)
    });
    let capped =
        filter_fn(|metadata| metadata.target().starts_with("keywright") || *metadata.level() <= tracing::Level::DEBUG);
    let layer = tracing_subscriber::fmt::layer().with_writer(|| EscapedLog);
    // In tests several runs share one process; the first one's subscriber stays.
    let _ = tracing_subscriber::registry().with(layer.with_filter(capped)).with(filter).try_init();
}

/// What `asked` lets through; with nothing asked, all of a level.
fn filter(asked: &str, default: LevelFilter) -> Result<Targets, ParseError> {
    if asked.trim().is_empty() { Ok(Targets::new().with_default(default)) } else { asked.parse() }
}

/// Standard error, with what others wrote made visible: events quote names, tags and messages of AWS.
struct EscapedLog;

impl Write for EscapedLog {
    /// Each event comes as one piece.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(escape::block(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn directives_are_levels_and_targets_with_levels() {
        let lets = |asked: &str, target: &str, level: Level| {
            filter(asked, LevelFilter::WARN).is_ok_and(|filter| filter.would_enable(target, &level))
        };
        assert!(lets("", "keywright", Level::WARN) && !lets(" ", "keywright", Level::INFO));
        assert!(lets("debug", "aws_config", Level::DEBUG) && !lets("off", "keywright", Level::ERROR));
        assert!(lets("keywright::live=trace,warn", "keywright::live::pages", Level::TRACE));
        assert!(!lets("keywright::live=trace,warn", "keywright::apply", Level::INFO));
        assert!(filter("keywright=loud", LevelFilter::OFF).is_err());
    }
}
