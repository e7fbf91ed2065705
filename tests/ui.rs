//! Services that the macro accepts, its errors for faulty ones, and rustc's errors for the rest.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot read its files has failed"
)]

mod explained;
mod marked;
mod random;
mod rustc;

use rustc::Package;

#[test]
fn legal_services_compile() {
    Package::of("ui/pass", "legal", "rpc-runtime", &["schemars"]).run();
}

#[test]
fn faults_are_explained() {
    let programs = Package::of("ui/fail", "faulty", "rpc-runtime", &["schemars"]).compile();
    explained::check(&programs);
}

/// rustc's texts change between versions, so only their main part and their line are compared.
#[test]
fn rustc_complains_once_and_at_the_right_line() {
    marked::check(&Package::of("ui/rustc", "refused", "rpc-runtime", &[]).compile());
}

#[test]
fn random_well_formed_services_compile_without_a_warning() {
    let source = random::services(60);
    for (_, compiled) in Package::from_source("random-services", &source).compile() {
        assert!(compiled.messages.is_empty(), "{}\n{source}", compiled.texts());
    }
}

#[test]
fn users_need_only_the_runtime_serde_and_tokio() {
    Package::of("ui/user", "user", "rpc-runtime", &[]).run();
}

#[test]
fn the_runtime_may_have_another_name() {
    Package::of("ui/renamed", "renamed", "framework", &[]).run();
}
