//! Every option, and its effect.

use std::time::Duration;

use rpc_runtime::{Dispatch, Encoding, rpc_service};

#[rpc_service(
    name = "everything",
    queue = "rpc_queue",
    version = 7,
    timeout = "1m30s",
    encoding = "json",
    crate = ::rpc_runtime
)]
trait Options: Send + Sync + 'static {
    /// Two lines of
    /// documentation.
    ///
    ///     and code
    #[rpc(name = "first-one", timeout = "1.5s", idempotent)]
    #[rpc(default)]
    async fn one(self: &Self, n: u8) -> u8;

    #[rpc(oneway, at_most_once)]
    async fn two(&self);

    #[rpc(blocking, cacheable = "1h")]
    fn three(&self) -> u8;

    #[rpc(oneway, blocking,)]
    fn four(&self) -> ();
}

#[rpc_service(encoding = "text")]
trait Text {
    async fn fib(&self, n: u32) -> u64;
    async fn reset(&self);
    async fn divide(&self, n: Box<u32>) -> Result<f64, String>;
}

struct Service;

impl Options for Service {
    async fn one(&self, n: u8) -> u8 {
        n
    }

    async fn two(&self) {}

    fn three(&self) -> u8 {
        3
    }

    fn four(&self) {}
}

fn main() {
    let server = OptionsServer::new(Service);
    let service = server.descriptor();
    assert_eq!((service.name, service.queue, service.version), ("everything", "rpc_queue", Some(7)));
    assert_eq!((service.timeout, service.encoding), (Some(Duration::from_secs(90)), Encoding::Json));
    let [one, two, three, four] = service.methods else { panic!("four methods") };
    assert_eq!((one.name, one.timeout), ("first-one", Some(Duration::from_millis(1500))));
    assert_eq!(one.doc, "Two lines of\ndocumentation.\n\n    and code");
    assert_eq!((one.idempotent, one.default, one.at_most_once), (true, true, false));
    assert_eq!((two.oneway, two.at_most_once, two.idempotent), (true, true, false));
    assert_eq!((three.blocking, three.oneway, three.timeout), (true, false, None));
    assert_eq!((three.cacheable, one.cacheable), (Some(Duration::from_secs(3600)), None));
    assert_eq!((four.blocking, four.oneway), (true, true));
    assert_eq!(service.default_method().map(|method| method.name), Some("first-one"));
}
