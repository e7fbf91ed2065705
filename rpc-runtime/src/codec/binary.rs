//! bincode 2 through serde, in its standard configuration, and bounded.

use bincode::{
    config, de::read::Reader, error::DecodeError as BincodeError, serde::OwnedSerdeDecoder,
};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    DecodeError, EncodeError, Encoding,
    bounded::{Bounded, Budget},
    scratch,
};

/// bincode's limit counts what a value claims in memory, not the bytes read: a legal `Vec<u128>` of small numbers
/// claims some sixteen times its bytes.
const CLAIMED_PER_BYTE: usize = 16;

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Bytes, EncodeError> {
    scratch::write(|body| bincode::serde::encode_into_std_write(value, body, config::standard()))
        .map_err(|error| EncodeError::new(Encoding::Bincode, error))
}

pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    let mut unread = Unread(body);
    let value =
        decode_bounded(&mut unread).map_err(|error| DecodeError::new(Encoding::Bincode, error))?;
    match unread.0.len() {
        0 => Ok(value),
        trailing => {
            Err(DecodeError::because(format!("{trailing} of {} bytes are left over", body.len())))
        }
    }
}

/// bincode takes its limit as a constant, so a ladder of them makes it follow the length of the body.
fn decode_bounded<T: DeserializeOwned>(body: &mut Unread<'_>) -> Result<T, BincodeError> {
    match body.0.len().saturating_mul(CLAIMED_PER_BYTE) {
        0..=0x1000 => within::<T, 0x1000>(body),
        0x1001..=0x1_0000 => within::<T, 0x1_0000>(body),
        0x1_0001..=0x10_0000 => within::<T, 0x10_0000>(body),
        0x10_0001..=0x100_0000 => within::<T, 0x100_0000>(body),
        0x100_0001..=0x1000_0000 => within::<T, 0x1000_0000>(body),
        _ => within::<T, { u32::MAX as usize }>(body),
    }
}

fn within<T: DeserializeOwned, const LIMIT: usize>(
    body: &mut Unread<'_>,
) -> Result<T, BincodeError> {
    let budget = Budget::for_bytes(body.0.len());
    let config = config::standard().with_limit::<LIMIT>();
    let mut decoder = OwnedSerdeDecoder::from_reader(body, config);
    T::deserialize(Bounded::new(decoder.as_deserializer(), &budget))
}

/// The bytes that have not been read.
struct Unread<'a>(&'a [u8]);

impl Reader for Unread<'_> {
    fn read(&mut self, to: &mut [u8]) -> Result<(), BincodeError> {
        let Some((read, rest)) = self.0.split_at_checked(to.len()) else {
            return Err(BincodeError::UnexpectedEnd { additional: to.len() - self.0.len() });
        };
        to.copy_from_slice(read);
        self.0 = rest;
        Ok(())
    }

    fn peek_read(&mut self, bytes: usize) -> Option<&[u8]> {
        self.0.get(..bytes)
    }

    fn consume(&mut self, bytes: usize) {
        self.0 = self.0.get(bytes..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use serde::Deserialize;

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

    /// A list of nothing, as a chain of boxes.
    #[derive(Debug, Serialize, Deserialize)]
    struct Chain(Option<Box<Chain>>);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Tree {
        Leaf,
        Node { left: Box<Tree>, right: Box<Tree> },
    }

    #[test]
    fn a_type_that_contains_itself_is_followed_so_deep_and_no_deeper() {
        let deep = |levels: usize| [vec![1u8; levels], vec![0]].concat();
        decode::<Chain>(&deep(40)).unwrap();
        for levels in [200, 2_000_000] {
            let error = decode::<Chain>(&deep(levels)).unwrap_err();
            assert!(error.in_full().contains("levels deep"), "{}", error.in_full());
        }
        let tree = Tree::Node {
            left: Box::new(Tree::Leaf),
            right: Box::new(Tree::Node { left: Box::new(Tree::Leaf), right: Box::new(Tree::Leaf) }),
        };
        assert_eq!(decode::<Tree>(&encode(&tree).unwrap()).unwrap(), tree);
        assert!(decode::<Tree>(&deep(1_000_000)).is_err());
    }

    #[test]
    fn elements_that_take_no_bytes_are_counted() {
        assert_eq!(decode::<Vec<()>>(&encode(&vec![(); 1_000]).unwrap()).unwrap().len(), 1_000);
        // 2^40 of them: hours.
        let mut body = vec![0xfd];
        body.extend((1u64 << 40).to_le_bytes());
        let error = decode::<Vec<()>>(&body).unwrap_err();
        assert!(error.in_full().contains("more elements than bytes"), "{}", error.in_full());
        assert!(decode::<HashSet<()>>(&body).is_err());
        assert!(decode::<Vec<Vec<()>>>(&[&[1u8][..], &body].concat()).is_err());
    }

    #[test]
    fn every_shape_of_type_comes_back_as_it_was() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Unit;
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Pair(u8, String);
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        enum Kind {
            Unit,
            Newtype(Pair),
            Tuple(i128, char),
            Struct { map: HashMap<String, Option<f64>>, unit: Unit },
        }
        let all = vec![
            Kind::Unit,
            Kind::Newtype(Pair(1, "é".to_owned())),
            Kind::Tuple(-5, 'x'),
            Kind::Struct {
                map: HashMap::from([("a".to_owned(), None), ("b".to_owned(), Some(1.5))]),
                unit: Unit,
            },
        ];
        assert_eq!(decode::<Vec<Kind>>(&encode(&all).unwrap()).unwrap(), all);
        // More members than bytes, as many as the types have.
        let small = vec![((), (1u8,), [(); 20], Vec::<u8>::new()); 10_000];
        assert_eq!(
            decode::<Vec<((), (u8,), [(); 20], Vec<u8>)>>(&encode(&small).unwrap()).unwrap(),
            small
        );
        let net = ("127.0.0.1".parse::<std::net::IpAddr>().unwrap(), [7u8; 32], ());
        assert_eq!(
            decode::<(std::net::IpAddr, [u8; 32], ())>(&encode(&net).unwrap()).unwrap(),
            net
        );
    }

    #[test]
    fn trailing_bytes_are_refused() {
        assert_eq!(decode::<u8>(&[1]).unwrap(), 1);
        let error = decode::<u8>(&[1, 2, 3]).unwrap_err();
        assert_eq!(error.to_string(), "2 of 3 bytes are left over");
    }
}
