//! Places where a test can end the process, as a crash or a power cut would.

/// Ends the process if the environment names this place in `RPC_FAILPOINT`.
pub(crate) fn reach(place: &str) {
    if std::env::var_os("RPC_FAILPOINT").is_some_and(|named| named == place) {
        std::process::abort();
    }
}
