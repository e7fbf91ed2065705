//! Reads answers within limits, because their senders are not trusted.

use std::time::Duration;

use serde::de::DeserializeOwned;
use tracing::warn;

use super::{
    InstanceInfo, InstancePing, InstanceStats,
    weight::Weight,
    wire::{Addressee, Question},
};
use crate::{
    codec::{self, Encoding},
    escape::Escaped,
    limits,
};

/// The common parts of answers.
pub(super) trait Answer: DeserializeOwned {
    /// The host and the instance. Answers are sorted by them.
    fn place(&self) -> (&str, &str);

    fn serves(&self, service: &str) -> bool;

    /// Whether another answer of the same instance is a duplicate. A request may be delivered twice.
    fn agrees(&self, _: &Self) -> bool {
        true
    }
}

impl Answer for InstancePing {
    fn place(&self) -> (&str, &str) {
        (&self.host, &self.instance)
    }

    fn serves(&self, service: &str) -> bool {
        self.services.iter().any(|known| known == service)
    }
}

impl Answer for InstanceInfo {
    fn place(&self) -> (&str, &str) {
        (&self.host, &self.instance)
    }

    fn serves(&self, service: &str) -> bool {
        self.services.iter().any(|known| known.name == service)
    }

    /// Compares the services, so that a false answer with other queues cannot hide the true one.
    fn agrees(&self, other: &Self) -> bool {
        self.services == other.services
    }
}

impl Answer for InstanceStats {
    fn place(&self) -> (&str, &str) {
        (&self.host, &self.instance)
    }

    fn serves(&self, service: &str) -> bool {
        self.services.iter().any(|known| known.name == service)
    }
}

/// The answers to one question that were read so far.
pub(super) struct Reading<'a, T> {
    addressee: &'a Addressee,
    answers: Vec<(T, Duration)>,
    /// How many more bytes of memory answers may take.
    left: usize,
    /// Answers beyond the limits.
    too_large: u64,
    unreadable: u64,
    late: u64,
    without_schemas: u64,
    /// The reason why the first of them could not be read.
    cause: Option<String>,
}

impl<'a, T: Answer> Reading<'a, T> {
    pub(super) fn new(addressee: &'a Addressee) -> Self {
        Self {
            addressee,
            answers: Vec::new(),
            left: limits::MAX_ANSWERS_MEMORY,
            too_large: 0,
            unreadable: 0,
            late: 0,
            without_schemas: 0,
            cause: None,
        }
    }

    /// Reads an answer. Returns whether it is from a server that was asked.
    pub(super) fn read(&mut self, body: &[u8], after: Duration) -> bool {
        let weight = Weight::of(body);
        if weight.plain > limits::MAX_ANSWER_MEMORY.min(self.left) {
            self.too_large += 1;
            return false;
        }
        let whole = weight.total() <= limits::MAX_DESCRIBED_MEMORY.min(self.left);
        let read = if whole {
            codec::decode_value::<T>(body, Encoding::Json)
        } else {
            codec::decode_value::<T>(&weight.without_schemas(body), Encoding::Json)
        };
        let answer = match read {
            Ok(answer) => answer,
            Err(error) => {
                self.unreadable += 1;
                self.cause.get_or_insert_with(|| Escaped::new(error.in_full()).to_string());
                return false;
            }
        };
        let meant = match self.addressee {
            Addressee::Everybody => true,
            Addressee::Service(name) => answer.serves(name),
            Addressee::Instance(id) => answer.place().1 == id,
        };
        if meant {
            self.without_schemas += u64::from(!whole);
            self.left -= if whole { weight.total() } else { weight.plain };
            self.answers.push((answer, after));
        }
        meant
    }

    /// Adds answers that were not read because they were too large, too many or too late.
    pub(super) fn note_unread(&mut self, too_large: u64, late: u64) {
        self.too_large += too_large;
        self.late += late;
    }

