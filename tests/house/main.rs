//! Checks the order of modules in `rpc-runtime`, and ARCHITECTURE.md against the code. It reads sources and starts nothing.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; here also if it cannot read its files"
)]

mod crate_files;
mod documented;
mod names;
mod order;
mod picture;
mod public_types;
mod reader;
mod signatures;

use crate_files::ARROWS;

#[test]
fn every_module_has_a_place_in_the_order() {
    let problems = order::without_a_place(&ARROWS);
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn no_module_names_a_later_one() {
    let problems = order::broken(&ARROWS);
    assert!(problems.is_empty(), "\n{}\n\n{}", problems.join("\n"), order::RULE);
}

#[test]
fn every_exception_is_still_needed() {
    let problems = order::needless(&ARROWS);
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn the_picture_of_modules_is_true() {
    let drawn = picture::draw(&ARROWS);
    picture::compare(&drawn);
}
