//! bincode 2 through serde, in its standard configuration and with limits.

use bincode::serde::OwnedSerdeDecoder;
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    DecodeError, EncodeError, Encoding,
    bounded::{Bounded, Budget},
    buffer::Buffer,
    faithful::Faithful,
    unread::{FORMAT, Unread},
};

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Bytes, EncodeError> {
    let value = Faithful::new(value, Encoding::Bincode);
    let mut body = Buffer::default();
    bincode::serde::encode_into_writer(value, &mut body, FORMAT)
        .map_err(|error| EncodeError::new(Encoding::Bincode, error))?;
    Ok(body.take_body())
}

pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    let unread = Unread::new(body);
    let budget = Budget::of(&unread);
    let mut decoder = OwnedSerdeDecoder::from_reader(&unread, FORMAT);
    let value = T::deserialize(Bounded::new(decoder.as_deserializer(), &budget))
        .map_err(|error| DecodeError::new(Encoding::Bincode, error))?;
    unread.end()?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use serde::Deserialize;

    use super::*;

    #[test]
    fn huge_length_prefix_is_refused_without_allocating() {
        // 0xfd: a 64-bit number follows.
        let mut body = vec![0xfd];
        body.extend((1u64 << 40).to_le_bytes());
        assert!(decode::<Vec<u8>>(&body).is_err());
        assert!(decode::<Vec<u64>>(&body).is_err());
        let error = decode::<String>(&body).unwrap_err();
        assert!(
            error.in_full().contains("1099511627776 bytes are promised, and 0 are there"),
            "{}",
            error.in_full()
        );
    }

    #[test]
    fn wrong_length_of_text_or_bytes_is_refused() {
        for length in [0, 1, 250, 251, 70_000] {
            let body = encode(&("x".repeat(length), 7u8)).unwrap();
            assert_eq!(decode::<(String, u8)>(&body).unwrap(), ("x".repeat(length), 7));
            if length > 0 {
                let error = decode::<String>(&body[..body.len() - 2]).unwrap_err();
                assert!(error.in_full().contains("are promised"), "{}", error.in_full());
            }
        }
        // The prefix is incomplete, so the error is bincode's own.
        assert!(decode::<String>(&[]).is_err());
        assert!(decode::<String>(&[0xfc, 1]).is_err());
    }

    #[test]
    fn values_larger_in_memory_are_read() {
        let values = vec![1u128; 100_000];
        let body = encode(&values).unwrap();
        assert!(body.len() < 110_000);
        assert_eq!(decode::<Vec<u128>>(&body).unwrap(), values);
    }

    #[test]
    fn memory_is_bounded_by_the_body_size() {
        type Large = [[u64; 8]; 8];
        #[derive(Serialize, Deserialize)]
        struct Boxed {
            first: Option<Box<Large>>,
            others: [Box<Option<Large>>; 8],
        }
        let refused = |error: DecodeError| {
            let said = error.in_full();
            assert!(said.contains("take more memory"), "{said}");
        };
        let nothing = encode(&vec![None::<Large>; 1_000_000]).unwrap();
        refused(decode::<Vec<Option<Large>>>(&nothing).map(drop).unwrap_err());
        refused(
            decode::<HashMap<u32, Option<Large>>>(
                &encode(&(0..200_000u32).map(|n| (n, None::<Large>)).collect::<HashMap<_, _>>())
                    .unwrap(),
            )
            .map(drop)
            .unwrap_err(),
        );
        // A value behind a pointer counts like any other value.
        let boxed: Vec<u8> = [&[0xfc][..], &100_000u32.to_le_bytes(), &vec![0; 900_000]].concat();
        refused(decode::<Vec<Boxed>>(&boxed).map(drop).unwrap_err());
        // A few are within the limit.
        let few = encode(&vec![None::<Large>; 1_000]).unwrap();
        assert_eq!(decode::<Vec<Option<Large>>>(&few).unwrap().len(), 1_000);
        let texts = encode(&vec![String::new(); 1_000_000]).unwrap();
        assert_eq!(decode::<Vec<String>>(&texts).unwrap().len(), 1_000_000);
    }

    /// A list without content: a chain of boxes.
    #[derive(Debug, Serialize, Deserialize)]
    struct Chain(Option<Box<Chain>>);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Tree {
        Leaf,
        Node { left: Box<Tree>, right: Box<Tree> },
    }

    #[test]
    fn recursive_types_have_a_depth_limit() {
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
        // 2^40 elements would take hours.
        let mut body = vec![0xfd];
        body.extend((1u64 << 40).to_le_bytes());
        let error = decode::<Vec<()>>(&body).unwrap_err();
        assert!(error.in_full().contains("more elements than bytes"), "{}", error.in_full());
        assert!(decode::<HashSet<()>>(&body).is_err());
        assert!(decode::<Vec<Vec<()>>>(&[&[1u8][..], &body].concat()).is_err());
    }

    #[test]
    fn every_shape_of_type_survives_a_round_trip() {
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
        // The types have more members than the body has bytes.
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
