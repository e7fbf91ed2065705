//! stub
/// Broker.
#[derive(Debug, Clone)]
pub struct Broker;
