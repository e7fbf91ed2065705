//! Random texts and header tables, also ones that no client library writes.

use rpc_tests::{Random, long, short};

/// Names of headers with a meaning for RabbitMQ or for the framework.
const NAMES: &[&str] = &[
    "rpc-timeout-ms",
    "rpc-sent-ms",
    "rpc-signature",
    "rpc-fault",
    "rpc-message",
    "rpc-ran",
    "rpc-credit",
    "rpc-seq",
    "rpc-instance",
    "rpc-hostile-headers",
    "rpc-attempts",
    "traceparent",
    "tracestate",
    "x-death",
    "x-first-death-queue",
    "x-delivery-count",
    "x-delay",
    "x-match",
    "CC",
    "BCC",
    "",
];

const TEXTS: &[&[u8]] = &[
    b"",
    b"0",
    b"-1",
    b"1.5",
    b"18446744073709551616",
    b"true",
    b"fault",
    b"expired",
    b"overloaded",
    b"\n2026-01-01 WARN forged",
    b"\x1b[2J\x1b]0;title\x07",
    b"\xe2\x80\xae\xe2\x80\x8b",
    b"\xff\xfe no text",
    b"\0",
    b"#",
    b"*",
    b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    b"00-00000000000000000000000000000000-0000000000000000-ff",
];

/// A short text of any kind.
pub(super) fn text(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0 => vec![b'a'; 255],
        1 => {
            let count = random.below(40);
            random.bytes(count)
        }
        2 => random.number().to_string().into_bytes(),
        _ => random.pick(TEXTS).to_vec(),
    }
}

/// A header table without its length field.
pub(super) struct Table {
    pub(super) bytes: Vec<u8>,
    /// To how many more queues RabbitMQ may route the message.
    pub(super) more: u32,
}

/// A table that fits a frame of this size. `CC` and forged `x-death` may name one of `queues`.
pub(super) fn table(random: &mut Random, queues: &[String], largest: usize) -> Table {
    let mut table = Vec::new();
    let mut more = 0;
    for _ in 0..random.below(5) {
        let name = match random.below(4) {
            0 => text(random),
            _ => random.pick(NAMES).as_bytes().to_vec(),
        };
        let value = match &name[..] {
            b"x-death" if !random.once_in(4) => x_death(random, queues),
            // A list, because RabbitMQ refuses anything else.
            b"CC" | b"BCC" if !random.once_in(8) => {
                let (list, named) = keys(random, queues);
                more += named;
                list
            }
            b"rpc-timeout-ms" if random.once_in(2) => integer(random),
            b"rpc-signature" if random.once_in(2) => text_value(&text(random)),
            _ => value(random, 3),
        };
        table.extend([short(&name), value].concat());
    }
    match random.below(40) {
        // Near the limit of one frame, and near the framework's own bound.
        0 => {
            let size = largest.saturating_sub(random.below(400));
            fill(&mut table, size);
        }
        1 => fill(&mut table, 16 * 1024 - 64 + random.below(128)),
        2 => {
            let size = random.below(largest);
            fill(&mut table, size);
        }
        3 => {
            let depth = random.below(1_500);
            table.extend([short(b"deep"), nested(random, depth)].concat());
        }
        4 => {
            let depth = 30 + random.below(5);
            table.extend([short(b"deep"), nested(random, depth)].concat());
        }
        // Thousands of headers.
        5 => (0..random.below(20_000)).for_each(|_| table.extend(b"\x01aV")),
        6 => {
            let members = b"V".repeat(random.below(100_000));
            table.extend([short(b"many"), b"A".to_vec(), long(&members)].concat());
        }
        // An invalid table.
        7 => {
            let place = random.below(table.len());
            if let Some(byte) = table.get_mut(place) {
                *byte = random.bytes(1)[0];
            }
        }
        _ => {}
    }
    // RabbitMQ closes the connection for larger ones, so they are rare.
    if !random.once_in(50) {
        table.truncate(largest);
    }
    Table { bytes: table, more }
}

fn fill(table: &mut Vec<u8>, size: usize) {
    let missing = size.saturating_sub(table.len());
    table.extend([short(b"fill"), text_value(&vec![b'A'; missing])].concat());
}

