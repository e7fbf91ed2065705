//! Whether arguments have a type whose values are written in another order each time: `HashMap` and `HashSet`.
//!
//! A cache finds a result by the bytes of the arguments, so it would never find one. serde does not show whether a
//! sequence is a set; but it hands over each value with its type, and the name of that tells.

use std::{any::type_name, error::Error, fmt, mem};

use serde::{
    Serialize, Serializer,
    ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

use crate::{codec::EncodeError, contract::MethodDescriptor};

/// What is in the names of such types, behind the path of a module; what they are called; and what to use instead.
const HASHED: [(&str, &str, &str); 2] =
    [("::HashMap<", "HashMap", "BTreeMap"), ("::HashSet<", "HashSet", "BTreeSet")];

/// How many elements of a sequence are looked at, and how many values in all: enough to see every type of most arguments.
const ELEMENTS: usize = 16;
const VALUES: usize = 10_000;

/// Refuses the arguments of a cacheable method that a cache could not find again.
pub(super) fn check<A: Serialize>(
    arguments: &A,
    service: &str,
    method: &MethodDescriptor,
) -> Result<(), EncodeError> {
    let mut search = Search { left: VALUES, inside: false, argument: 0 };
    let Err(Stop(Some((found, ordered)))) = arguments.serialize(&mut search) else { return Ok(()) };
    let argument = method.arguments.get(search.argument).map_or("", |argument| argument.name);
    Err(EncodeError::because(format!(
        "{service}.{} is `cacheable`, and its argument `{argument}` has a `{found}`, which is written in another order each \
         time: no cache would find a result again; use a `{ordered}`, or leave `cacheable` out",
        method.name
    )))
}

struct Search {
    left: usize,
    /// The tuple of the arguments was entered.
    inside: bool,
    argument: usize,
}

/// Ends the search: with what was found and what to use instead, or because it was enough.
#[derive(Debug)]
struct Stop(Option<(&'static str, &'static str)>);

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the search has ended")
    }
}

impl Error for Stop {}

impl serde::ser::Error for Stop {
    /// A value that cannot be written is found where it is.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(None)
    }
}

type Looked = Result<(), Stop>;

impl Search {
    fn look<T: Serialize + ?Sized>(&mut self, value: &T) -> Looked {
        let name = type_name::<T>();
        if let Some((_, found, ordered)) = HASHED.iter().find(|(part, ..)| name.contains(part)) {
            return Err(Stop(Some((found, ordered))));
        }
        self.left = self.left.checked_sub(1).ok_or(Stop(None))?;
        value.serialize(self)
    }

    fn members(&mut self) -> Members<'_> {
        let arguments = !mem::replace(&mut self.inside, true);
        Members { search: self, arguments, seen: 0 }
    }
}

/// What is in a sequence, a map, a tuple or a struct.
struct Members<'a> {
    search: &'a mut Search,
    arguments: bool,
    seen: usize,
}

impl Members<'_> {
    fn member<T: Serialize + ?Sized>(&mut self, value: &T) -> Looked {
        if self.arguments {
            self.search.argument = self.seen;
        }
        self.seen += 1;
        self.search.look(value)
    }

    /// One of many of the same type.
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Looked {
        if self.seen < ELEMENTS { self.member(value) } else { Ok(()) }
    }
}

macro_rules! nothing_inside {
    ($($function:ident($type:ty))*) => {
        $(fn $function(self, _: $type) -> Looked {
            Ok(())
        })*
    };
}

impl<'a> Serializer for &'a mut Search {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Members<'a>;
    type SerializeTuple = Members<'a>;
    type SerializeTupleStruct = Members<'a>;
    type SerializeTupleVariant = Members<'a>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Members<'a>;

