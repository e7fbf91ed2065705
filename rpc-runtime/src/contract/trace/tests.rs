#![allow(
    clippy::items_after_statements,
    clippy::trivially_copy_pass_by_ref,
    reason = "types stand beside what is said of them; serde hands references to functions"
)]

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    net::{IpAddr, SocketAddr},
    num::{NonZeroU8, NonZeroU32},
    path::PathBuf,
    time::Duration,
};

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::*;

fn traced<T: Serialize + DeserializeOwned>() -> Traced {
    let mut tracer = Tracer::default();
    tracer.trace::<T>("a");
    tracer.finish()
}

/// The hash of a type that bincode can carry and that was fully seen.
fn whole<T: Serialize + DeserializeOwned>() -> u64 {
    let traced = traced::<T>();
    assert_eq!(traced.misfit, None, "{}", type_name::<T>());
    assert_eq!(traced.unseen, [""; 0], "{}", type_name::<T>());
    traced.hash
}

fn misfit<T: Serialize + DeserializeOwned>() -> String {
    let traced = traced::<T>();
    traced.misfit.unwrap_or_else(|| panic!("{} is carried", type_name::<T>())).to_string()
}

/// The types of two builds. Each is in its own module, because types with the same name cannot be distinguished
/// otherwise.
macro_rules! build {
    ($name:ident { $($item:item)* }) => {
        #[allow(dead_code, reason = "only the shape of these types matters")]
        mod $name {
            use super::*;
            $(
                #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
                $item
            )*
        }
    };
}

build!(before {
    pub(super) enum Amount { All, Range { from: u32, to: u32 } }
    pub(super) enum Command { Transfer(Amount), Close }
    pub(super) struct Transfer { id: Uuid, amount: u32, fee: u32 }
    pub(super) struct Timed { at: DateTime<Utc>, amount: u32, fee: u32 }
    pub(super) struct Linked { to: Url, amount: u32, fee: u32 }
    pub(super) struct Checked { even: Even, amount: u32, fee: u32 }
    pub(super) struct Strict { odd: Impossible, amount: u32, fee: u32 }
    pub(super) struct Page<T> { items: Vec<T>, next: Option<u64> }
    pub(super) struct Point { x: f64, y: Option<u8> }
    pub(super) enum Expression { Sum(Box<Expression>, Box<Expression>), Number(i64), Named(Name) }
    pub(super) struct Name { of: Vec<Expression>, text: String }
    pub(super) struct Node { children: Vec<Node>, next: Option<Box<Node>>, last: u16 }
    pub(super) enum Deep { A(Middle), B }
    pub(super) enum Middle { A(Inner), B }
    pub(super) enum Inner { A(u8), B { x: u8 }, C(u32) }
    pub(super) struct Aliased { name: String, n: u32 }
    pub(super) enum AliasedVariants { First(u8), Second }
    pub(super) enum LocalLast { Deposit(u64), Close(u64) }
    pub(super) struct Wrapped(u32);
});

