//! The answers to one question, as they come.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use uuid::Uuid;

use crate::{
    envelope,
    error::BrokerError,
    limits,
    transport::{CallerSink, Fate, Message},
};

/// What a question led to.
enum Event {
    Answer(Arc<Message>, Instant),
    Fate(Fate),
}

/// Where the answers arrive: what is not an answer to this question, or is too large, is dropped here.
pub(super) struct Inbox {
    correlation_id: Uuid,
    events: mpsc::Sender<Event>,
    /// Bytes that may still come.
    room: AtomicUsize,
}

/// Takes the answers out again.
pub(super) struct Answers {
    events: mpsc::Receiver<Event>,
}

/// When enough has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Enough {
    pub(super) deadline: Instant,
    /// No further answer came for so long.
    pub(super) quiet: Duration,
    pub(super) answers: usize,
}

pub(super) fn inbox(correlation_id: Uuid) -> (Inbox, Answers) {
    // One who is flooded drops the rest.
    let (sender, events) = mpsc::channel(limits::MAX_ANSWERS);
    let room = AtomicUsize::new(limits::MAX_ANSWER_BYTES);
    (Inbox { correlation_id, events: sender, room }, Answers { events })
}

impl CallerSink for Inbox {
    fn reply(&self, message: Message) {
        let ours = envelope::reply_correlation(&message.properties) == Some(self.correlation_id);
        let result = matches!(message.properties.kind.as_deref(), None | Some("result"));
        let size = message.size();
        let take = |room: usize| room.checked_sub(size);
        if ours
            && result
            && size <= limits::MAX_ANSWER
            && self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
        {
            let _ = self.events.try_send(Event::Answer(message.into(), Instant::now()));
        }
    }

    fn settled(&self, _: Uuid, fate: Fate) {
        let _ = self.events.try_send(Event::Fate(fate));
    }
}

impl Answers {
    /// Every answer until there are enough, with the moment of its arrival.
    ///
    /// # Errors
    ///
    /// The broker refuses the question.
    pub(super) async fn gather(
        &mut self,
        enough: Enough,
    ) -> Result<Vec<(Arc<Message>, Instant)>, BrokerError> {
        let mut answers = Vec::new();
        let mut until = enough.deadline;
        while answers.len() < enough.answers {
            match timeout_at(until, self.events.recv()).await {
                Ok(Some(Event::Answer(answer, at))) => {
                    answers.push((answer, at));
                    until = enough.deadline.min(at + enough.quiet);
                }
                Ok(Some(Event::Fate(Fate::Refused(error)))) => return Err(error),
                // Nobody listens; or the channel is gone, or the time.
                Ok(Some(Event::Fate(Fate::Unroutable)) | None) | Err(_) => break,
                Ok(Some(Event::Fate(_))) => {}
            }
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Id, Properties};

    fn answer(to: Uuid, bytes: usize) -> Message {
        let correlation_id = Some(Id::Uuid(to));
        let properties = Properties { correlation_id, ..Properties::default() };
        Message { properties, body: vec![b' '; bytes].into(), ..Message::default() }
    }

    fn enough() -> Enough {
        let (second, deadline) = (Duration::from_secs(1), Instant::now() + Duration::from_secs(60));
        Enough { deadline, quiet: second, answers: usize::MAX }
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_no_further_answer_comes() {
        let id = Uuid::new_v4();
        let (inbox, mut answers) = inbox(id);
        inbox.reply(answer(id, 1));
        inbox.reply(answer(id, 1));
        let before = Instant::now();
        assert_eq!(answers.gather(enough()).await.unwrap().len(), 2);
        assert_eq!(before.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_answer_to_it_is_dropped() {
        let id = Uuid::new_v4();
        let (inbox, mut answers) = inbox(id);
        inbox.reply(answer(Uuid::new_v4(), 1));
        inbox.reply(answer(id, limits::MAX_ANSWER + 1));
        let mut fault = answer(id, 1);
        fault.properties.kind = Some("fault".into());
        inbox.reply(fault);
        assert!(answers.gather(enough()).await.unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_answers_is_kept_within_bounds() {
        let id = Uuid::new_v4();
        let (inbox, mut answers) = inbox(id);
        for _ in 0..2 * limits::MAX_ANSWERS {
            inbox.reply(answer(id, 1));
        }
        assert_eq!(answers.gather(enough()).await.unwrap().len(), limits::MAX_ANSWERS);
        let large = limits::MAX_ANSWER;
        for _ in 0..2 * limits::MAX_ANSWER_BYTES / large {
            inbox.reply(answer(id, large));
        }
        assert!(answers.gather(enough()).await.unwrap().len() <= limits::MAX_ANSWER_BYTES / large);
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_listens_nothing_is_waited_for() {
        let id = Uuid::new_v4();
        let (inbox, mut answers) = inbox(id);
        inbox.settled(id, Fate::Unroutable);
        let before = Instant::now();
        assert!(answers.gather(enough()).await.unwrap().is_empty());
        assert_eq!(before.elapsed(), Duration::ZERO);
    }
}
