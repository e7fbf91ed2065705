//! Random messages: their queues and all their properties.

use std::collections::{HashMap, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rpc_tests::{Property, Random, RawMessage, RawProperties};

use super::bodies::{self, BINCODE, JSON};
use super::marks::Names;
use super::values::{self, Table};

const METHODS: &[&str] =
    &["mark", "mark", "mark", "once", "once", "note", "fail", "explode", "swell", "tree", "wide"];
const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// A way to a queue: its own name, or a queue whose messages RabbitMQ moves there.
pub(super) struct Way {
    pub(super) exchange: String,
    pub(super) key: String,
    /// The method, if the routing key has it.
    pub(super) method: Option<&'static str>,
}

/// A request received by the decoy, or a discovery request.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) reply_to: Vec<u8>,
    pub(super) correlation_id: Vec<u8>,
    pub(super) method: Vec<u8>,
    pub(super) json: bool,
}

/// The names and descriptions that the random peer has collected.
pub(super) struct Known {
    pub(super) names: Names,
    pub(super) ways: Vec<Way>,
    /// Queues for `reply_to`.
    pub(super) reply_queues: Vec<String>,
    pub(super) calls: VecDeque<Asked>,
    pub(super) questions: VecDeque<Asked>,
    /// Descriptions of servers.
    pub(super) descriptions: VecDeque<Vec<u8>>,
    /// Queues of the peer whose messages RabbitMQ moves to a callback queue.
    pub(super) detours: HashMap<Vec<u8>, String>,
    /// The same for discovery requests.
    pub(super) question_detours: Vec<String>,
    /// Most bytes of headers that fit a frame with all other properties.
    pub(super) largest: usize,
    pub(super) last_id: u64,
}

/// How many calls, discovery requests and descriptions are kept.
const REMEMBERED: usize = 64;

pub(super) fn remember<T>(list: &mut VecDeque<T>, new: T) {
    list.push_back(new);
    if list.len() > REMEMBERED {
        list.pop_front();
    }
}

/// A message, and how often its request may run: once for each queue that it reaches.
pub(super) struct Sent {
    pub(super) message: RawMessage,
    pub(super) id: u64,
    pub(super) copies: u32,
}

impl Known {
    pub(super) fn message(&mut self, random: &mut Random) -> Sent {
        let mut sent = match random.below(10) {
            0 if !self.questions.is_empty() => self.answer(random),
            0 | 1 => self.question(random),
            2..=4 if !self.calls.is_empty() => self.reply(random),
            _ => self.request(random),
        };
        sent.message.frames = match random.below(8) {
            0 => (0..random.below(20)).map(|_| random.below(64)).collect(),
            1 => vec![random.below(100_000); random.below(8)],
            _ => Vec::new(),
        };
        sent.message.mandatory = random.once_in(4);
        sent
    }

    fn request(&mut self, random: &mut Random) -> Sent {
        self.last_id += 1;
        let id = self.last_id;
        let way = &self.ways[random.below(self.ways.len())];
        let method = way.method.unwrap_or_else(|| random.pick(METHODS));
        let json = random.once_in(2);
        let mut properties = RawProperties::default();
        match random.below(30) {
            0 => {
                properties.text(Property::Type, values::text(random));
            }
            1 => {}
            _ => {
                properties.text(Property::Type, method);
            }
        }
        content_type(random, &mut properties, if json { JSON } else { BINCODE });
        self.others(random, &mut properties);
        let mut copies = 1;
        if random.once_in(2) {
            let table = self.table(random);
            copies += table.more;
            properties.headers(&table.bytes);
        }
        let message = RawMessage {
            exchange: way.exchange.clone().into_bytes(),
            routing_key: way.key.clone().into_bytes(),
            body: bodies::arguments(random, method, id, json),
            properties,
            ..RawMessage::default()
        };
        Sent { message, id, copies }
    }