fn text_value(text: &[u8]) -> Vec<u8> {
    [&b"S"[..], &long(text)].concat()
}

fn integer(random: &mut Random) -> Vec<u8> {
    let bytes = random.number().to_be_bytes();
    match random.below(7) {
        0 => [&b"b"[..], &bytes[7..]].concat(),
        1 => [&b"B"[..], &bytes[7..]].concat(),
        2 => [&b"s"[..], &bytes[6..]].concat(),
        3 => [&b"u"[..], &bytes[6..]].concat(),
        4 => [&b"I"[..], &bytes[4..]].concat(),
        5 => [&b"i"[..], &bytes[4..]].concat(),
        _ => [&b"l"[..], &bytes].concat(),
    }
}

fn value(random: &mut Random, depth: usize) -> Vec<u8> {
    match random.below(if depth == 0 { 8 } else { 10 }) {
        0 | 1 => integer(random),
        2 => text_value(&text(random)),
        3 => vec![b't', random.bytes(1)[0]],
        4 => [&b"d"[..], &random.bytes(8)].concat(),
        5 => [&b"T"[..], &random.bytes(8)].concat(),
        6 => match random.below(4) {
            0 => [&b"f"[..], &random.bytes(4)].concat(),
            1 => [&b"D"[..], &random.bytes(5)].concat(),
            _ => b"V".to_vec(),
        },
        7 => [&b"x"[..], &long(&text(random))].concat(),
        8 => {
            let members: Vec<u8> =
                (0..random.below(4)).flat_map(|_| value(random, depth - 1)).collect();
            [&b"A"[..], &long(&members)].concat()
        }
        _ => {
            let members: Vec<u8> = (0..random.below(4))
                .flat_map(|_| [short(&text(random)), value(random, depth - 1)].concat())
                .collect();
            [&b"F"[..], &long(&members)].concat()
        }
    }
}

fn nested(random: &mut Random, depth: usize) -> Vec<u8> {
    let array = random.once_in(2);
    (0..depth).fold(b"V".to_vec(), |inner, _| {
        if array {
            [&b"A"[..], &long(&inner)].concat()
        } else {
            [&b"F"[..], &long(&[short(b"t"), inner].concat())].concat()
        }
    })
}

/// A list of routing keys, and how many of them name queues.
fn keys(random: &mut Random, queues: &[String]) -> (Vec<u8>, u32) {
    let (mut members, mut named) = (Vec::new(), 0);
    for _ in 0..random.below(4) {
        members.extend(match random.below(3) {
            0 => text_value(&text(random)),
            1 => {
                named += 1;
                text_value(queues[random.below(queues.len())].as_bytes())
            }
            _ => text_value(b"nowhere.mark"),
        });
    }
    ([&b"A"[..], &long(&members)].concat(), named)
}

/// Entries of `x-death`, valid and invalid.
fn x_death(random: &mut Random, queues: &[String]) -> Vec<u8> {
    let mut deaths = Vec::new();
    for _ in 0..random.below(4) {
        let reasons: &[&[u8]] = &[b"expired", b"rejected", b"maxlen", b"delivery_limit", b"\xff"];
        let mut death = Vec::new();
        let mut add = |name: &[u8], value: Vec<u8>| death.extend([short(name), value].concat());
        if !random.once_in(5) {
            add(b"reason", text_value(random.pick(reasons)));
        }
        if !random.once_in(5) {
            add(b"queue", text_value(queues[random.below(queues.len())].as_bytes()));
        }
        match random.below(3) {
            0 => add(b"count", value(random, 1)),
            1 => add(b"count", [&b"l"[..], &random.number().to_be_bytes()].concat()),
            _ => {}
        }
        if random.once_in(2) {
            add(b"exchange", text_value(b""));
            add(b"routing-keys", keys(random, queues).0);
            add(b"time", [&b"T"[..], &random.number().to_be_bytes()].concat());
        }
        if random.once_in(8) {
            deaths.extend(value(random, 1));
        }
        deaths.extend([&b"F"[..], &long(&death)].concat());
    }
    [&b"A"[..], &long(&deaths)].concat()
}
