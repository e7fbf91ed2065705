//! Direct reply-to addresses: the names that RabbitMQ generates for callers without a callback queue.
//!
//! RabbitMQ decodes such a name when a reply is published to it, and closes the publisher's connection if that fails.

/// The prefix of these names.
const PREFIX: &str = "amq.rabbitmq.reply-to.";

/// The first byte of an encoded Erlang term. The name begins with such a term: the address of the caller's channel.
const ERLANG_TERM: u8 = 131;

/// Whether RabbitMQ decodes this name.
pub(super) fn is_direct(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Whether RabbitMQ may have generated this name: the address of a channel and a key, both in base64, with a dot between
/// them. Only RabbitMQ itself can check more.
pub(super) fn may_be_genuine(name: &str) -> bool {
    let Some((channel, key)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.'))
    else {
        return false;
    };
    is_base64(channel) && is_base64(key) && first_byte(channel) == Some(ERLANG_TERM)
}

fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    !digits.is_empty()
        && padding <= 2
        && text.len().is_multiple_of(4)
        && digits.bytes().all(is_digit)
}

fn is_digit(byte: u8) -> bool {
    value(byte).is_some()
}

fn value(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

fn first_byte(base64: &str) -> Option<u8> {
    let [first, second] = *base64.as_bytes().first_chunk()?;
    Some(value(first)? << 2 | value(second)? >> 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_rabbitmq_pass() {
        let names = [
            // 4.x and 3.10: the caller's channel with a hash for its node.
            "g1h3EHJlcGx5QDExMjk4NTU2NjAAAASrAAAAAGc0TLo=.YdD7j+QyTkdoGHzkrYyM0Q==",
            "g1h2AA5yZXBseUA2ODc4MTMzNAAAcEoAAAAAaS8eQg==.AAAAAAAAAAAAAAAAAAAAAA==",
            // Older versions: the channel with its node's name.
            "g2dkAA1yYWJiaXRAaG9zdC0xAAACCgAAAAAC.AAAAAAAAAAAAAAAAAAAAAA==",
        ];
        for name in names {
            assert!(may_be_genuine(&format!("{PREFIX}{name}")), "{name}");
        }
    }

    #[test]
    fn names_that_do_not_decode_are_refused() {
        let names = [
            "",
            ".",
            "x",
            "AAAA.x",
            "AAAA.AAAA",
            "g1h3EHJl",
            "g1h3EHJl.",
            ".g1h3EHJl",
            "g1h3EHJ.AAAA",
            "g1h3EH=l.AAAA",
            "g1h3.AAAA.AAAA",
            "g1h3.AA A",
            "g1é3.AAAA",
            "====.AAAA",
        ];
        for name in names {
            assert!(!may_be_genuine(&format!("{PREFIX}{name}")), "{name}");
        }
        assert!(!may_be_genuine("amq.gen-abc"));
    }

    #[test]
    fn only_names_that_rabbitmq_decodes_are_direct() {
        assert!(is_direct("amq.rabbitmq.reply-to.AAAA.x"));
        for name in ["amq.rabbitmq.reply-to", "amq.gen-x", "", "amq.rabbitmq.reply-tox"] {
            assert!(!is_direct(name), "{name}");
        }
    }
}
