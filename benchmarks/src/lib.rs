//! What the programs under measurement share, so that they differ in how they call and in nothing else.

pub mod arguments;
mod report;
mod service;
mod window;

pub use report::{Meter, Report, begin};
pub use service::{Least, LeastClient, LeastServer, Worker};
pub use window::{increment, keep_in_flight};

/// What ends a program that cannot go on.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
