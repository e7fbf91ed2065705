//! Types that are difficult to decode, for property tests and fuzzing: recursive types, types that take no bytes, and
//! types with false lengths. They count how often they are decoded. A time limit would be less reliable.

use std::{cell::Cell, collections::BTreeMap};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

use super::{
    ArgumentDescriptor, Encoding, bounded::FREE_ELEMENTS, decode_arguments, decode_value,
    encode_arguments, encode_value,
};

thread_local! {
    static VISITS: Cell<usize> = const { Cell::new(0) };
}

/// The most visits for one element: the widest type below has 16 members, and counts itself.
const WIDEST: usize = 17;

/// Any type. Counts how often it is decoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Counted<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Counted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        VISITS.set(VISITS.get() + 1);
        T::deserialize(deserializer).map(Counted)
    }
}

impl<T: Serialize> Serialize for Counted<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Tree {
    Leaf,
    Pair(Counted<Box<Tree>>, Counted<Box<Tree>>),
    List(Vec<Counted<Tree>>),
    Named { members: BTreeMap<String, Counted<Tree>> },
    Perhaps(Counted<Option<Box<Tree>>>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Chain(pub(crate) Counted<Option<Box<Chain>>>);

pub(crate) type Nothings = Vec<Counted<()>>;
pub(crate) type Maps = BTreeMap<Counted<u8>, BTreeMap<Counted<String>, Nothings>>;
pub(crate) type Options = Counted<Option<Counted<Option<Counted<Option<char>>>>>>;
pub(crate) type Sixteen = (
    u8,
    u16,
    u32,
    u64,
    u128,
    i8,
    i16,
    i32,
    i64,
    i128,
    f32,
    f64,
    bool,
    char,
    Counted<String>,
    Counted<()>,
);

const fn described<const N: usize>(names: [&'static str; N]) -> [ArgumentDescriptor; N] {
    let mut all = [ArgumentDescriptor { name: "", ty: "" }; N];
    let mut index = 0;
    while index < N {
        all[index].name = names[index];
        index += 1;
    }
    all
}

pub(crate) const ONE: &[ArgumentDescriptor] = &described(["a"]);
pub(crate) const SIXTEEN: &[ArgumentDescriptor] =
    &described(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"]);

pub(crate) const ENCODINGS: [Encoding; 3] = [Encoding::Bincode, Encoding::Json, Encoding::Text];

/// Decodes the bytes as each of the types in each encoding. Most attempts fail. A decoded value is encoded and decoded
/// again, and has to stay the same.
///
/// # Panics
///
/// If a value changes, or if types were decoded more often than the number of bytes allows.
pub(crate) fn decode_as_everything(body: &[u8]) {
    for encoding in ENCODINGS {
        value::<Tree>(body, encoding);
        value::<Chain>(body, encoding);
        value::<Nothings>(body, encoding);
        value::<Vec<Nothings>>(body, encoding);
        value::<Vec<[Counted<()>; 16]>>(body, encoding);
        value::<Maps>(body, encoding);
        value::<BTreeMap<(), Counted<u8>>>(body, encoding);
        value::<Options>(body, encoding);
        value::<Counted<String>>(body, encoding);
        value::<Vec<Counted<u128>>>(body, encoding);
        value::<Counted<f64>>(body, encoding);
        value::<Sixteen>(body, encoding);
        arguments::<(Tree,)>(body, ONE, encoding);
        arguments::<(Counted<String>,)>(body, ONE, encoding);
        arguments::<(Counted<u64>,)>(body, ONE, encoding);
        arguments::<Sixteen>(body, SIXTEEN, encoding);
        arguments::<()>(body, &[], encoding);
    }
}

fn value<T: Serialize + DeserializeOwned>(body: &[u8], encoding: Encoding) {
    let Some(value) = counted(body, || decode_value::<T>(body, encoding).ok()) else { return };
    if let Ok(written) = encode_value(&value, encoding) {
        let read = decode_value::<T>(&written, encoding).ok();
        let again = read.and_then(|read| encode_value(&read, encoding).ok());
        assert_same(body, &written, again.as_deref(), encoding);
    }
}

fn arguments<A: Serialize + DeserializeOwned>(
    body: &[u8],
    described: &'static [ArgumentDescriptor],
    encoding: Encoding,
) {
    let decode = |body: &[u8]| decode_arguments::<A>(body, described, encoding).ok();
    let Some(value) = counted(body, || decode(body)) else { return };
    if let Ok(written) = encode_arguments(&value, described, encoding) {
        let again =
            decode(&written).and_then(|read| encode_arguments(&read, described, encoding).ok());
        assert_same(body, &written, again.as_deref(), encoding);
    }
}

/// Compares the encoded forms, because NaN is not equal to itself.
fn assert_same(body: &[u8], written: &[u8], again: Option<&[u8]>, encoding: Encoding) {
    // The body's length limits the number of elements without bytes, and the new body may be shorter.
    if again.is_none() && written.len() < body.len() {
        return;
    }
    assert_eq!(again, Some(written), "{encoding}, from {body:?}");
}

fn counted<T>(body: &[u8], decode: impl FnOnce() -> T) -> T {
    VISITS.set(0);
    let decoded = decode();
    let (visits, most) = (VISITS.get(), WIDEST * (body.len() + FREE_ELEMENTS + 1));
    assert!(visits <= most, "{visits} visits for {} bytes: {body:?}", body.len());
    decoded
}
