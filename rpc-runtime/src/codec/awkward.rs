//! Types that are awkward to decode, for property tests and fuzzing: they contain themselves, take no bytes, or promise
//! more than there is. They count how often decoding comes by, which a clock could not say.

use std::{cell::Cell, collections::BTreeMap};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

use super::{
    ArgumentDescriptor, Encoding, bounded::FREE_ELEMENTS, decode_arguments, decode_value,
    encode_arguments, encode_value,
};

thread_local! {
    static VISITS: Cell<usize> = const { Cell::new(0) };
}

/// The members of the widest of the types below, and itself: so often decoding may come by for one element.
const WIDEST: usize = 17;

/// Anything, counted when it is decoded.
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

/// Decodes the bytes as each of the types in each encoding. Most are refused; what is not, is written and read again as
/// the same.
///
/// # Panics
///
/// If that is not so, or decoding came by more often than there are bytes for it.
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

/// Written forms are compared: a number that is none is not the same as itself.
fn assert_same(body: &[u8], written: &[u8], again: Option<&[u8]>, encoding: Encoding) {
    // Elements that take no bytes are allowed by the length of a body, and this one is shorter than it could be.
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
