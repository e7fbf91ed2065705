use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

/// A raw AMQP message, sent or received, with all properties.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// The exchange; empty for the default exchange.
    pub exchange: String,
    /// The routing key: on the default exchange, the name of the queue.
    pub routing_key: String,
    /// Return the message if no queue accepts it. Not set on received messages.
    pub mandatory: bool,
    /// The body's bytes.
    #[serde(with = "Base64")]
    pub body: Vec<u8>,
    /// `content_type`.
    pub content_type: Option<String>,
    /// `content_encoding`.
    pub content_encoding: Option<String>,
    /// The headers as a JSON object, or null without any; [`typed`] values for AMQP's own types.
    pub headers: Value,
    /// On received messages: RabbitMQ's letter for the AMQP type of each header (`S` string, `l` 64 bits, `t` boolean, …).
    #[serde(skip_serializing)]
    pub header_kinds: BTreeMap<String, char>,
    /// `delivery_mode`: 1 transient, 2 persistent.
    pub delivery_mode: Option<u8>,
    /// `priority`.
    pub priority: Option<u8>,
    /// `correlation_id`.
    pub correlation_id: Option<String>,
    /// `reply_to`.
    pub reply_to: Option<String>,
    /// `expiration`: a string, as in AMQP.
    pub expiration: Option<String>,
    /// `message_id`.
    pub message_id: Option<String>,
    /// `timestamp`: seconds since 1970.
    pub timestamp: Option<u64>,
    /// `type`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// `user_id`: checked by the broker.
    pub user_id: Option<String>,
    /// `app_id`.
    pub app_id: Option<String>,
    /// `cluster_id`.
    pub cluster_id: Option<String>,
    /// On deliveries: the tag for [`Peer::ack`](crate::Peer::ack).
    #[serde(skip_serializing)]
    pub delivery_tag: Option<u64>,
    /// On deliveries: whether it was delivered before.
    #[serde(skip_serializing)]
    pub redelivered: bool,
}

impl Message {
    /// A message to a queue through the default exchange, with only a body.
    pub fn to(queue: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { routing_key: queue.into(), body: body.into(), ..Self::default() }
    }

    /// The body as text. Invalid bytes become replacement characters.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// One header; null if it is missing.
    pub fn header(&self, name: &str) -> &Value {
        self.headers.get(name).unwrap_or(&Value::Null)
    }
}

/// A header value of a given AMQP type, by RabbitMQ's letter: the integers `b B s u I i l`, the floats `f d`,
/// `T` a timestamp, `S` a string, `x` bytes in base64. Plain JSON values take the type that pika chooses.
pub fn typed(kind: char, value: impl Into<Value>) -> Value {
    json!({ "$amqp": kind, "value": value.into() })
}

struct Base64;

impl Base64 {
    fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(serde::de::Error::custom)
    }
}
