//! Enough open files for the connections of a fleet: each target has connections of its own, and systems begin with few
//! files (1,024 on many Linux systems, 256 on macOS).

/// More than this no run has use for: 16 targets with some hundred connections each.
#[cfg(unix)]
const ENOUGH: u64 = 8_192;

/// Raises this process's own limit as far as the system allows. A system that does not let us is no reason not to run:
/// a smaller fleet needs less.
pub(super) fn raise_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.map_or(ENOUGH, |maximum| maximum.min(ENOUGH));
        if current.is_none_or(|current| current >= wanted) {
            return;
        }
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }) {
            tracing::debug!(%error, "the limit of open files could not be raised");
        }
    }
}
