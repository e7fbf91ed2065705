//! Indents JSON for people without changing it. Parsing would lose digits of large numbers.

/// Indents valid JSON.
pub(crate) fn indent(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() * 2);
    let mut depth = 0usize;
    let (mut quoted, mut escaped) = (false, false);
    let mut letters = text.chars().filter(|letter| *letter != '\r').peekable();
    while let Some(letter) = letters.next() {
        if quoted {
            shown.push(letter);
            quoted = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            continue;
        }
        match letter {
            _ if letter.is_ascii_whitespace() => {}
            '{' | '[' => {
                shown.push(letter);
                while letters.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = letters.next_if(|next| matches!(next, '}' | ']')) {
                    shown.push(end);
                } else {
                    depth += 1;
                    new_line(&mut shown, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut shown, depth);
                shown.push(letter);
            }
            ',' => {
                shown.push(letter);
                new_line(&mut shown, depth);
            }
            ':' => shown.push_str(": "),
            _ => {
                quoted = letter == '"';
                shown.push(letter);
            }
        }
    }
    shown
}

fn new_line(shown: &mut String, depth: usize) {
    // A peer may nest thousands of levels; indenting each would take too much memory.
    const DEEPEST: usize = 40;
    shown.push('\n');
    shown.extend(std::iter::repeat_n("  ", depth.min(DEEPEST)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_indented_and_not_changed() {
        let text =
            r#"{"n":[1,2.50,123456789012345678901234567890],"e":{ },"s":"a\"{,:}\\","l":[]}"#;
        let expected = "{\n  \"n\": [\n    1,\n    2.50,\n    123456789012345678901234567890\n  ],\n  \
                        \"e\": {},\n  \"s\": \"a\\\"{,:}\\\\\",\n  \"l\": []\n}";
        assert_eq!(indent(text), expected);
        assert_eq!(indent("832040"), "832040");
    }
}