    /// Logs the dropped answers and returns their number.
    pub(super) fn report(&self, question: Question) -> u64 {
        let Self { too_large, unreadable, late, without_schemas, cause, .. } = self;
        let (question, dropped) = (question.as_str(), too_large + unreadable + late);
        if dropped > 0 {
            let cause = cause.as_deref();
            warn!(
                question,
                too_large,
                unreadable,
                late,
                cause,
                "dropped answers of servers; ask for one service or instance, or wait longer"
            );
        }
        if *without_schemas > 0 {
            warn!(
                question,
                answers = without_schemas,
                "left JSON schemas out: the answers are too large; ask for one service or instance"
            );
        }
        dropped
    }

    /// The answers, sorted by host and instance, without duplicates.
    pub(super) fn into_answers(self) -> Vec<(T, Duration)> {
        let mut answers = self.answers;
        answers.sort_by(|(a, _), (b, _)| a.place().cmp(&b.place()));
        answers.dedup_by(|(a, _), (b, _)| a.place().1 == b.place().1 && a.agrees(b));
        answers
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn info(instance: &str, queue: &str, schema: &str) -> Vec<u8> {
        let text = json!({
            "instance": instance,
            "services": [{"name": "S", "queue": queue, "methods": [{"name": "m", "result_schema": "HERE"}]}],
        });
        text.to_string().replace("\"HERE\"", schema).into_bytes()
    }

    fn all_read(bodies: impl IntoIterator<Item = Vec<u8>>) -> (Vec<InstanceInfo>, u64) {
        let mut reading = Reading::new(&Addressee::Everybody);
        for body in bodies {
            reading.read(&body, Duration::ZERO);
        }
        let dropped = reading.report(Question::Info);
        (reading.into_answers().into_iter().map(|(info, _)| info).collect(), dropped)
    }

    fn schemas(infos: &[InstanceInfo]) -> Vec<Option<&Value>> {
        infos.iter().map(|info| info.services[0].methods[0].result_schema.as_ref()).collect()
    }

    #[test]
    fn schemas_that_swell_are_left_out() {
        let swelling = format!("[{}0]", "{\"\":0},".repeat(140_000));
        let bodies = [info("a", "S", &swelling), info("b", "S", r#"{"type":"null"}"#)];
        let (infos, dropped) = all_read(bodies);
        assert_eq!(dropped, 0);
        assert_eq!(schemas(&infos), [None, Some(&json!({"type": "null"}))]);
    }

    #[test]
    fn answers_are_bounded_together() {
        let large = format!("[{}0]", "{},".repeat(20_000));
        let (infos, dropped) = all_read((0..12).map(|n| info(&format!("{n:02}"), "S", &large)));
        let with = schemas(&infos).iter().filter(|schema| schema.is_some()).count();
        assert_eq!((infos.len(), dropped), (12, 0));
        assert!(with > 2 && with < 10, "{with}");

        let empty = "{\"name\":\"\"},".repeat(9_000);
        let body = |n| {
            format!("{{\"instance\":\"{n}\",\"services\":[{empty}{{\"name\":\"\"}}]}}").into_bytes()
        };
        let (infos, dropped) = all_read((0..40).map(body));
        assert!(infos.len() < 20 && dropped == 40 - infos.len() as u64, "{dropped}");
        let methods = "{\"name\":\"\"},".repeat(80_000);
        let body = format!("{{\"instance\":\"\",\"services\":[{methods}{{\"name\":\"\"}}]}}");
        assert_eq!(all_read([body.into_bytes()]).1, 1, "one alone may not take all");
    }

    #[test]
    fn differing_answers_of_one_instance_are_kept() {
        let bodies = || [info("a", "S", "0"), info("a", "S", "0"), info("a", "evil", "0")];
        assert_eq!(all_read(bodies()).0.len(), 2);
    }

    #[test]
    fn unreadable_answers_are_counted() {
        let bodies = [b"{}".to_vec(), b"\x1b]0;\n".to_vec(), info("a", "S", "0")];
        let (infos, dropped) = all_read(bodies);
        assert_eq!((infos.len(), dropped), (1, 2));
    }
}
