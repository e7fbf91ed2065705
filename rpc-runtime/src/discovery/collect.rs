//! Collects the answers to one question as they arrive.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use uuid::Uuid;

use crate::{
    error::BrokerError,
    limits,
    message::Message,
    transport::{CallerSink, PublishOutcome},
    wire,
};

/// An event that a question causes.
enum Event {
    Answer(Arc<Message>, Instant),
    Settled(PublishOutcome),
}

/// Receives the answers. It drops messages that do not answer this question or are too large.
pub(super) struct Inbox {
    correlation_id: Uuid,
    events: mpsc::Sender<Event>,
    /// How many more bytes are accepted.
    room: AtomicUsize,
    dropped: Arc<AtomicU64>,
}

/// Returns the received answers.
pub(super) struct Answers {
    events: mpsc::Receiver<Event>,
    dropped: Arc<AtomicU64>,
}

/// The limits at which a question ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Enough {
    pub(super) deadline: Instant,
    /// The longest time without a further answer.
    pub(super) quiet: Duration,
    pub(super) answers: usize,
}

pub(super) fn inbox(correlation_id: Uuid) -> (Inbox, Answers) {
    // Answers beyond the channel's capacity are dropped.
    let (sender, events) = mpsc::channel(limits::MAX_ANSWERS);
    let room = AtomicUsize::new(limits::MAX_ANSWER_BYTES);
    let dropped = Arc::new(AtomicU64::new(0));
    let inbox = Inbox { correlation_id, events: sender, room, dropped: dropped.clone() };
    (inbox, Answers { events, dropped })
}

impl CallerSink for Inbox {
    fn reply(&self, message: Message) {
        let ours = wire::reply_correlation(&message.properties) == Some(self.correlation_id);
        let result = matches!(message.properties.kind.as_deref(), None | Some("result"));
        let size = message.size();
        let take = |room: usize| room.checked_sub(size);
        if !ours || !result {
            return;
        }
        let fits = size <= limits::MAX_ANSWER
            && self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok();
        if !fits || self.events.try_send(Event::Answer(message.into(), Instant::now())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn settled(&self, _: Uuid, outcome: PublishOutcome) {
        let _ = self.events.try_send(Event::Settled(outcome));
    }
}

impl Answers {
    /// Passes each answer with its time of arrival to `take`, until a limit is reached.
    ///
    /// # Errors
    ///
    /// The broker refuses the question.
    pub(super) async fn gather(
        &mut self,
        enough: Enough,
        mut take: impl FnMut(&Message, Instant) -> bool,
    ) -> Result<(), BrokerError> {
        let mut taken = 0;
        let mut until = enough.deadline;
        // Reading an answer takes time. So the deadline also applies to answers that have already arrived.
        while taken < enough.answers && Instant::now() < enough.deadline {
            match timeout_at(until, self.events.recv()).await {
                Ok(Some(Event::Answer(answer, at))) => {
                    taken += usize::from(take(&answer, at));
                    until = enough.deadline.min(at + enough.quiet);
                }
                Ok(Some(Event::Settled(PublishOutcome::Refused(error)))) => return Err(error),
                // No server listens, the channel is gone, or the time is over.
                Ok(Some(Event::Settled(PublishOutcome::Unroutable)) | None) | Err(_) => break,
                Ok(Some(Event::Settled(_))) => {}
            }
        }
        Ok(())
    }

    /// How many answers were dropped because they were too large or too many.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// How many answers have arrived and were not passed to `take`.
    pub(super) fn left(&mut self) -> u64 {
        let left = std::iter::from_fn(|| self.events.try_recv().ok());
        left.map(|event| u64::from(matches!(event, Event::Answer(..)))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Id, Properties};

    fn answer(to: Uuid, bytes: usize) -> Message {
        let correlation_id = Some(Id::Uuid(to));
        let properties = Properties { correlation_id, ..Properties::default() };
        Message { properties, body: vec![b' '; bytes].into(), ..Message::default() }
    }

    fn enough() -> Enough {
        let (second, deadline) = (Duration::from_secs(1), Instant::now() + Duration::from_secs(60));
        Enough { deadline, quiet: second, answers: usize::MAX }
    }

    async fn count(answers: &mut Answers, enough: Enough) -> usize {
        let mut count = 0;
        let gathered = answers.gather(enough, |_, _| {
            count += 1;
            true
        });
        gathered.await.unwrap();
        count
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_no_further_answer_comes() {
        let id = Uuid::new_v4();
        let (inbox, mut answers) = inbox(id);
        inbox.reply(answer(id, 1));
        inbox.reply(answer(id, 1));
        let before = Instant::now();
        assert_eq!(count(&mut answers, enough()).await, 2);
        assert_eq!(before.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn only_valid_answers_are_taken() {
        let id = Uuid::new_v4();
        let (inbox, mut answers) = inbox(id);
        inbox.reply(answer(Uuid::new_v4(), 1));
        inbox.reply(answer(id, limits::MAX_ANSWER + 1));
        let mut fault = answer(id, 1);
        fault.properties.kind = Some("fault".into());
        inbox.reply(fault);
        assert_eq!(count(&mut answers, enough()).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_answers_is_kept_within_bounds() {
        let id = Uuid::new_v4();
        let (inbox, mut answers) = inbox(id);
        for _ in 0..2 * limits::MAX_ANSWERS {
            inbox.reply(answer(id, 1));
        }
        assert_eq!(count(&mut answers, enough()).await, limits::MAX_ANSWERS);
        let large = limits::MAX_ANSWER;
        for _ in 0..2 * limits::MAX_ANSWER_BYTES / large {
            inbox.reply(answer(id, large));
        }
        assert!(count(&mut answers, enough()).await <= limits::MAX_ANSWER_BYTES / large);
    }

    /// Uses the real clock, because a paused clock does not advance while a thread works.
    #[tokio::test]
    async fn answers_are_not_read_past_the_deadline() {
        let id = Uuid::new_v4();
        let (inbox, mut answers) = inbox(id);
        for _ in 0..9 {
            inbox.reply(answer(id, 1));
        }
        let deadline = Instant::now() + Duration::from_millis(50);
        let mut read = 0;
        let slow = |_: &Message, _| {
            read += 1;
            while Instant::now() < deadline {
                std::thread::yield_now();
            }
            true
        };
        answers.gather(Enough { deadline, ..enough() }, slow).await.unwrap();
        assert!(read <= 1, "{read}");
        assert_eq!(answers.left(), 9 - read);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unroutable_question_ends_at_once() {
        let id = Uuid::new_v4();
        let (inbox, mut answers) = inbox(id);
        inbox.settled(id, PublishOutcome::Unroutable);
        let before = Instant::now();
        assert_eq!(count(&mut answers, enough()).await, 0);
        assert_eq!(before.elapsed(), Duration::ZERO);
    }
}
