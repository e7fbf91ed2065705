//! Random bodies: arguments and results, complete, cut, changed, or with wrong lengths.

use rpc_tests::Random;

use super::marks::check;

pub(super) const BINCODE: &str = "application/x-bincode";
pub(super) const JSON: &str = "application/json";

/// An unsigned number as bincode writes it.
pub(super) fn varint(number: u64) -> Vec<u8> {
    let bytes = number.to_le_bytes();
    match number {
        0..=250 => vec![bytes[0]],
        251..=0xFFFF => [&[251], &bytes[..2]].concat(),
        0x1_0000..=0xFFFF_FFFF => [&[252], &bytes[..4]].concat(),
        _ => [&[253], &bytes[..]].concat(),
    }
}

/// Arguments of a method, with the number of its request.
pub(super) fn arguments(random: &mut Random, method: &str, id: u64, json: bool) -> Vec<u8> {
    let mut body = if json {
        let rest = match method {
            "swell" => format!(",{}", size(random)),
            "tree" => format!(",{}", json_tree(random)),
            "wide" => format!(",[{}]", vec!["null"; random.below(2_000)].join(",")),
            _ => String::new(),
        };
        format!("[{id},{}{rest}]", check(id)).into_bytes()
    } else {
        let rest = match method {
            "swell" => varint(size(random)),
            "tree" => bincode_tree(random),
            "wide" => wide(random),
            _ => Vec::new(),
        };
        [varint(id), varint(check(id)), rest].concat()
    };
    change(random, &mut body);
    body
}

/// A result of a method of the decoy, right or wrong.
pub(super) fn result(random: &mut Random, method: &[u8], json: bool) -> Vec<u8> {
    let mut body = match (method, json) {
        (b"tree", true) => json_tree(random).into_bytes(),
        (b"tree", false) => bincode_tree(random),
        (b"list", true) => {
            format!("[{}]", vec!["null"; random.below(2_000)].join(",")).into_bytes()
        }
        (b"list", false) => wide(random),
        (b"text", true) => b"\"text\"".to_vec(),
        (b"text", false) => [varint(4), b"text".to_vec()].concat(),
        (_, true) => random.pick::<[u8]>(&[b"null", b"", b"{}", b"[]"]).to_vec(),
        (_, false) => Vec::new(),
    };
    change(random, &mut body);
    body
}

/// A size of a reply up to a little over the limit; most are small.
fn size(random: &mut Random) -> u64 {
    let largest = if random.once_in(200) { 17 << 20 } else { 20_000 };
    random.bits() % largest
}

fn json_tree(random: &mut Random) -> String {
    if random.once_in(10) {
        let depth = random.below(5_000);
        let open = r#"{"name":"","numbers":{},"children":["#;
        return format!("{}{}", open.repeat(depth), "]}".repeat(depth));
    }
    let children: Vec<String> = (0..random.below(2)).map(|_| json_tree(random)).collect();
    format!(
        r#"{{"name":"\u001b[1m","numbers":{{"{}":{}}},"children":[{}]}}"#,
        random.number(),
        random.number() >> 1,
        children.join(",")
    )
}

fn bincode_tree(random: &mut Random) -> Vec<u8> {
    if random.once_in(10) {
        // A name, numbers, and one child for each level.
        return [0, 0, 1].repeat(random.below(200_000));
    }
    let count = random.below(2);
    let mut tree = [&varint(3)[..], b"abc", &[0], &varint(count as u64)].concat();
    (0..count).for_each(|_| tree.extend(bincode_tree(random)));
    tree
}

/// Elements of one byte on the wire and 520 bytes in memory.
fn wide(random: &mut Random) -> Vec<u8> {
    let count = match random.below(40) {
        0 => random.below(4 << 20),
        1..=4 => random.below(100_000),
        _ => random.below(200),
    };
    let claimed = if random.once_in(8) { random.number() } else { count as u64 };
    [varint(claimed), vec![0; count]].concat()
}

/// Changes one body of three.
fn change(random: &mut Random, body: &mut Vec<u8>) {
    match random.below(24) {
        0 => body.clear(),
        1 => body.truncate(random.below(body.len() + 1)),
        2 => body.push(0),
        3 => {
            let place = random.below(body.len() + 1);
            body.splice(place..place, [253, 255, 255, 255, 255, 255, 255, 255, 127]);
        }
        4 => {
            let place = random.below(body.len());
            if let Some(byte) = body.get_mut(place) {
                *byte = random.bytes(1)[0];
            }
        }
        5 => {
            let depth = random.below(200_000);
            *body = "[".repeat(depth).into_bytes();
        }
        6 => {
            let size = random.below(1_000);
            *body = random.bytes(size);
        }
        7 if random.once_in(20) => *body = vec![b' '; random.below(17 << 20)],
        _ => {}
    }
}