    /// A reply to a call in flight, or to none.
    fn reply(&mut self, random: &mut Random) -> Sent {
        let call = self.calls[random.below(self.calls.len())].clone();
        let method: &[u8] = if random.once_in(10) { b"tree" } else { &call.method };
        let mut properties = RawProperties::default();
        let kinds: &[&str] = &["result", "result", "error", "fault", "item", "end", "alive", "x"];
        match random.below(10) {
            0 => {}
            1 => {
                properties.text(Property::Type, values::text(random));
            }
            _ => {
                properties.text(Property::Type, random.pick(kinds));
            }
        }
        content_type(random, &mut properties, if call.json { JSON } else { BINCODE });
        self.others(random, &mut properties);
        if random.once_in(2) {
            properties.headers(&self.table(random).bytes);
        }
        let correlation_id = match random.below(8) {
            0 => random.bytes(16),
            1 => values::text(random),
            2 => call.correlation_id.to_ascii_uppercase(),
            _ => call.correlation_id.clone(),
        };
        properties.text(Property::CorrelationId, correlation_id);
        let body = bodies::result(random, method, call.json);
        let message =
            RawMessage { routing_key: call.reply_to, body, properties, ..RawMessage::default() };
        Sent { message, id: 0, copies: 0 }
    }

    /// A discovery request.
    fn question(&mut self, random: &mut Random) -> Sent {
        let mut key = random.pick(&["ping", "info", "stats", "", "#", "*"]).to_owned();
        key += random.pick(&["", "", ".service.Marks", ".instance.x", ".service", "."]);
        let mut properties = RawProperties::default();
        content_type(random, &mut properties, JSON);
        self.others(random, &mut properties);
        if random.once_in(3) {
            properties.headers(&self.table(random).bytes);
        }
        let mut exchange = "rpc.discovery";
        if random.once_in(3) {
            exchange = "";
            key.clone_from(&self.question_detours[random.below(self.question_detours.len())]);
        }
        let message = RawMessage {
            exchange: exchange.as_bytes().to_vec(),
            routing_key: key.into_bytes(),
            body: values::text(random),
            properties,
            ..RawMessage::default()
        };
        Sent { message, id: 0, copies: 0 }
    }

