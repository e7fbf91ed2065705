//! Shared parts of the measured programs, so that they differ only in how they call.

pub mod arguments;
mod report;
mod service;
mod window;

pub use report::{Meter, Report, begin};
pub use service::{Least, LeastClient, LeastServer, Worker};
pub use window::{increment, keep_in_flight};

/// The error that ends a program.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
