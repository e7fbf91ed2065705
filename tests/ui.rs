//! Services that the macro accepts, its errors for faulty ones, and rustc's errors for the rest.

#![allow(clippy::expect_used, reason = "a test that cannot read its files has failed")]

mod random;
mod rustc;

#[test]
fn legal_services_compile() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}

#[test]
fn faults_are_explained() {
    trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
}

/// rustc's texts change between versions, so only their main part and their line are compared.
#[test]
fn rustc_reports_each_error_once() {
    rustc::check("ui/rustc");
}

#[test]
fn random_well_formed_services_compile_without_a_warning() {
    let source = random::services(60);
    let complaints = rustc::complaints("random-services", &source);
    assert!(complaints.is_empty(), "{complaints}\n{source}");
}

#[test]
fn users_need_only_runtime_serde_and_tokio() {
    rustc::run("ui/user", "rpc-runtime");
}

#[test]
fn the_runtime_may_have_another_name() {
    rustc::run("ui/renamed", "framework");
}
