//! Nothing: this package is a list of features. See its `Cargo.toml`.
