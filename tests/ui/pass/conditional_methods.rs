//! A method under a false `#[cfg]` generates nothing.

use rpc_runtime::{Dispatch, rpc_service};

#[rpc_service]
trait Store {
    async fn get(&self, key: String) -> Missing;

    #[cfg(any())]
    async fn never(&self, value: NoSuchType) -> NoSuchType;

    #[cfg(all())]
    async fn always(&self) -> u8;

    #[cfg(any())]
    #[rpc(blocking, default)]
    fn either(&self) -> u8;

    #[cfg(not(any()))]
    #[rpc(blocking, default)]
    fn either(&self) -> u16;

    /// Documented, and deprecated, with a feature.
    #[cfg_attr(all(), doc = "Some more.", deprecated)]
    async fn documented(&self);

    #[cfg_attr(all(), cfg(any()))]
    async fn hidden(&self) -> NoSuchType;
}

type Missing = Option<String>;

#[rpc_service]
#[cfg(any())]
trait Absent {
    async fn get(&self) -> NoSuchType;
}

struct Map;

impl Store for Map {
    async fn get(&self, _: String) -> Missing {
        None
    }

    async fn always(&self) -> u8 {
        1
    }

    fn either(&self) -> u16 {
        2
    }

    async fn documented(&self) {}
}

fn main() {
    let server = StoreServer::new(Map);
    let names: Vec<&str> = server.descriptor().methods.iter().map(|method| method.name).collect();
    assert_eq!(names, ["get", "always", "either", "documented"]);
}
