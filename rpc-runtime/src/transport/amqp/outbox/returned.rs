//! The replies that the broker returned because their queue is gone.

use std::sync::{Mutex, PoisonError};

use rpc_amqp::ChannelHandler;

use super::MOST;
use crate::message::{Id, Properties};

/// The ids of returned replies, until the broker has dealt with these replies.
#[derive(Default)]
pub(super) struct Returned(Mutex<Vec<Option<Id>>>);

impl ChannelHandler for Returned {
    fn returned(&self, properties: Properties) {
        let mut returned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if returned.len() < MOST {
            returned.push(properties.correlation_id);
        }
    }
}

impl Returned {
    /// Whether the reply with this id was returned. Removes it, and all that were returned before it.
    pub(super) fn take(&self, id: Option<&Id>) -> bool {
        let mut returned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = returned.iter().position(|one| one.as_ref() == id);
        if let Some(index) = found {
            returned.drain(..=index);
        }
        found.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returned_replies_are_found_by_id() {
        let returned = Returned::default();
        for id in ["a", "b"] {
            let correlation_id = Some(Id::from(id));
            returned.returned(Properties { correlation_id, ..Properties::default() });
        }
        assert!(!returned.take(None));
        assert!(returned.take(Some(&Id::from("b"))));
        assert!(!returned.take(Some(&Id::from("a"))), "those before it are older");
    }
}
