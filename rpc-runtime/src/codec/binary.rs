//! bincode 2 through serde, in its standard configuration, and bounded.

use bincode::{
    config::{self, Configuration},
    error::DecodeError as BincodeError,
};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::{DecodeError, EncodeError, Encoding};

/// bincode's limit counts what a value claims in memory, not the bytes read: a legal `Vec<u128>` of small numbers
/// claims some sixteen times its bytes.
const CLAIMED_PER_BYTE: usize = 16;

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Bytes, EncodeError> {
    let body = bincode::serde::encode_to_vec(value, config::standard())
        .map_err(|error| EncodeError::new(Encoding::Bincode, error))?;
    Ok(body.into())
}

pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    let (value, consumed) =
        decode_bounded(body).map_err(|error| DecodeError::new(Encoding::Bincode, error))?;
    match body.len() - consumed {
        0 => Ok(value),
        trailing => {
            Err(DecodeError::because(format!("{trailing} of {} bytes are left over", body.len())))
        }
    }
}

/// bincode takes its limit as a constant, so a ladder of them makes it follow the length of the body.
fn decode_bounded<T: DeserializeOwned>(body: &[u8]) -> Result<(T, usize), BincodeError> {
    fn within<T: DeserializeOwned, const LIMIT: usize>(
        body: &[u8],
        standard: Configuration,
    ) -> Result<(T, usize), BincodeError> {
        bincode::serde::decode_from_slice(body, standard.with_limit::<LIMIT>())
    }

    let standard = config::standard();
    match body.len().saturating_mul(CLAIMED_PER_BYTE) {
        0..=0x1000 => within::<T, 0x1000>(body, standard),
        0x1001..=0x1_0000 => within::<T, 0x1_0000>(body, standard),
        0x1_0001..=0x10_0000 => within::<T, 0x10_0000>(body, standard),
        0x10_0001..=0x100_0000 => within::<T, 0x100_0000>(body, standard),
        0x100_0001..=0x1000_0000 => within::<T, 0x1000_0000>(body, standard),
        _ => within::<T, { u32::MAX as usize }>(body, standard),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_prefix_of_terabytes_is_refused_without_allocating() {
        // 0xfd: a 64-bit number follows.
        let mut body = vec![0xfd];
        body.extend((1u64 << 40).to_le_bytes());
        assert!(decode::<Vec<u8>>(&body).is_err());
        assert!(decode::<Vec<u64>>(&body).is_err());
        assert!(decode::<String>(&body).is_err());
    }

    #[test]
    fn legal_values_that_claim_far_more_than_their_bytes_are_read() {
        let values = vec![1u128; 100_000];
        let body = encode(&values).unwrap();
        assert!(body.len() < 110_000);
        assert_eq!(decode::<Vec<u128>>(&body).unwrap(), values);
    }

    #[test]
    fn trailing_bytes_are_refused() {
        assert_eq!(decode::<u8>(&[1]).unwrap(), 1);
        let error = decode::<u8>(&[1, 2, 3]).unwrap_err();
        assert_eq!(error.to_string(), "2 of 3 bytes are left over");
    }
}
