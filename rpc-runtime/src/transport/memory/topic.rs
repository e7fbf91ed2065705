//! A topic exchange: the queues that a routing key selects.

/// The bindings of an exchange.
#[derive(Default)]
pub(super) struct Topic {
    bindings: Vec<Binding>,
}

#[derive(PartialEq, Eq)]
struct Binding {
    queue: String,
    pattern: String,
}

impl Topic {
    /// Binds a queue. A second binding with the same pattern has no effect.
    pub(super) fn bind(&mut self, queue: &str, pattern: &str) {
        let binding = Binding { queue: queue.to_owned(), pattern: pattern.to_owned() };
        if !self.bindings.contains(&binding) {
            self.bindings.push(binding);
        }
    }

    pub(super) fn unbind(&mut self, queue: &str) {
        self.bindings.retain(|binding| binding.queue != queue);
    }

    /// The queues that the key selects, each once.
    pub(super) fn route(&self, key: &str) -> Vec<String> {
        let words: Vec<&str> = key.split('.').collect();
        let mut queues: Vec<String> = Vec::new();
        for Binding { queue, pattern } in &self.bindings {
            let pattern: Vec<&str> = pattern.split('.').collect();
            if matches(&pattern, &words) && !queues.contains(queue) {
                queues.push(queue.clone());
            }
        }
        queues
    }
}

/// `*` matches one word, and `#` any number of words.
fn matches(pattern: &[&str], key: &[&str]) -> bool {
    match (pattern, key) {
        ([], []) => true,
        (["#", rest @ ..], _) => (0..=key.len())
            .any(|skipped| key.get(skipped..).is_some_and(|remaining| matches(rest, remaining))),
        ([word, pattern @ ..], [named, key @ ..]) => {
            (*word == "*" || word == named) && matches(pattern, key)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_wildcards_match_as_in_rabbitmq() {
        for (pattern, key, expected) in [
            ("a.*", "a.b", true),
            ("a.*", "a.b.c", false),
            ("a.*", "a", false),
            ("*", "a", true),
            ("*", "", true),
            ("#", "a.b.c", true),
            ("a.#", "a", true),
            ("a.#.z", "a.b.c.z", true),
            ("a.#.z", "a.b.c", false),
            ("a.b", "a.b", true),
            ("a.b", "a.c", false),
        ] {
            let mut topic = Topic::default();
            topic.bind("q", pattern);
            assert_eq!(!topic.route(key).is_empty(), expected, "{pattern} {key}");
        }
    }

    #[test]
    fn a_queue_with_two_bindings_gets_one_copy() {
        let mut topic = Topic::default();
        topic.bind("q", "a.*");
        topic.bind("q", "a.b");
        topic.bind("r", "a.b");
        assert_eq!(topic.route("a.b"), ["q", "r"]);
        topic.unbind("q");
        assert_eq!(topic.route("a.b"), ["r"]);
    }
}
