//! Refusals that travel: the words of the header `rpc-fault`, and what each promises.

use std::{error::Error, fmt};

use crate::{causes::debug_as_sentence, cut::cut, escape::Escaped};

/// The longest `rpc-message`, in bytes.
const MAX_MESSAGE: usize = 1024;

/// The longest word that is shown, in characters; a peer may send one of any length.
const MAX_WORD: usize = 64;

/// Why a request was refused, by the server or by the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// The service has no such method.
    UnknownMethod,
    /// The body does not decode to the method's arguments.
    BadArguments,
    /// The `content_type` or `content_encoding` is not spoken here.
    UnsupportedEncoding,
    /// Properties or headers are out of form.
    MalformedRequest,
    /// The caller was built against another signature of the method.
    Incompatible,
    /// The request is over the server's limit, or the reply is.
    TooLarge,
    /// The deadline had passed before the method was started.
    Expired,
    /// Shed: the queue or the server is full.
    Overloaded,
    /// The server is draining and did not start it.
    ShuttingDown,
    /// Refused by authorisation.
    NotPermitted,
    /// The handler panicked.
    Panicked,
    /// It was redelivered, and the method is marked `at_most_once`.
    OutcomeUnknown,
    /// The answer could not be encoded.
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
        let known = WORDS.iter().find(|(kind, _)| *kind == self);
        known.map_or("unrecognized", |(_, word)| word)
    }

    pub(crate) fn from_word(word: &str) -> Self {
        let known = WORDS.iter().find(|(_, known)| *known == word);
        known.map_or(Unrecognized, |(kind, _)| *kind)
    }

    /// Whether a method so refused may have run, unless the fault itself says otherwise.
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
/// Its `Display` may go to a log or a terminal: control characters in the peer's text, and others that cannot be seen, are
/// escaped. [`message`](Self::message) and [`word`](Self::word) have them as they came.
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
    /// A fault of this kind. Of a longer `message`, the first 1,024 bytes are kept.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self::with_word(kind.as_str(), message)
    }

    /// A fault as read from the wire, where the word may be one that this version does not know.
    pub(crate) fn with_word(word: impl Into<String>, message: impl Into<String>) -> Self {
        let (word, mut message) = (word.into(), message.into());
        cut(&mut message, MAX_MESSAGE);
        let kind = FaultKind::from_word(&word);
        Self { kind, word, message, ran: kind.may_have_run() }
    }

    /// Says whether the method ran, where that differs from what the kind says.
    pub(crate) fn ran(mut self, ran: bool) -> Self {
        self.ran = ran;
        self
    }

    /// The fault for a request that a server may have had before: the method may have run there. Only faults that pass by
    /// themselves are changed. Any other fault of a request is the same on each server.
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

    /// The word of the wire, also where it is [`FaultKind::Unrecognized`].
    pub fn word(&self) -> &str {
        &self.word
    }

    /// What the server or the broker said of it; may be empty.
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
    fn an_unknown_word_may_have_run_and_is_not_retryable() {
        let fault = Fault::with_word("on-fire", "");
        assert_eq!(fault.kind(), FaultKind::Unrecognized);
        assert!(fault.may_have_run() && !fault.is_retryable());
        assert_eq!(fault.to_string(), "on-fire");
    }

    #[test]
    fn what_a_peer_wrote_is_shown_escaped() {
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
