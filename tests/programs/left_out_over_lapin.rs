//! Prints the arguments by which a test program leaves out what lapin makes impossible: for scripts/test-lapin.

fn main() {
    for (test, _) in rpc_tests::IMPOSSIBLE_OVER_LAPIN {
        println!("--skip\n{test}");
    }
}