    /// An answer to a discovery request of the program.
    fn answer(&mut self, random: &mut Random) -> Sent {
        let question = self.questions[random.below(self.questions.len())].clone();
        let known = self.descriptions.len();
        let mut body = match known {
            0 => b"{}".to_vec(),
            _ => self.descriptions[random.below(known)].clone(),
        };
        let place = random.below(body.len());
        match random.below(6) {
            // Replace values by numbers and texts of all kinds.
            0 => {
                let number = random.number().to_string();
                let digits = body.iter().rposition(u8::is_ascii_digit).unwrap_or(place);
                body.splice(digits..=digits, number.into_bytes());
            }
            1 => drop(body.splice(place..place, *b"\\u202e\\u0007\\n")),
            2 => {
                let members = r#"{"":0},"#.repeat(random.below(100_000));
                let schema = format!(r#""result_schema":[{members}{{}}],"result_"#);
                body = String::from_utf8_lossy(&body).replace(r#""result_"#, &schema).into_bytes();
                body.truncate(1 << 20);
            }
            3 => body.truncate(place),
            4 => body = b"[".repeat(random.below(1 << 20)),
            _ => {}
        }
        let mut properties = RawProperties::default();
        properties.text(Property::Type, "result").text(Property::ContentType, JSON);
        self.others(random, &mut properties);
        properties.text(Property::CorrelationId, question.correlation_id);
        let message = RawMessage {
            routing_key: question.reply_to,
            body,
            properties,
            ..RawMessage::default()
        };
        Sent { message, id: 0, copies: 0 }
    }

    fn table(&self, random: &mut Random) -> Table {
        let queues: Vec<String> = self.ways.iter().map(|way| way.key.clone()).collect();
        values::table(random, &queues, self.largest)
    }

    /// Sets a random choice of the properties that any message may have.
    fn others(&self, random: &mut Random, properties: &mut RawProperties) {
        match random.below(6) {
            0 => {}
            1 => {
                let raw = random.bytes(16);
                properties.text(Property::CorrelationId, raw);
            }
            2 => {
                properties.text(Property::CorrelationId, values::text(random));
            }
            _ => {
                let id = uuid(random);
                properties.text(Property::CorrelationId, id);
            }
        }
        if !random.once_in(6) {
            let reply_to = self.reply_to(random);
            properties.text(Property::ReplyTo, reply_to);
        }
        match random.below(8) {
            // RabbitMQ closes the sender's channel for anything but whole milliseconds, so only rarely.
            0 if random.once_in(20) => {
                properties.text(Property::Expiration, values::text(random));
            }
            0 => {
                properties.text(Property::Expiration, "0");
            }
            1 => {
                properties.text(Property::Expiration, "1");
            }
            2 => {
                let time = random.bits() % 4_294_967_295;
                properties.text(Property::Expiration, time.to_string());
            }
            3 => {
                properties.text(Property::Expiration, "0000060000");
            }
            _ => {}
        }
        if random.once_in(3) {
            properties.text(Property::MessageId, values::text(random));
        }
        if random.once_in(8) {
            let user: &[u8] = if random.once_in(20) { b"another" } else { b"guest" };
            properties.text(Property::UserId, user);
        }
        if random.once_in(4) {
            properties.text(Property::AppId, values::text(random));
        }
        if random.once_in(4) {
            properties.text(Property::ClusterId, values::text(random));
        }
        for (property, bytes) in [(Property::Priority, 1), (Property::Timestamp, 8)] {
            if random.once_in(4) {
                let value = random.bytes(bytes);
                properties.raw(property, value);
            }
        }
        if random.once_in(2) {
            // RabbitMQ refuses others than 1 and 2, and closes the sender's channel.
            let mode = if random.once_in(50) { 3 } else { 1 + random.bytes(1)[0] % 2 };
            properties.raw(Property::DeliveryMode, vec![mode]);
        }
        if random.once_in(6) {
            let known: &[&str] = &["utf-8", "utf8", "identity", "binary", "gzip", ""];
            let encoding = random.pick(known);
            properties.text(Property::ContentEncoding, encoding);
        }
    }

    fn reply_to(&self, random: &mut Random) -> Vec<u8> {
        match random.below(12) {
            0..=4 => self.reply_queues[random.below(self.reply_queues.len())].clone().into_bytes(),
            // The service's own queue, and other consumed queues.
            5 => self.ways[random.below(self.ways.len())].key.clone().into_bytes(),
            6 => values::text(random),
            7 if !self.calls.is_empty() => {
                self.calls[random.below(self.calls.len())].reply_to.clone()
            }
            8 => {
                let random_names: &[&str] = &["amq.gen-", "amq.gen-nobody", "amq_", "amq.", ""];
                random.pick(random_names).as_bytes().to_vec()
            }
            _ => self.token(random),
        }
    }

    /// An address for direct reply-to: a real one, a changed one, or an invalid one.
    fn token(&self, random: &mut Random) -> Vec<u8> {
        let given = self.calls.iter().map(|call| &call.reply_to);
        let mut given = given.filter(|address| address.starts_with(DIRECT_REPLY_TO.as_bytes()));
        let mut token = match (random.below(6), given.next_back()) {
            (0..=2, Some(token)) => token.clone(),
            (3, _) => {
                let node = random.pick(&["rabbit@nowhere", "", "rpc@localhost"]).as_bytes();
                let length = u8::try_from(node.len()).unwrap_or_default();
                let number = random.bytes(12);
                let process = [&[131, 88, 119, length], node, &number].concat();
                format!("{DIRECT_REPLY_TO}.{}.x", STANDARD.encode(process)).into_bytes()
            }
            (4, _) => {
                let size = random.below(150);
                let bytes = random.bytes(size);
                format!("{DIRECT_REPLY_TO}.{}.x", STANDARD.encode(bytes)).into_bytes()
            }
            _ => {
                let ends: &[&str] = &[".AAAA.x", ".", "..", ".x", "", "x", ".AAAA", ".\u{1b}.x"];
                format!("{DIRECT_REPLY_TO}{}", random.pick(ends)).into_bytes()
            }
        };
        match random.below(4) {
            0 => token.truncate(DIRECT_REPLY_TO.len() + random.below(token.len())),
            1 => {
                let place = random.below(token.len());
                token[place] = random.bytes(1)[0];
            }
            _ => {}
        }
        token
    }
}

fn content_type(random: &mut Random, properties: &mut RawProperties, usual: &str) {
    let others: &[&[u8]] = &[
        b"text/plain",
        b"application/octet-stream",
        b"APPLICATION/JSON; charset=utf-8",
        b"application/x-bincode",
        b"application/json",
        b"",
    ];
    match random.below(16) {
        0 => {}
        1 => {
            properties.text(Property::ContentType, values::text(random));
        }
        2 => {
            properties.text(Property::ContentType, random.pick(others));
        }
        _ => {
            properties.text(Property::ContentType, usual);
        }
    }
}

fn uuid(random: &mut Random) -> String {
    let text =
        random.bytes(16).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}
