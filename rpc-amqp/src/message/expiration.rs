//! The expiration of a message.

use std::{fmt, time::Duration};

use smol_str::SmolStr;

/// How long a message may wait in its queue: the property `expiration`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expiration {
    /// A decimal number without a sign or leading zeros.
    Milliseconds(u32),
    /// Any other text.
    Text(SmolStr),
}

impl Expiration {
    /// The time. `None` if the text is not a whole number of milliseconds. A negative number counts as zero.
    pub fn time(&self) -> Option<Duration> {
        match self {
            Self::Milliseconds(number) => Some(Duration::from_millis((*number).into())),
            Self::Text(text) => whole_milliseconds(text),
        }
    }
}

/// A decimal whole number of milliseconds. A negative one counts as 0.
fn whole_milliseconds(text: &str) -> Option<Duration> {
    let number: i64 = text.trim().parse().ok()?;
    Some(Duration::from_millis(u64::try_from(number).unwrap_or(0)))
}

impl From<&str> for Expiration {
    fn from(text: &str) -> Self {
        // The same number in another spelling is another text, and is kept as such.
        let as_written_here = text == "0" || text.starts_with(|first| ('1'..='9').contains(&first));
        match text.parse() {
            Ok(number) if as_written_here => Self::Milliseconds(number),
            _ => Self::Text(text.into()),
        }
    }
}

impl fmt::Display for Expiration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Milliseconds(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiration_survives_a_round_trip() {
        for number in [0, 1, 60_000, u32::MAX] {
            let text = number.to_string();
            assert_eq!(Expiration::from(text.as_str()), Expiration::Milliseconds(number));
        }
        for text in ["", "007", "+7", "-7", " 7", "7ms", "4294967296"] {
            let read = Expiration::from(text);
            assert_eq!(read, Expiration::Text(text.into()));
            assert_eq!(read.to_string(), text);
        }
    }

    #[test]
    fn any_spelling_of_an_expiration_is_a_time() {
        let time = |text| Expiration::from(text).time().map(|time| time.as_millis());
        let times = ["7", "007", " 7 ", "-7", "4294967296", "7ms", ""].map(time);
        assert_eq!(times, [Some(7), Some(7), Some(7), Some(0), Some(1 << 32), None, None]);
    }
}
