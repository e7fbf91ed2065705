//! The services that the examples serve and call.

pub(crate) mod fibonacci;
pub(crate) mod plus_hundred;
pub(crate) mod tutorial;
