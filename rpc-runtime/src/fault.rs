//! Faults on the wire: the words of the header `rpc-fault`, and what each one guarantees.

use std::{error::Error, fmt};

use crate::{causes::debug_as_sentence, cut::cut, escape::Escaped};

/// The longest `rpc-message`, in bytes.
const MAX_MESSAGE: usize = 1024;

/// The longest word that is shown, in characters. A peer may send one of any length.
const MAX_WORD: usize = 64;

/// Why a request was refused, by the server or by the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// The service has no such method.
    UnknownMethod,
    /// The body does not decode to the method's arguments.
    BadArguments,
    /// The `content_type` or the `content_encoding` is not supported.
    UnsupportedEncoding,
    /// Properties or headers are malformed.
    MalformedRequest,
    /// The caller was built against another signature of the method.
    Incompatible,
    /// The request or the reply is larger than the server's limit.
    TooLarge,
    /// The deadline had passed before the method was started.
    Expired,
    /// The queue or the server is full.
    Overloaded,
    /// The server is shutting down and did not start the request.
    ShuttingDown,
    /// The caller is not permitted to call the method.
    NotPermitted,
    /// The handler panicked.
    Panicked,
    /// The request was redelivered, and the method is marked `at_most_once`.
    OutcomeUnknown,
    /// The reply could not be encoded.
    UnencodableReply,
    /// Anything else that went wrong in the server.
    Internal,
    /// A word that this version does not know.
    Unrecognized,
}

use FaultKind::{
    BadArguments, Expired, Incompatible, Internal, MalformedRequest, NotPermitted, OutcomeUnknown,
    Overloaded, Panicked, ShuttingDown, TooLarge, UnencodableReply, UnknownMethod, Unrecognized,
    UnsupportedEncoding,
};

/// Every word of the wire.
const WORDS: [(FaultKind, &str); 14] = [
    (UnknownMethod, "unknown-method"),
    (BadArguments, "bad-arguments"),
    (UnsupportedEncoding, "unsupported-encoding"),
    (MalformedRequest, "malformed-request"),
    (Incompatible, "incompatible"),
    (TooLarge, "too-large"),
    (Expired, "expired"),
    (Overloaded, "overloaded"),
    (ShuttingDown, "shutting-down"),
    (NotPermitted, "not-permitted"),
    (Panicked, "panicked"),
    (OutcomeUnknown, "outcome-unknown"),
    (UnencodableReply, "unencodable-reply"),
    (Internal, "internal"),
];

impl FaultKind {
    /// How many kinds there are.
    pub(crate) const COUNT: usize = WORDS.len() + 1;

    /// Every kind that has a word.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        WORDS.iter().map(|(kind, _)| *kind)
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        let entry = WORDS.iter().find(|(kind, _)| *kind == self);
        entry.map_or("unrecognized", |(_, word)| word)
    }

    pub(crate) fn from_word(word: &str) -> Self {
        let entry = WORDS.iter().find(|(_, wire_word)| *wire_word == word);
        entry.map_or(Unrecognized, |(kind, _)| *kind)
    }

    /// Whether the method may have run. A [`Fault`] of this kind may differ: see [`Fault::may_have_run`].
    pub fn may_have_run(self) -> bool {
        matches!(self, Panicked | OutcomeUnknown | UnencodableReply | Internal | Unrecognized)
    }

    /// Whether the same request may succeed a little later, without running twice.
    pub fn is_retryable(self) -> bool {
        matches!(self, Overloaded | ShuttingDown)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal: its kind, a sentence, and whether the method may have run.
///
/// Its `Display` may go to a log or a terminal: control characters and other invisible characters in the peer's text are
/// escaped. [`message`](Self::message) and [`word`](Self::word) return the text as it was received.
///
/// ```
/// use rpc_runtime::{Fault, FaultKind};
///
/// let fault = Fault::new(FaultKind::Overloaded, "32 requests are waiting");
/// assert!(fault.is_retryable() && !fault.may_have_run());
/// assert_eq!(fault.to_string(), "overloaded: 32 requests are waiting");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    word: String,
    message: String,
    ran: bool,
}

impl Fault {
    /// A fault of this kind. A `message` of more than 1,024 bytes is cut.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self::with_word(kind.as_str(), message)
    }

    /// A fault that was read from the wire. This version may not know its word.
    pub(crate) fn with_word(word: impl Into<String>, message: impl Into<String>) -> Self {
        let (word, mut message) = (word.into(), message.into());
        cut(&mut message, MAX_MESSAGE);
        let kind = FaultKind::from_word(&word);
        Self { kind, word, message, ran: kind.may_have_run() }
    }

    /// Sets whether the method may have run, if that differs from the default of the kind.
    pub(crate) fn ran(mut self, ran: bool) -> Self {
        self.ran = ran;
        self
    }

    /// Adapts the fault to a request that another server may have received before, and may have run. Only temporary faults
    /// are changed. Any other fault of a request is the same on each server.
    pub(crate) fn had_before(self, had_before: bool) -> Self {
        if had_before && matches!(self.kind, Expired | Overloaded | ShuttingDown) {
            self.ran(true)
        } else {
            self
        }
    }

    /// What kind of refusal it is.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// The word on the wire, also for [`FaultKind::Unrecognized`].
    pub fn word(&self) -> &str {
        &self.word
    }

    /// The text from the server or the broker; may be empty.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the method may have run.
    pub fn may_have_run(&self) -> bool {
        self.ran
    }

    /// Whether the same request may succeed a little later, without running twice.
    pub fn is_retryable(&self) -> bool {
        self.kind.is_retryable() && !self.ran
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped::new(&self.word).at_most(MAX_WORD).fmt(f)?;
        if !self.message.is_empty() {
            write!(f, ": {}", Escaped::new(&self.message).whole())?;
        }
        Ok(())
    }
}

impl Error for Fault {}

debug_as_sentence!(Fault);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_its_kind() {
        for (kind, word) in WORDS {
            assert_eq!(FaultKind::from_word(kind.as_str()), kind, "{word}");
        }
    }

    #[test]
    fn an_unknown_word_is_not_retryable() {
        let fault = Fault::with_word("on-fire", "");
        assert_eq!(fault.kind(), FaultKind::Unrecognized);
        assert!(fault.may_have_run() && !fault.is_retryable());
        assert_eq!(fault.to_string(), "on-fire");
    }

    #[test]
    fn text_from_a_peer_is_escaped() {
        let fault = Fault::with_word("on\u{1b}fire", "one\ntwo\u{202e}");
        assert_eq!(fault.to_string(), "on\\u{1b}fire: one\\ntwo\\u{202e}");
        assert_eq!((fault.word(), fault.message()), ("on\u{1b}fire", "one\ntwo\u{202e}"));
        assert_eq!(
            Fault::with_word("x".repeat(9_999), "").to_string().chars().count(),
            MAX_WORD + 1
        );
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let fault = Fault::new(Internal, "é".repeat(MAX_MESSAGE));
        assert_eq!(fault.message().len(), MAX_MESSAGE);
        let fault = Fault::new(Internal, format!("x{}", "é".repeat(MAX_MESSAGE)));
        assert_eq!(fault.message().len(), MAX_MESSAGE - 1);
    }
}
