//! Removes the secrets of an address before it is printed.

/// The text with everything between `://` and `@` removed from each address in it.
pub(crate) fn redact(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        shown.push_str(before);
        // The last `@` of the word: a password may hold one.
        let end = after.find(|letter: char| letter.is_whitespace()).unwrap_or(after.len());
        let (word, remaining) = after.split_at(end);
        match word.rfind('@') {
            Some(at) => {
                shown.push('…');
                shown.push_str(&word[at..]);
            }
            None => shown.push_str(without_secret(word)),
        }
        rest = remaining;
    }
    shown.push_str(rest);
    shown
}

/// Removes a possible password from a word without `@host`: any text after a colon that is no port.
fn without_secret(word: &str) -> &str {
    match word.split_once(':') {
        Some((host, rest)) if !host.contains(['/', '[']) => {
            let port = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
            let behind = rest.get(port.len()..).and_then(|rest| rest.chars().next());
            match behind {
                None | Some('/' | '\'' | '"') if port.len() <= 5 => word,
                _ => host,
            }
        }
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_of_an_address_is_shown() {
        assert_eq!(
            redact("unexpected argument 'amqp://ada:s3cr@t@host/%2f' found"),
            "unexpected argument 'amqp://…@host/%2f' found"
        );
        assert_eq!(redact("amqp://a:b@c and amqps://d:e@f"), "amqp://…@c and amqps://…@f");
        assert_eq!(redact("amqp://host no secret"), "amqp://host no secret");
        assert_eq!(redact("'amqp://host:5672/v' found"), "'amqp://host:5672/v' found");
        assert_eq!(redact("amqp://ada:12/s3cret@host"), "amqp://…@host");
        assert_eq!(redact("'amqp://ada:s3cret' found"), "'amqp://ada found");
        assert_eq!(redact("amqp://ada:12s3cret"), "amqp://ada");
    }
}
