//! Types that the trait alone does not show, and strings that are not JSON.

use rpc_runtime::{Queue, Server, rpc_service};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::sample::Place;

/// An order that is not there yet.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct NewOrder {
    customer: OrderId,
    lines: Vec<Line>,
    note: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Line {
    sku: String,
    count: u32,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct OrderId(String);

/// Without a schema.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Refusal;

#[rpc_service]
pub(crate) trait Orders {
    async fn place(&self, order: NewOrder) -> Result<OrderId, Refusal>;

    async fn get(&self, id: OrderId, version: u32) -> Option<String>;

    async fn echo(&self, text: String) -> String;
}

struct Shop;

impl Orders for Shop {
    async fn place(&self, order: NewOrder) -> Result<OrderId, Refusal> {
        Ok(order.customer)
    }

    async fn get(&self, id: OrderId, version: u32) -> Option<String> {
        Some(format!("{} in version {version}", id.0))
    }

    async fn echo(&self, text: String) -> String {
        text
    }
}

async fn serve(place: &Place) -> Server {
    let queue = Queue::named("Orders").temporary();
    Server::builder(&place.broker).service_on(queue, OrdersServer::new(Shop)).start().await.unwrap()
}

#[tokio::test]
async fn info_describes_the_types_below_the_methods() {
    let place = Place::new().await;
    let _server = serve(&place).await;
    let text = place.rpc(&["info", "Orders"]).await;
    let (described, _) = text.printed().split_once("\n\nINSTANCE").expect("a table follows");
    let (_, types) = described.split_once("echo(text: String) -> String\n\n").expect("methods");
    assert_eq!(
        types,
        "  \
  NewOrder = {
    customer: string,
    lines: [{ count: integer (uint32), sku: string }],
    note?: string | null,
  }
      An order that is not there yet.

  OrderId = string

  No schema of Refusal: derive schemars::JsonSchema, and switch on rpc-runtime's feature schemars."
    );
}

/// bincode cannot read this type, but the trait uses JSON.
#[derive(Serialize, Deserialize)]
pub(crate) struct Flat {
    item: String,
    #[serde(flatten)]
    more: std::collections::BTreeMap<String, String>,
}

#[rpc_service(encoding = "json")]
pub(crate) trait Flats {
    async fn put(&self, flat: Flat);
}

impl Flats for Shop {
    async fn put(&self, _: Flat) {}
}

#[tokio::test]
async fn info_of_a_json_service_omits_bincode() {
    let place = Place::new().await;
    let queue = Queue::named("Flats").temporary();
    let builder = Server::builder(&place.broker).service_on(queue, FlatsServer::new(Shop));
    let _server = builder.start().await.unwrap();
    let text = place.rpc(&["info", "Flats"]).await;
    let text = text.printed();
    assert!(text.contains("put(flat: Flat)"), "{text}");
    assert!(!text.contains("bincode") && !text.contains("impl "), "{text}");
    let json = place.rpc(&["info", "Flats", "-o", "json"]).await;
    assert!(!json.printed().contains("__Field"), "{json:?}");
}

#[tokio::test]
async fn doc_describes_the_types() {
    let place = Place::new().await;
    let _server = serve(&place).await;
    let page = place.rpc(&["doc", "Orders"]).await;
    let (_, types) = page.printed().split_once("\n## Types\n").expect("there are types");
    assert!(types.contains("### `NewOrder`\n\n```text\n{"), "{types}");
    assert!(types.contains("lines: [{ count: integer (uint32), sku: string }],"), "{types}");
}

#[tokio::test]
async fn a_string_needs_no_quotes() {
    let place = Place::new().await;
    let _server = serve(&place).await;
    let called = place.rpc(&["call", "Orders.get", "338ffa35-0b1c", "2"]).await;
    assert_eq!(called.json(), json!("338ffa35-0b1c in version 2"));
    let called = place.rpc(&["call", "Orders.echo", "two words"]).await;
    assert_eq!(called.json(), json!("two words"));
    assert_eq!(place.rpc(&["call", "Orders.echo", "42"]).await.json(), json!("42"));
    let failed = place.rpc(&["call", "Orders.get", "338ffa35-0b1c", "two"]).await;
    let stderr = failed.failed(2);
    assert!(stderr.contains("\"two\" is not JSON") && stderr.contains("version: u32"), "{stderr}");
}
