//! What the macro accepts, what it says of what it does not accept, and what rustc says of the rest.

mod rustc;

#[test]
fn legal_services_compile() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}

#[test]
fn faults_are_explained() {
    trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
}

/// The words are rustc's, and change with it; so only their core is expected, and the line that they point at.
#[test]
fn rustc_complains_once_and_at_the_right_line() {
    rustc::check("ui/rustc");
}
