use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;

/// Below the ports for outgoing connections, so that no other program takes a port during the restart of its node.
const RANGE: std::ops::Range<u16> = 20_000..30_000;

#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) amqp: u16,
    pub(super) distribution: u16,
    pub(super) epmd: u16,
}

impl Ports {
    pub(super) fn free() -> Self {
        // All three stay bound until all are found, so that they differ.
        let [a, b, c] = [bind(), bind(), bind()];
        let port = |listener: TcpListener| {
            listener.local_addr().expect("a bound socket has an address").port()
        };
        Self { amqp: port(a), distribution: port(b), epmd: port(c) }
    }
}

/// One free port, for other programs of a test.
pub(super) fn one() -> u16 {
    bind().local_addr().expect("a bound socket has an address").port()
}

fn bind() -> TcpListener {
    let width = u64::from(RANGE.end - RANGE.start);
    for _ in 0..1_000 {
        let random = RandomState::new().hash_one(()) % width;
        let offset = u16::try_from(random).expect("smaller than the range");
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", RANGE.start + offset)) {
            return listener;
        }
    }
    panic!("no port is free between {} and {}", RANGE.start, RANGE.end);
}
