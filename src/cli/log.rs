//! Logs on standard error: nothing unless asked for.

use std::io::{self, Write};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::render::escape;

/// Starts logging: `-vv` debug, `-vvv` trace; `KEYWRIGHT_LOG` takes the directives of `RUST_LOG`.
///
/// The SDK and the HTTP stack below it log whole bodies at trace level, values included, so everything that is not
/// keywright's own is capped at debug whatever the filter says.
pub(super) fn start(verbose: u8) {
    let default = match verbose {
        0 | 1 => LevelFilter::OFF,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let filter =
        EnvFilter::builder().with_default_directive(default.into()).with_env_var("KEYWRIGHT_LOG").from_env_lossy();
    let capped =
        filter_fn(|metadata| metadata.target().starts_with("keywright") || *metadata.level() <= tracing::Level::DEBUG);
    let layer = tracing_subscriber::fmt::layer().with_writer(|| EscapedLog).with_ansi(false);
    // In tests several runs share one process; the first one's subscriber stays.
    let _ = tracing_subscriber::registry().with(layer.with_filter(capped)).with(filter).try_init();
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