build!(after {
    pub(super) enum Amount { All, Range { to: u32, from: u32 } }
    pub(super) enum Command { Transfer(Amount), Close }
    pub(super) struct Transfer { id: Uuid, fee: u32, amount: u32 }
    pub(super) struct Timed { at: DateTime<Utc>, fee: u32, amount: u32 }
    pub(super) struct Linked { to: Url, fee: u32, amount: u32 }
    pub(super) struct Checked { even: Even, amount: u32, fee: u64 }
    pub(super) struct Strict { odd: Impossible, amount: u32, fee: u64 }
    pub(super) struct Position { x: f64, y: Option<u8> }
    pub(super) enum Expression { Sum(Box<Expression>, Box<Expression>), Number(i64), Named(Name) }
    pub(super) struct Name { of: Vec<Expression>, text: Vec<u8> }
    pub(super) struct Node { children: Vec<Node>, next: Option<Box<Node>>, last: u32 }
    pub(super) enum Deep { A(Middle), B }
    pub(super) enum Middle { A(Inner), B }
    pub(super) enum Inner { A(u8), B { x: u8 }, C(u64) }
    pub(super) struct Aliased { #[serde(alias = "a", alias = "title")] name: String, #[serde(alias = "z")] n: u32 }
    pub(super) enum AliasedVariants { #[serde(alias = "A")] First(u8), #[serde(alias = "B")] Second }
    pub(super) enum LocalLast { Deposit(u64), Close(u64), #[serde(skip)] Local }
});

/// Refuses odd numbers, and has no zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
struct Even(u32);

impl TryFrom<u32> for Even {
    type Error = &'static str;

    fn try_from(n: u32) -> Result<Self, Self::Error> {
        if n > 0 && n.is_multiple_of(2) { Ok(Self(n)) } else { Err("odd") }
    }
}

impl From<Even> for u32 {
    fn from(even: Even) -> Self {
        even.0
    }
}

/// Accepts a single text that no sample contains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Impossible(String);

impl TryFrom<String> for Impossible {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "correct horse battery staple" { Ok(Self(text)) } else { Err("wrong") }
    }
}

impl From<Impossible> for String {
    fn from(text: Impossible) -> Self {
        text.0
    }
}

#[test]
fn variants_inside_variants_count() {
    assert_ne!(whole::<before::Command>(), whole::<after::Command>());
    assert_ne!(whole::<before::Deep>(), whole::<after::Deep>());
    assert_ne!(whole::<Vec<before::Deep>>(), whole::<Vec<after::Deep>>());
    assert_ne!(whole::<(before::Deep, u8)>(), whole::<(before::Middle, u8)>());
}

#[test]
fn one_generic_type_used_twice_is_two_types() {
    use before::Page;
    assert_ne!(
        whole::<(Result<u8, String>, Result<u64, String>)>(),
        whole::<(Result<u8, String>, Result<i64, String>)>()
    );
    assert_ne!(whole::<Page<Page<u32>>>(), whole::<Page<Page<String>>>());
    assert_ne!(whole::<(Page<u8>, Page<u16>)>(), whole::<(Page<u8>, Page<u8>)>());
}

#[test]
fn fields_after_a_validated_type_count() {
    assert_ne!(whole::<before::Transfer>(), whole::<after::Transfer>());
    assert_ne!(whole::<before::Timed>(), whole::<after::Timed>());
    assert_ne!(whole::<before::Linked>(), whole::<after::Linked>());
    assert_ne!(whole::<before::Checked>(), whole::<after::Checked>());
}

#[test]
fn common_validated_types_are_seen_whole() {
    whole::<(Uuid, DateTime<Utc>, NaiveDate, Url)>();
    whole::<(IpAddr, SocketAddr, Duration, std::time::SystemTime, PathBuf)>();
    whole::<(NonZeroU8, NonZeroU32, std::num::NonZeroI64)>();
    whole::<(Cow<'static, str>, Box<[u8]>, std::ops::Range<u32>)>();
    whole::<HashMap<Uuid, BTreeMap<NonZeroU8, Option<Even>>>>();
    whole::<[u8; 32]>();
    whole::<(std::cmp::Reverse<u8>, std::num::Wrapping<i8>, std::ops::Bound<u8>, ())>();
}

#[test]
fn type_that_refuses_all_samples_is_unseen() {
    let traced = traced::<(u8, before::Strict)>();
    assert_eq!(traced.misfit, None);
    assert_eq!(traced.unseen, ["the argument `a`, `1.odd` (Impossible)"]);
}

#[test]
fn fields_beside_an_unseen_type_count() {
    assert_ne!(traced::<before::Strict>().hash, traced::<after::Strict>().hash);
    let (first, second) = (traced::<Vec<before::Strict>>(), traced::<Vec<after::Strict>>());
    assert_ne!(first.hash, second.hash);
}

#[test]
fn names_of_unseen_types_count() {
    #[derive(Serialize, Deserialize)]
    #[serde(try_from = "String")]
    struct Other(String);
    impl TryFrom<String> for Other {
        type Error = &'static str;
        fn try_from(_: String) -> Result<Self, Self::Error> {
            Err("never")
        }
    }
    assert_ne!(traced::<(Impossible, u8)>().hash, traced::<(Other, u8)>().hash);
    assert_eq!(traced::<(Impossible, u8)>().hash, traced::<(Impossible, u8)>().hash);
}

#[test]
fn variants_beside_an_unseen_one_count() {
    #[derive(Serialize, Deserialize)]
    enum Early<T> {
        Never(Impossible),
        Then(T),
    }
    let (first, second) = (traced::<Early<u8>>(), traced::<Early<u16>>());
    assert_ne!(first.hash, second.hash);
    assert_eq!(first.unseen.len(), 1, "{:?}", first.unseen);
}

#[test]
fn names_of_types_and_modules_do_not_count() {
    assert_eq!(whole::<before::Point>(), whole::<after::Position>());
    assert_eq!(
        whole::<(before::Point, before::Point)>(),
        whole::<(before::Point, after::Position)>()
    );
    assert_eq!(whole::<before::Wrapped>(), whole::<u32>());
    assert_eq!(whole::<Vec<before::Wrapped>>(), whole::<Vec<u32>>());
}

#[test]
fn recursive_types_are_fully_seen() {
    assert_eq!(whole::<before::Node>(), whole::<before::Node>());
    assert_ne!(whole::<before::Node>(), whole::<after::Node>());
    assert_ne!(whole::<before::Expression>(), whole::<after::Expression>());
    #[derive(Serialize, Deserialize)]
    struct Chain(Option<Box<Chain>>);
    whole::<Chain>();
    #[derive(Serialize, Deserialize)]
    enum List {
        Cons(u8, Box<List>),
        Nil,
    }
    #[derive(Serialize, Deserialize)]
    enum Reversed {
        Nil,
        Cons(u8, Box<Reversed>),
    }
    assert_ne!(whole::<List>(), whole::<Reversed>());
}

#[test]
fn mutually_recursive_types_are_fully_seen() {
    macro_rules! tangled {
        ($module:ident, $leaf:ty) => {
            mod $module {
                use serde::{Deserialize, Serialize};
                #[derive(Serialize, Deserialize)]
                pub(super) enum A {
                    B(Box<B>),
                    C(Box<C>),
                    D(Box<D>),
                    End,
                }
                #[derive(Serialize, Deserialize)]
                pub(super) enum B {
                    A(Box<A>, Box<C>),
                    D(Box<D>),
                    Both(Box<B>, Box<B>),
                    End,
                }
                #[derive(Serialize, Deserialize)]
                pub(super) enum C {
                    A(Box<A>, Box<D>),
                    B(Box<B>),
                    List(Vec<C>),
                }
                #[derive(Serialize, Deserialize)]
                pub(super) enum D {
                    A(Box<A>),
                    B { b: Box<B>, maybe: Option<Box<D>> },
                    Leaf($leaf),
                }
            }
        };
    }
    tangled!(first, u16);
    tangled!(second, i16);
    assert_ne!(whole::<first::A>(), whole::<second::A>());
    assert_ne!(whole::<first::C>(), whole::<second::C>());
}

#[test]
fn large_enumerations_are_hashed_to_the_end() {
    macro_rules! large {
        ($module:ident $last:ty: $($variant:ident)*) => {
            mod $module {
                use serde::{Deserialize, Serialize};
                #[derive(Serialize, Deserialize)]
                pub(super) enum Large {
                    $($variant { first_of_many_fields: String, second_of_many_fields: Option<u64>, others: [u64; 32] },)*
                    Last { x: $last },
                }
            }
        };
    }
    macro_rules! seventy {
        ($module:ident $last:ty) => {
            large!($module $last: V0 V1 V2 V3 V4 V5 V6 V7 V8 V9 V10 V11 V12 V13 V14 V15 V16 V17 V18 V19
                V20 V21 V22 V23 V24 V25 V26 V27 V28 V29 V30 V31 V32 V33 V34 V35 V36 V37 V38 V39
                V40 V41 V42 V43 V44 V45 V46 V47 V48 V49 V50 V51 V52 V53 V54 V55 V56 V57 V58 V59
                V60 V61 V62 V63 V64 V65 V66 V67 V68);
        };
    }
    seventy!(first u32);
    seventy!(second u64);
    assert_ne!(whole::<first::Large>(), whole::<second::Large>());
    assert_ne!(whole::<[first::Large; 3]>(), whole::<[second::Large; 3]>());
}

#[test]
fn aliases_do_not_count() {
    assert_eq!(whole::<before::Aliased>(), whole::<after::Aliased>());
    assert_eq!(whole::<before::AliasedVariants>(), whole::<after::AliasedVariants>());
}

#[test]
fn scalars_and_containers_differ() {
    let all = [
        whole::<u8>(),
        whole::<u16>(),
        whole::<u32>(),
        whole::<u64>(),
        whole::<u128>(),
        whole::<i8>(),
        whole::<i16>(),
        whole::<i32>(),
        whole::<i64>(),
        whole::<i128>(),
        whole::<f32>(),
        whole::<f64>(),
        whole::<bool>(),
        whole::<char>(),
        whole::<String>(),
        whole::<()>(),
        whole::<Vec<u8>>(),
        whole::<[u8; 2]>(),
        whole::<[u8; 3]>(),
        whole::<[u8; 30]>(),
        whole::<Option<u8>>(),
        whole::<HashMap<u8, u8>>(),
        whole::<HashMap<u8, u16>>(),
        whole::<Vec<u16>>(),
        whole::<Vec<Option<u8>>>(),
        whole::<Option<Vec<u8>>>(),
        whole::<(u8, u16)>(),
        whole::<(u16, u8)>(),
        whole::<(u8, (u16, u8))>(),
        whole::<((u8, u16), u8)>(),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn a_skipped_variant_shifts_those_behind_it() {
    build!(skipped {
        pub(super) enum Op { #[serde(skip)] Local, Deposit(u64), Close(u64) }
        pub(super) enum Middle { Open, #[serde(skip_deserializing)] Local, Close(u64) }
        pub(super) enum One { #[serde(skip)] Local, Deposit(u64) }
    });
    let said = misfit::<skipped::Op>();
    assert_eq!(
        said,
        "the argument `a`: the variant `Deposit` is written as number 1, and number 0 is what is read as it: a variant \
         before it is marked `#[serde(skip)]`; move that one to the end"
    );
    assert!(misfit::<Vec<skipped::Op>>().contains("`Deposit`"));
    assert!(misfit::<Result<u8, skipped::Op>>().contains("`Deposit`"));
    assert!(misfit::<skipped::Middle>().contains("`Close`"));
    assert!(misfit::<skipped::One>().contains("`Deposit`"));
    // A skipped last variant shifts no other one, and serde refuses to write it.
    assert_eq!(whole::<before::LocalLast>(), whole::<after::LocalLast>());
}

#[test]
fn fields_left_out_for_some_values_are_refused() {
    fn zero(n: &u8) -> bool {
        *n == 0
    }
    #[derive(Serialize, Deserialize)]
    struct Purchase {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        coupon: Option<u32>,
        quantity: u32,
        items: Vec<u8>,
    }
    #[derive(Serialize, Deserialize)]
    struct Zero {
        #[serde(default, skip_serializing_if = "zero")]
        a: u8,
        b: Vec<u8>,
    }
    #[derive(Serialize, Deserialize)]
    enum Inside {
        Empty,
        Full {
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            items: Vec<Zero>,
            n: u8,
        },
    }
    assert_eq!(
        misfit::<Purchase>(),
        "the argument `a`: the field `coupon` is left out for some values (`skip_serializing_if`), and what follows would \
         be read in its place"
    );
    assert!(misfit::<Zero>().contains("`a` is left out"));
    assert!(misfit::<Inside>().contains("is left out"));
    assert!(misfit::<Vec<Option<Purchase>>>().contains("`coupon` is left out"));
}

#[test]
fn fields_skipped_on_one_side_are_refused() {
    #[derive(Serialize, Deserialize)]
    #[allow(dead_code, reason = "not written")]
    struct NotWritten {
        #[serde(default, skip_serializing)]
        a: u8,
        b: u8,
    }
    #[derive(Serialize, Deserialize)]
    struct NotRead {
        a: u8,
        #[serde(skip_deserializing)]
        b: u8,
    }
    #[derive(Serialize, Deserialize)]
    #[allow(dead_code, reason = "not written")]
    struct Both {
        #[serde(default, skip_serializing)]
        a: u8,
        #[serde(default, skip_deserializing)]
        b: u8,
        c: u8,
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Skipped {
        a: u8,
        #[serde(skip)]
        b: u8,
        c: u8,
    }
    assert!(misfit::<NotWritten>().contains("`b` is written where `a` is read"));
    assert!(misfit::<NotRead>().contains("`b`"), "{}", misfit::<NotRead>());
    assert!(misfit::<Both>().contains("`b` is written where `a` is read"));
    whole::<Skipped>();
}

#[test]
fn self_describing_types_are_refused() {
    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        A(u8),
        B(String),
    }
    #[derive(Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Tagged {
        A { x: u8 },
        B,
    }
    #[derive(Serialize, Deserialize)]
    #[serde(tag = "t", content = "c")]
    enum Adjacent {
        A(u8),
        B,
    }
    assert!(misfit::<Untagged>().contains("it asks what comes next"));
    assert!(misfit::<Tagged>().contains("it asks what comes next"));
    assert!(misfit::<Adjacent>().contains("it asks what comes next"));
    assert!(misfit::<serde_json::Value>().contains("it asks what comes next"));
    assert!(misfit::<Decimal>().contains("it asks what comes next"));
    let deep = misfit::<(u8, Vec<Option<BTreeMap<String, Tagged>>>)>();
    assert!(deep.starts_with("the argument `a`, `1[].values[]`"), "{deep}");
    assert!(misfit::<before::Page<Option<serde_json::Value>>>().contains("`items[]`"));
}

#[test]
fn a_struct_with_flatten_is_named() {
    #[derive(Serialize, Deserialize)]
    struct Flat {
        a: u8,
        #[serde(flatten)]
        rest: BTreeMap<String, String>,
    }
    #[derive(Serialize, Deserialize)]
    struct Deep {
        outer: Vec<Option<Flat>>,
    }
    #[derive(Serialize, Deserialize)]
    enum Variant {
        A {
            #[serde(flatten)]
            rest: BTreeMap<String, String>,
        },
    }
    let why = "is read by the names of its fields, as serde reads a struct with `flatten`, and bincode does not write names";
    assert_eq!(misfit::<Flat>(), format!("the argument `a`: `Flat` {why}"));
    assert_eq!(misfit::<Deep>(), format!("the argument `a`, `outer[]`: `Flat` {why}"));
    let keys = misfit::<BTreeMap<u8, Flat>>();
    assert_eq!(keys, format!("the argument `a`, `values[]`: `Flat` {why}"));
    let variant = misfit::<Variant>();
    assert!(variant.starts_with("the argument `a`, `A`: `Variant` is read"), "{variant}");
    // It is refused, so its signature is not checked.
    for unseen in traced::<Deep>().unseen {
        assert!(!unseen.contains("impl "), "{unseen}");
    }
}

#[test]
fn other_forms_of_the_same_bytes_are_carried() {
    mod bytes {
        use serde::{Deserialize, Deserializer, Serializer};
        pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
            to.serialize_bytes(bytes)
        }
        pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
            Vec::deserialize(from)
        }
    }
    #[derive(Serialize, Deserialize)]
    struct Bytes(#[serde(with = "bytes")] Vec<u8>);
    whole::<(Bytes, u8)>();
}

#[test]
fn asymmetric_types_are_refused() {
    mod number {
        use serde::{Deserialize, Deserializer, Serializer};
        pub(super) fn serialize<S: Serializer>(n: &u64, to: S) -> Result<S::Ok, S::Error> {
            to.serialize_str(&n.to_string())
        }
        pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
            u64::deserialize(from)
        }
    }
    mod optional {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};
        pub(super) fn serialize<S: Serializer>(n: &u64, to: S) -> Result<S::Ok, S::Error> {
            n.serialize(to)
        }
        pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
            Option::<u64>::deserialize(from).map(Option::unwrap_or_default)
        }
    }
    #[derive(Serialize, Deserialize)]
    struct Numbered {
        #[serde(with = "number")]
        n: u64,
    }
    #[derive(Serialize, Deserialize)]
    struct Optional {
        #[serde(with = "optional")]
        n: u64,
    }
    #[derive(Serialize, Deserialize)]
    #[serde(from = "u32", into = "u64")]
    struct Narrowed(u32);
    impl From<u32> for Narrowed {
        fn from(n: u32) -> Self {
            Self(n)
        }
    }
    impl From<Narrowed> for u64 {
        fn from(n: Narrowed) -> Self {
            n.0.into()
        }
    }
    impl Clone for Narrowed {
        fn clone(&self) -> Self {
            Self(self.0)
        }
    }
    assert_eq!(
        misfit::<Numbered>(),
        "the argument `a`, `n`: it is written as text and read as `u64`"
    );
    assert!(misfit::<Optional>().contains("written as `u64` and read as an option"));
    assert!(misfit::<Narrowed>().contains("written as `u64` and read as `u32`"));
}

#[test]
fn old_variant_may_become_a_new_one() {
    #[derive(Clone, Serialize, Deserialize)]
    enum Stored {
        V1(u8),
        V2 { n: u8, unit: String },
    }
    #[derive(Clone, Serialize, Deserialize)]
    #[serde(from = "Stored", into = "Stored")]
    struct Current {
        n: u8,
        unit: String,
    }
    impl From<Stored> for Current {
        fn from(stored: Stored) -> Self {
            match stored {
                Stored::V1(n) => Self { n, unit: "s".to_owned() },
                Stored::V2 { n, unit } => Self { n, unit },
            }
        }
    }
    impl From<Current> for Stored {
        fn from(current: Current) -> Self {
            Self::V2 { n: current.n, unit: current.unit }
        }
    }
    whole::<Current>();
}

#[test]
fn validation_over_several_fields_is_met() {
    #[derive(Serialize, Deserialize)]
    struct Raw {
        name: String,
        from: u32,
        to: u32,
        kind: Option<u8>,
    }
    #[derive(Serialize, Deserialize)]
    #[serde(try_from = "Raw")]
    struct Span {
        name: String,
        from: u32,
        to: u32,
        kind: Option<u8>,
    }
    impl TryFrom<Raw> for Span {
        type Error = &'static str;
        fn try_from(raw: Raw) -> Result<Self, Self::Error> {
            let Raw { name, from, to, kind } = raw;
            if from < to && !name.is_empty() {
                Ok(Self { name, from, to, kind })
            } else {
                Err("empty")
            }
        }
    }
    whole::<Vec<(Span, u8)>>();
}

#[test]
fn panicking_type_is_unseen() {
    #[derive(Serialize)]
    struct Panics;
    impl<'de> Deserialize<'de> for Panics {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            panic!("not prepared for {}", u8::deserialize(from)?)
        }
    }
    let traced = traced::<(u8, Panics, u8)>();
    assert_eq!(traced.unseen.len(), 1, "{:?}", traced.unseen);
}

#[test]
fn a_type_without_values_ends() {
    #[derive(Serialize, Deserialize)]
    enum Endless {
        A(Box<Endless>),
        B(Box<Endless>),
    }
    assert!(!traced::<Endless>().unseen.is_empty());
    #[derive(Serialize, Deserialize)]
    enum Never {}
    let _ = traced::<Result<u8, Never>>();
}

#[test]
fn sets_and_maps_are_carried() {
    whole::<(BTreeSet<Uuid>, HashMap<String, Vec<(u8, Option<char>)>>)>();
}
