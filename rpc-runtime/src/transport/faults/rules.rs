//! The rules: which faults happen to which messages.

use std::time::Duration;

use smol_str::SmolStr;

/// The requests that a rule applies to, with their replies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) queue: Option<SmolStr>,
    pub(crate) method: Option<SmolStr>,
}

impl Selection {
    fn includes(&self, origin: &Origin) -> bool {
        self.queue.as_ref().is_none_or(|queue| *queue == origin.queue)
            && self.method.as_ref().is_none_or(|method| origin.method.as_ref() == Some(method))
    }
}

/// The queue and the method of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) queue: SmolStr,
    /// The method's wire name, if the request has one.
    pub(super) method: Option<SmolStr>,
}

/// A fault that happens to one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    ReturnRequest,
    RejectRequest,
    DropRequest,
    RedeliverRequest,
    DropReply,
    DuplicateReply,
}

/// The direction of a message: requests go `There`, replies `Back`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    There,
    Back,
}

struct Counted {
    selection: Selection,
    fault: Fault,
    left: usize,
}

struct Delay {
    selection: Selection,
    way: Way,
    time: Duration,
}

/// There is at most one rule for each fault and selection, so their number is bounded by the test.
#[derive(Default)]
pub(crate) struct Rules {
    counted: Vec<Counted>,
    delays: Vec<Delay>,
}

impl Rules {
    /// Makes a fault happen `times` more times.
    pub(crate) fn add(&mut self, selection: Selection, fault: Fault, times: usize) {
        let same = |rule: &&mut Counted| rule.selection == selection && rule.fault == fault;
        match self.counted.iter_mut().find(same) {
            Some(rule) => rule.left = rule.left.saturating_add(times),
            None if times > 0 => self.counted.push(Counted { selection, fault, left: times }),
            None => {}
        }
    }

    /// Delays messages by this time from now on. Zero ends the delay.
    pub(crate) fn delay(&mut self, selection: Selection, way: Way, time: Duration) {
        self.delays.retain(|delay| delay.selection != selection || delay.way != way);
        if !time.is_zero() {
            self.delays.push(Delay { selection, way, time });
        }
    }

    /// The fault that happens to this message: the first rule that applies. It counts as one use of the rule.
    pub(super) fn take(&mut self, among: &[Fault], origin: &Origin) -> Option<Fault> {
        let applies =
            |rule: &Counted| among.contains(&rule.fault) && rule.selection.includes(origin);
        let at = self.counted.iter().position(applies)?;
        let rule = self.counted.get_mut(at)?;
        let fault = rule.fault;
        rule.left -= 1;
        if rule.left == 0 {
            self.counted.remove(at);
        }
        Some(fault)
    }

    /// How long this message is delayed: the longest delay that applies.
    pub(super) fn delay_of(&self, way: Way, origin: &Origin) -> Option<Duration> {
        let applies = |delay: &&Delay| delay.way == way && delay.selection.includes(origin);
        self.delays.iter().filter(applies).map(|delay| delay.time).max()
    }

    /// How many faults have not happened yet.
    pub(crate) fn left(&self) -> usize {
        self.counted.iter().fold(0, |sum, rule| sum.saturating_add(rule.left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(queue: &str, method: &str) -> Origin {
        Origin { queue: queue.into(), method: Some(method.into()) }
    }

    fn selection(queue: Option<&str>, method: Option<&str>) -> Selection {
        Selection { queue: queue.map(SmolStr::from), method: method.map(SmolStr::from) }
    }

    const ALL: [Fault; 2] = [Fault::DropReply, Fault::DuplicateReply];

    #[test]
    fn faults_hit_selected_messages_the_requested_times() {
        let mut rules = Rules::default();
        rules.add(selection(None, Some("fib")), Fault::DropReply, 1);
        rules.add(selection(None, Some("fib")), Fault::DropReply, 1);
        rules.add(selection(Some("Other"), None), Fault::DuplicateReply, 0);
        assert_eq!(rules.take(&ALL, &origin("Fibonacci", "reset")), None);
        assert_eq!(rules.take(&[Fault::DropRequest], &origin("Fibonacci", "fib")), None);
        for left in [1, 0] {
            assert_eq!(rules.take(&ALL, &origin("Fibonacci", "fib")), Some(Fault::DropReply));
            assert_eq!(rules.left(), left);
        }
        assert_eq!(rules.take(&ALL, &origin("Fibonacci", "fib")), None);
    }

    #[test]
    fn faults_happen_in_the_order_of_their_rules() {
        let mut rules = Rules::default();
        rules.add(selection(None, None), Fault::DuplicateReply, 1);
        rules.add(selection(Some("Fibonacci"), Some("fib")), Fault::DropReply, 1);
        let origin = origin("Fibonacci", "fib");
        assert_eq!(rules.take(&ALL, &origin), Some(Fault::DuplicateReply));
        assert_eq!(rules.take(&ALL, &origin), Some(Fault::DropReply));
        assert_eq!(rules.take(&ALL, &origin), None);
    }

    #[test]
    fn a_message_without_method_is_selected_by_queue() {
        let unnamed = Origin { queue: "Fibonacci".into(), method: None };
        assert!(selection(Some("Fibonacci"), None).includes(&unnamed));
        assert!(!selection(None, Some("fib")).includes(&unnamed));
    }

    #[test]
    fn the_longest_delay_wins_and_zero_ends_one() {
        let (second, origin) = (Duration::from_secs(1), origin("Fibonacci", "fib"));
        let mut rules = Rules::default();
        rules.delay(selection(None, None), Way::There, second);
        rules.delay(selection(None, Some("fib")), Way::There, 2 * second);
        assert_eq!(rules.delay_of(Way::There, &origin), Some(2 * second));
        assert_eq!(rules.delay_of(Way::Back, &origin), None);
        rules.delay(selection(None, Some("fib")), Way::There, Duration::ZERO);
        assert_eq!(rules.delay_of(Way::There, &origin), Some(second));
    }
}
