//! Decoders handle any input, and return what was encoded.

use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
};

use super::{
    awkward::{
        Chain, Counted, ENCODINGS, Maps, ONE, Options, SIXTEEN, Sixteen, Tree, decode_as_everything,
    },
    *,
};

/// Bytes that are meaningful to a decoder more often than random bytes.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let json = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        "\"a\":",
        "\"b\":",
        ",",
        "null",
        "1",
        "-0.0",
        "1e9",
        "\"\"",
        "\"Leaf\"",
        "{\"List\":[",
        "{\"Pair\":[",
        "\\u0000",
        " ",
        "\"",
    ]);
    // One to four of these bytes. Small values are variants of an enum and lengths of a map. The others begin longer
    // numbers.
    let bincode = prop::sample::select(vec![0u8, 1, 2, 3, 4, 5, 16, 250, 251, 252, 253, 254, 255]);
    prop_oneof![
        vec(any::<u8>(), 0..200),
        vec(bincode, 0..200),
        vec(json, 0..60).prop_map(|pieces| pieces.concat().into_bytes()),
        any::<String>().prop_map(String::into_bytes),
    ]
}

/// One item nested in another to this depth, and a rest.
fn nested() -> impl Strategy<Value = Vec<u8>> {
    let openings: [&[u8]; 7] =
        [&[1], &[2, 1], &[4, 1], b"[", b"{\"List\":[", b"{\"Perhaps\":", b"{\"a\":"];
    (prop::sample::select(openings.to_vec()), 0..400usize, body())
        .prop_map(|(opening, levels, rest)| [opening.repeat(levels), rest].concat())
}

fn tree() -> impl Strategy<Value = Tree> {
    Just(Tree::Leaf).prop_recursive(6, 40, 4, |inner| {
        let boxed = || inner.clone().prop_map(|tree| Counted(Box::new(tree)));
        prop_oneof![
            (boxed(), boxed()).prop_map(|(left, right)| Tree::Pair(left, right)),
            vec(inner.clone().prop_map(Counted), 0..4).prop_map(Tree::List),
            btree_map(any::<String>(), inner.clone().prop_map(Counted), 0..4)
                .prop_map(|members| Tree::Named { members }),
            option::of(inner.clone().prop_map(Box::new))
                .prop_map(|tree| Tree::Perhaps(Counted(tree))),
        ]
    })
}

fn chain() -> impl Strategy<Value = Chain> {
    (0..30usize).prop_map(|links| {
        (0..links).fold(Chain(Counted(None)), |chain, _| Chain(Counted(Some(Box::new(chain)))))
    })
}

fn maps() -> impl Strategy<Value = Maps> {
    let nothings = (0..9usize).prop_map(|length| vec![Counted(()); length]);
    let inner = btree_map(any::<String>().prop_map(Counted), nothings, 0..4);
    btree_map(any::<u8>().prop_map(Counted), inner, 0..4)
}

fn options() -> impl Strategy<Value = Options> {
    option::of(option::of(option::of(any::<char>())))
        .prop_map(|outer| Counted(outer.map(|middle| Counted(middle.map(Counted)))))
}

fn finite() -> impl Strategy<Value = std::primitive::f64> {
    use prop::num::f64;
    f64::NORMAL | f64::SUBNORMAL | f64::ZERO | f64::POSITIVE | f64::NEGATIVE
}

type Parts =
    ((u8, u16, u32, u64, u128), (i8, i16, i32, i64, i128), (f32, f64, (bool, char, String)));

fn parts() -> impl Strategy<Value = Parts> {
    (
        any::<(u8, u16, u32, u64, u128)>(),
        any::<(i8, i16, i32, i64, i128)>(),
        (-1e30f32..1e30, finite(), any::<(bool, char, String)>()),
    )
}

fn sixteen((u, i, (single, double, (flag, sign, text))): Parts) -> Sixteen {
    let text = Counted(text);
    (
        u.0,
        u.1,
        u.2,
        u.3,
        u.4,
        i.0,
        i.1,
        i.2,
        i.3,
        i.4,
        single,
        double,
        flag,
        sign,
        text,
        Counted(()),
    )
}

