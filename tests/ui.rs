//! What the macro accepts, and what it says of what it does not.

#[test]
fn legal_services_compile() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}

#[test]
fn faults_are_explained() {
    trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
}
