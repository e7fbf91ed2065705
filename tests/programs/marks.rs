//! The services of `peer_target` for a random peer, and its report.

#![allow(dead_code, reason = "the program and the test use a part of it each")]

use std::collections::BTreeMap;

use rpc_runtime::rpc_service;
use serde::{Deserialize, Serialize};

/// The service of every server of the program. A method records its run under the request's number. A number without the
/// right check was changed on its way.
#[rpc_service]
pub(crate) trait Marks {
    async fn mark(&self, id: u64, check: u64) -> u64;

    #[rpc(at_most_once)]
    async fn once(&self, id: u64, check: u64) -> u64;

    #[rpc(oneway)]
    async fn note(&self, id: u64, check: u64);

    /// Always returns an error.
    async fn fail(&self, id: u64, check: u64) -> Result<u64, Failure>;

    /// Panics.
    async fn explode(&self, id: u64, check: u64) -> u64;

    /// A reply of this size.
    async fn swell(&self, id: u64, check: u64, size: u32) -> String;

    async fn tree(&self, id: u64, check: u64, tree: Tree) -> Tree;

    async fn wide(&self, id: u64, check: u64, list: Vec<Option<Wide>>) -> u64;

    async fn add(&self, a: u32, b: u32) -> u32;
}

/// Only the random peer serves it, in JSON.
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

/// Not visible to the random peer.
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

/// Large in memory, and small on the wire as `None`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Wide {
    pub(crate) first: [u64; 32],
    pub(crate) second: [u64; 32],
}

/// The state of the program.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// How often each connection was lost.
    pub(crate) lost: BTreeMap<String, u64>,
    /// Number of requests that ran, and how often repeated ones ran.
    pub(crate) runs: u64,
    pub(crate) ran_again: BTreeMap<u64, u32>,
    /// Calls to its own servers with the right reply, and the outcomes of the others.
    pub(crate) steady: u64,
    pub(crate) unsteady: Vec<String>,
    /// Calls to the random peer by outcome, and those that ended too late or not at all.
    pub(crate) decoys: BTreeMap<String, u64>,
    /// Discovery requests by outcome.
    pub(crate) questions: BTreeMap<String, u64>,
    pub(crate) late: Vec<String>,
    pub(crate) unclaimed: u64,
    /// Warnings by their text.
    pub(crate) warnings: BTreeMap<String, u64>,
    /// Resident memory now and at its peak, in KiB.
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

/// The check of a number.
pub(crate) fn check(id: u64) -> u64 {
    (id ^ 0x5DEE_CE66_D1CE_4E5B).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
