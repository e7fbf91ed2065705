//! Generated code passes the strictest lints.

#![deny(
    missing_docs,
    missing_debug_implementations,
    missing_copy_implementations,
    unused,
    unused_qualifications,
    unused_results,
    unused_lifetimes,
    unused_import_braces,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unreachable_pub,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    let_underscore_drop,
    non_ascii_idents,
    nonstandard_style,
    future_incompatible,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    warnings,
    clippy::all,
    clippy::pedantic
)]
#![forbid(unsafe_code)]

use rpc_runtime::rpc_service;

/// This one is neither called nor implemented.
#[rpc_service]
trait Unused {
    async fn undocumented(&self, a: u32) -> Result<u32, u32>;
}

/// All methods return a `Result`.
#[rpc_service]
pub trait Fallible {
    /// One.
    ///
    /// # Errors
    ///
    /// When it is late.
    async fn one(&self, first: String, second: Vec<u8>) -> Result<u32, String>;

    /// Two.
    ///
    /// # Errors
    ///
    /// When it is early.
    #[rpc(blocking)]
    fn two(&self) -> Result<(), String>;
}

/// None does, and one has many arguments.
#[rpc_service]
pub trait Infallible {
    /// One.
    #[allow(clippy::too_many_arguments)]
    async fn one(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> u32;

    /// Two.
    #[rpc(oneway)]
    async fn two(&self);

    /// With a name from another convention.
    #[allow(non_snake_case)]
    async fn getThree(&self) -> u8;

    /// Expects a warning.
    #[expect(non_snake_case)]
    async fn getFour(&self) -> u8;
}

fn main() {}
