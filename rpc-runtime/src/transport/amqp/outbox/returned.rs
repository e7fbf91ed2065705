//! The replies that came back because their queue is gone.

use std::sync::{Mutex, PoisonError};

use rpc_amqp::ChannelHandler;

use super::MOST;
use crate::message::{Id, Properties};

/// The replies that came back, until the broker has dealt with all that were sent with them.
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
    /// Whether this one came back. All that came before it are forgotten.
    pub(super) fn take(&self, id: Option<&Id>) -> bool {
        let mut returned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = returned.iter().position(|known| known.as_ref() == id);
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
    fn what_came_back_is_found_by_its_id() {
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
