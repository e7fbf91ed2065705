//! The list of tests that lapin makes impossible.

use std::{env, process::Command};

use rpc_tests::IMPOSSIBLE_OVER_LAPIN;

#[test]
fn each_test_left_out_over_lapin_exists() {
    let listed = Command::new(env::current_exe().unwrap()).arg("--list").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let tests: Vec<&str> = listed.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    assert!(tests.len() > 100, "{listed}");
    for (name, why) in IMPOSSIBLE_OVER_LAPIN {
        // A name leaves out every test that contains it.
        let left_out: Vec<&&str> = tests.iter().filter(|test| test.contains(name)).collect();
        assert_eq!(left_out, [name], "it is not one test");
        assert!(!why.is_empty(), "{name}");
    }
}
