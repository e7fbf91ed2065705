//! Reads from the broker's text why a reply was refused.

use rpc_amqp::{CloseReason, Error};

/// The broker is shutting down, or an operator has closed the connection.
const CONNECTION_FORCED: u16 = 320;

/// The refusal that ended the channel, if a reply was refused. The end of a connection is a refusal only if the connection
/// carries nothing but replies, and was not closed by an operator or a shutdown.
pub(super) fn refusal(why: &Error, own_connection: bool) -> Option<&CloseReason> {
    match why {
        Error::ChannelClosed(refusal) => Some(refusal),
        Error::ConnectionClosed(refusal) => {
            (own_connection && refusal.code != CONNECTION_FORCED).then_some(refusal)
        }
        _ => None,
    }
}

/// Whether a message was refused for its size.
pub(super) fn is_for_size(refusal: &CloseReason) -> bool {
    refusal.text.contains("message size ")
}

/// The largest accepted size, if RabbitMQ names it.
pub(super) fn size_limit(refusal: &CloseReason) -> Option<usize> {
    let (_, limit) = refusal.text.split_once("max size ")?;
    let digits = limit.find(|c: char| !c.is_ascii_digit()).unwrap_or(limit.len());
    limit.get(..digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc};

    use super::*;

    fn refused(code: u16, text: &str) -> CloseReason {
        CloseReason { code, text: text.into() }
    }

    #[test]
    fn a_refusal_for_size_names_the_limit() {
        let text =
            "PRECONDITION_FAILED - message size 100000 is larger than configured max size 65536";
        assert!(is_for_size(&refused(406, text)));
        assert_eq!(size_limit(&refused(406, text)), Some(65_536));
        assert_eq!(size_limit(&refused(406, "message size 9 is too much")), None);
        assert!(!is_for_size(&refused(403, "ACCESS_REFUSED - no")));
    }

    #[test]
    fn a_connection_closed_from_outside_refuses_no_reply() {
        let closed = |code| Error::ConnectionClosed(refused(code, "x"));
        assert!(refusal(&closed(541), true).is_some(), "an address that does not decode");
        assert!(refusal(&closed(CONNECTION_FORCED), true).is_none());
        assert!(refusal(&closed(541), false).is_none(), "requests are consumed on it");
    }

    #[test]
    fn a_lost_connection_refuses_no_reply() {
        let lost = Error::Lost(Arc::new(io::Error::other("x")));
        for own in [false, true] {
            assert!(refusal(&Error::ChannelClosed(refused(406, "x")), own).is_some());
            assert!(refusal(&lost, own).is_none());
            assert!(refusal(&Error::Closed, own).is_none());
        }
    }
}
