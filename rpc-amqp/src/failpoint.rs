//! Places where a test can end the process, to simulate a crash or a power cut.

/// Ends the process if the environment names this place in `RPC_FAILPOINT`.
pub(crate) fn reach(place: &str) {
    if std::env::var_os("RPC_FAILPOINT").is_some_and(|named| named == place) {
        std::process::abort();
    }
}
