//! Keywords as names: on the wire they are plain words.

use rpc_runtime::{Call, Dispatch, rpc_service};

#[rpc_service]
trait Parser {
    async fn r#type(&self, r#match: String, r#fn: u8) -> String;

    #[rpc(blocking)]
    fn r#loop(&self);
}

#[rpc_service]
trait r#Yield {
    async fn give(&self) -> u32;
}

struct Service;

impl Parser for Service {
    async fn r#type(&self, r#match: String, _: u8) -> String {
        r#match
    }

    fn r#loop(&self) {}
}

impl r#Yield for Service {
    async fn give(&self) -> u32 {
        1
    }
}

fn call(client: &ParserClient) -> Call<String> {
    client.r#type(String::new(), 0)
}

fn main() {
    let _ = call;
    let server = ParserServer::new(Service);
    let [first, second] = server.descriptor().methods else { panic!("two methods") };
    assert_eq!((first.name, second.name), ("type", "loop"));
    assert_eq!((first.arguments[0].name, first.arguments[1].name), ("match", "fn"));
    assert_eq!(YieldServer::new(Service).descriptor().name, "Yield");
}
