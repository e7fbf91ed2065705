//! What a random peer talks to: the services of `peer_target`, and what it reports of itself.

#![allow(dead_code, reason = "the program and the test use a part of it each")]

use std::collections::BTreeMap;

use rpc_runtime::rpc_service;
use serde::{Deserialize, Serialize};

/// What every server of the program serves. A method notes its run under the request's number; a number that does not
/// come with its check is one that nobody sent.
#[rpc_service]
pub(crate) trait Marks {
    async fn mark(&self, id: u64, check: u64) -> u64;

    #[rpc(at_most_once)]
    async fn once(&self, id: u64, check: u64) -> u64;

    #[rpc(oneway)]
    async fn note(&self, id: u64, check: u64);

    /// Is always an error.
    async fn fail(&self, id: u64, check: u64) -> Result<u64, Failure>;

    /// Panics.
    async fn explode(&self, id: u64, check: u64) -> u64;

    /// A reply of this size.
    async fn swell(&self, id: u64, check: u64, size: u32) -> String;

    async fn tree(&self, id: u64, check: u64, tree: Tree) -> Tree;

    async fn wide(&self, id: u64, check: u64, list: Vec<Option<Wide>>) -> u64;

    async fn add(&self, a: u32, b: u32) -> u32;
}

/// Nobody serves it but the random peer. Its JSON.
#[rpc_service(encoding = "json")]
pub(crate) trait Decoy {
    async fn tree(&self) -> Tree;

    #[rpc(idempotent)]
    async fn list(&self) -> Result<Vec<Option<Wide>>, Failure>;

    async fn text(&self) -> String;

    async fn nothing(&self);
}

/// The same in bincode.
#[rpc_service]
pub(crate) trait CompactDecoy {
    async fn tree(&self) -> Tree;

    #[rpc(idempotent)]
    async fn list(&self) -> Result<Vec<Option<Wide>>, Failure>;

    async fn text(&self) -> String;

    async fn nothing(&self);
}

/// Out of the random peer's sight.
#[rpc_service(encoding = "json")]
pub(crate) trait Control {
    async fn report(&self) -> Report;

    /// Ends all servers, and then the program.
    async fn end(&self) -> Report;
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Failure {
    Plain,
    Detailed { text: String, causes: Vec<Failure> },
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it failed")
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Tree {
    pub(crate) name: String,
    pub(crate) numbers: BTreeMap<String, i64>,
    pub(crate) children: Vec<Tree>,
}

/// Large in memory, small on the wire where it is not there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Wide {
    pub(crate) first: [u64; 32],
    pub(crate) second: [u64; 32],
}

/// How the program is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// How often each connection was lost.
    pub(crate) lost: BTreeMap<String, u64>,
    /// Requests that ran, and the numbers of those that ran again, with how often.
    pub(crate) runs: u64,
    pub(crate) ran_again: BTreeMap<u64, u32>,
    /// Calls to its own servers that had the right answer, and how the others ended.
    pub(crate) steady: u64,
    pub(crate) unsteady: Vec<String>,
    /// Calls that the random peer replied to, by how they ended; those that ended too late or not.
    pub(crate) decoys: BTreeMap<String, u64>,
    /// Questions to servers, by how they ended.
    pub(crate) questions: BTreeMap<String, u64>,
    pub(crate) late: Vec<String>,
    pub(crate) unclaimed: u64,
    /// Warnings by their text.
    pub(crate) warnings: BTreeMap<String, u64>,
    /// Resident memory now and at most, in KiB.
    pub(crate) resident: u64,
    pub(crate) peak: u64,
}

/// The queues of the program.
pub(crate) struct Names {
    pub(crate) classic: String,
    pub(crate) quorum: String,
    pub(crate) routed: String,
    pub(crate) exchange: String,
    pub(crate) decoy: String,
    pub(crate) control: String,
}

impl Names {
    pub(crate) fn new(prefix: &str) -> Self {
        let name = |what: &str| format!("{prefix}-{what}");
        Self {
            classic: name("classic"),
            quorum: name("quorum"),
            routed: name("routed"),
            exchange: name("exchange"),
            decoy: name("decoy"),
            control: name("control"),
        }
    }
}

/// What comes with a number.
pub(crate) fn check(id: u64) -> u64 {
    (id ^ 0x5DEE_CE66_D1CE_4E5B).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
