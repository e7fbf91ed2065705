//! The messages of discovery, as described in `docs/discovery.md`.

use std::time::Duration;

use smol_str::{SmolStr, format_smolstr};
use uuid::Uuid;

use crate::{
    codec::Encoding,
    message::{Expiration, Id, Message, Properties},
    wire::DISCOVERY_EXCHANGE,
};

/// A longer name does not fit into a routing key after the question. Its servers are asked together with all others.
const MAX_NAME: usize = 200;

/// A question to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    Ping,
    Info,
    Stats,
}

impl Question {
    const ALL: [Self; 3] = [Self::Ping, Self::Info, Self::Stats];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Info => "info",
            Self::Stats => "stats",
        }
    }

    /// Reads a routing key for a server with these binding keys. `None` if the question is unknown or for another
    /// server.
    pub(crate) fn from_routing_key(key: &str, keys: &[String]) -> Option<Self> {
        let (word, rest) = key.find('.').map_or((key, ""), |dot| key.split_at(dot));
        // A service may have the name `#`. So keys are compared letter by letter here, without RabbitMQ's wildcards.
        let meant = keys.iter().any(|key| key.strip_prefix('*') == Some(rest));
        Self::ALL.into_iter().find(|known| meant && known.as_str() == word)
    }
}

/// The servers that are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Addressee {
    Everybody,
    Service(String),
    Instance(String),
}

impl Addressee {
    fn service(name: &str) -> Self {
        Self::Service(name.to_owned())
    }

    /// The part of a routing key after the question.
    fn suffix(&self) -> String {
        match self {
            Self::Service(name) if name.len() <= MAX_NAME => format!(".service.{name}"),
            Self::Instance(id) if id.len() <= MAX_NAME => format!(".instance.{id}"),
            _ => String::new(),
        }
    }
}

/// The binding keys of a server's queue.
pub(crate) fn keys<'a>(instance: &str, services: impl Iterator<Item = &'a str>) -> Vec<String> {
    let everybody = [Addressee::Everybody, Addressee::Instance(instance.to_owned())];
    let mut keys = Vec::new();
    for addressee in everybody.into_iter().chain(services.map(Addressee::service)) {
        let key = format!("*{}", addressee.suffix());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// Encodes a question.
pub(super) fn write_question(
    question: Question,
    addressee: &Addressee,
    correlation_id: Uuid,
    reply_to: &SmolStr,
    expires_in: Duration,
) -> Message {
    let milliseconds = u32::try_from(expires_in.as_millis()).unwrap_or(u32::MAX).max(1);
    Message {
        exchange: SmolStr::new_static(DISCOVERY_EXCHANGE),
        routing_key: format_smolstr!("{}{}", question.as_str(), addressee.suffix()),
        // The broker returns the question at once if no server listens.
        mandatory: true,
        properties: Properties {
            kind: Some(SmolStr::new_static(question.as_str())),
            content_type: Some(SmolStr::new_static(Encoding::Json.content_type())),
            correlation_id: Some(Id::Uuid(correlation_id)),
            reply_to: Some(reply_to.clone()),
            expiration: Some(Expiration::Milliseconds(milliseconds)),
            ..Properties::default()
        },
        ..Message::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_recognizes_its_questions() {
        let keys = keys("i-1", ["Adder", "a.b", "#"].into_iter());
        assert_eq!(
            keys,
            ["*", "*.instance.i-1", "*.service.Adder", "*.service.a.b", "*.service.#"]
        );
        for (key, expected) in [
            ("ping", Some(Question::Ping)),
            ("info.service.Adder", Some(Question::Info)),
            ("info.service.a.b", Some(Question::Info)),
            ("stats.instance.i-1", Some(Question::Stats)),
            ("stats.instance.i-2", None),
            ("info.service.#", Some(Question::Info)),
            ("info.service.Other", None),
            ("info.service", None),
            ("weather", None),
            ("", None),
        ] {
            assert_eq!(Question::from_routing_key(key, &keys), expected, "{key}");
        }
    }

    #[test]
    fn a_long_name_is_asked_with_all_others() {
        let long = "x".repeat(255);
        assert_eq!(keys("i", std::iter::once(long.as_str())), ["*", "*.instance.i"]);
        let question = write_question(
            Question::Info,
            &Addressee::Service(long),
            Uuid::nil(),
            &"q".into(),
            Duration::ZERO,
        );
        assert_eq!(question.routing_key, "info");
        assert_eq!(question.properties.expiration, Some(Expiration::Milliseconds(1)));
    }
}