/// Encodes and decodes it as a result, and as the only argument.
fn comes_back<T>(value: T, encoding: Encoding) -> Result<(), TestCaseError>
where
    T: Serialize + DeserializeOwned + fmt::Debug + PartialEq,
{
    let body = encode_value(&value, encoding).unwrap();
    prop_assert_eq!(&decode_value::<T>(&body, encoding).unwrap(), &value);
    let (body, written) = encode_error(&value, encoding).unwrap();
    prop_assert_eq!(&decode_value::<T>(&body, written).unwrap(), &value);
    let one = (value,);
    let body = encode_arguments(&one, ONE, encoding).unwrap();
    prop_assert_eq!(decode_arguments::<(T,)>(&body, ONE, encoding).unwrap(), one);
    Ok(())
}

proptest! {
    // Enough cases to find the known bugs quickly. The fuzz targets run millions.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_are_refused_or_read_in_linear_time(body in body()) {
        decode_as_everything(&body);
    }

    #[test]
    fn depth_is_refused_or_read_in_linear_time(body in nested()) {
        decode_as_everything(&body);
    }

    #[test]
    fn structures_survive_a_round_trip(tree in tree(), chain in chain(), maps in maps()) {
        for encoding in [Encoding::Bincode, Encoding::Json] {
            comes_back(tree.clone(), encoding)?;
            comes_back(maps.clone(), encoding)?;
        }
        comes_back(chain, Encoding::Bincode)?;
    }

    #[test]
    fn scalars_survive_a_round_trip(scalars: (i64, u64, bool, char, String), double in finite(), large: u128) {
        for encoding in ENCODINGS {
            comes_back(scalars.0, encoding)?;
            comes_back(scalars.1, encoding)?;
            comes_back(scalars.2, encoding)?;
            comes_back(scalars.3, encoding)?;
            comes_back(scalars.4.clone(), encoding)?;
            comes_back(double, encoding)?;
        }
        comes_back(large, Encoding::Bincode)?;
        comes_back(large, Encoding::Json)?;
    }

    #[test]
    fn sixteen_arguments_survive_a_round_trip(parts in parts()) {
        let arguments = sixteen(parts);
        for encoding in [Encoding::Bincode, Encoding::Json] {
            let body = encode_arguments(&arguments, SIXTEEN, encoding).unwrap();
            let read = decode_arguments::<Sixteen>(&body, SIXTEEN, encoding).unwrap();
            // Tuples of this size have neither `PartialEq` nor `Debug`.
            prop_assert_eq!(encode_arguments(&read, SIXTEEN, encoding).unwrap(), body);
        }
    }

    /// JSON has one `null` for all of these. The same holds for chains.
    #[test]
    fn nested_options_survive_bincode(options in options()) {
        comes_back(options, Encoding::Bincode)?;
    }

    #[test]
    fn wrong_number_of_elements_is_refused(length in 10_000u64.., rest in vec(any::<u8>(), 0..50)) {
        let body = [&[253][..], &length.to_le_bytes(), &rest].concat();
        prop_assert!(decode_value::<Vec<u8>>(&body, Encoding::Bincode).is_err());
        prop_assert!(decode_value::<String>(&body, Encoding::Bincode).is_err());
        prop_assert!(decode_value::<Vec<()>>(&body, Encoding::Bincode).is_err());
        prop_assert!(decode_value::<Maps>(&body, Encoding::Bincode).is_err());
    }
}

/// A level takes no text. Servers accept all encodings, so each one has to be safe.
#[test]
fn a_chain_of_options_ends_in_every_encoding() {
    for encoding in ENCODINGS {
        for body in ["1", "[]", "x", "[1]", r#"{"a":1}"#] {
            let _ = decode_value::<Chain>(body.as_bytes(), encoding);
            let read = decode_arguments::<(Chain,)>(body.as_bytes(), ONE, encoding);
            assert!(encoding == Encoding::Bincode || read.is_err(), "{encoding} {body}");
        }
    }
}