    nothing_inside! {
        serialize_bool(bool)
        serialize_i8(i8)
        serialize_i16(i16)
        serialize_i32(i32)
        serialize_i64(i64)
        serialize_i128(i128)
        serialize_u8(u8)
        serialize_u16(u16)
        serialize_u32(u32)
        serialize_u64(u64)
        serialize_u128(u128)
        serialize_f32(f32)
        serialize_f64(f64)
        serialize_char(char)
        serialize_str(&str)
        serialize_bytes(&[u8])
        serialize_unit_struct(&'static str)
    }

    fn serialize_none(self) -> Looked {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Looked {
        self.look(value)
    }

    fn serialize_unit(self) -> Looked {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Looked {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Looked {
        self.look(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Looked {
        self.look(value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Members<'a>, Stop> {
        Ok(self.members())
    }

    fn serialize_tuple(self, _: usize) -> Result<Members<'a>, Stop> {
        Ok(self.members())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Members<'a>, Stop> {
        Ok(self.members())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Members<'a>, Stop> {
        Ok(self.members())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'a>, Stop> {
        Ok(self.members())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'a>, Stop> {
        Ok(self.members())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Members<'a>, Stop> {
        Ok(self.members())
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Looked {
        Ok(())
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

impl SerializeSeq for Members<'_> {
    type Ok = ();
    type Error = Stop;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Looked {
        self.element(value)
    }

    fn end(self) -> Looked {
        Ok(())
    }
}

impl SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Stop;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Looked {
        self.element(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Looked {
        self.element(value)
    }

    fn end(self) -> Looked {
        Ok(())
    }
}

macro_rules! members {
    ($($of:ident::$function:ident($($name:ty)?))*) => {
        $(impl $of for Members<'_> {
            type Ok = ();
            type Error = Stop;

            fn $function<T: Serialize + ?Sized>(&mut self, $(_: $name,)? value: &T) -> Looked {
                self.member(value)
            }

            fn end(self) -> Looked {
                Ok(())
            }
        })*
    };
}

members! {
    SerializeTuple::serialize_element()
    SerializeTupleStruct::serialize_field()
    SerializeTupleVariant::serialize_field()
    SerializeStruct::serialize_field(&'static str)
    SerializeStructVariant::serialize_field(&'static str)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

    use super::*;

    #[derive(Serialize)]
    struct Filter<T> {
        page: Vec<u8>,
        kind: Kind<T>,
    }

    #[derive(Serialize)]
    enum Kind<T> {
        All,
        Tagged { tags: T },
        Of(T),
    }

    #[derive(Serialize)]
    struct Tags(HashSet<u8>);

    fn found<A: Serialize>(arguments: &A) -> Option<(&'static str, usize)> {
        let mut search = Search { left: VALUES, inside: false, argument: 0 };
        let ended = arguments.serialize(&mut search);
        ended.err().and_then(|Stop(found)| Some((found?.0, search.argument)))
    }

    #[test]
    fn hashed_types_are_found_wherever_they_are() {
        let filter = |kind| Filter { page: vec![0; 100_000], kind };
        let map = HashMap::from([(1u8, 2u8)]);
        for (found, argument) in [
            (found(&(map.clone(),)), 0),
            (found(&(7, Vec::<HashSet<u8>>::new())), 1),
            (found(&(None::<HashMap<u8, u8>>,)), 0),
            (found(&("a", 1, filter(Kind::Of(map.clone())))), 2),
            (found(&(filter(Kind::Tagged { tags: map.clone() }),)), 0),
            (found(&(filter(Kind::All::<HashMap<u8, u8>>),)), 0),
            (found(&(Some(vec![Box::new(Tags(HashSet::new()))]),)), 0),
            (found(&(BTreeMap::from([(1, map)]),)), 0),
        ] {
            let (name, at) = found.expect("it has one");
            assert!(name.contains("Hash"), "{name}");
            assert_eq!(at, argument, "{name}");
        }
    }

    #[test]
    fn ordered_types_are_not() {
        let ordered = BTreeMap::from([("a", BTreeSet::from([1, 2]))]);
        assert_eq!(found(&(ordered.clone(), Some(vec![1]), "HashMap<u8>", ())), None);
        assert_eq!(found(&(Filter { page: vec![], kind: Kind::Of(ordered) },)), None);
        assert_eq!(found(&(vec![vec![0u8; 1_000]; 100_000],)), None);
        assert_eq!(found(&()), None);
    }
}
