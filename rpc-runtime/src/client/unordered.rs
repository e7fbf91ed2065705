//! Whether arguments have a type whose values are written in another order each time: `HashMap` and `HashSet`.
//!
//! A cache finds a result by the bytes of the arguments, so it would never find one. serde does not show whether a
//! sequence is a set; but it hands over each value with its type, and the name of that tells.

use std::{any::type_name, error::Error, fmt, mem};

use serde::Serialize;

use crate::{
    codec::{Compound, EncodeError, Inspector, Members, Place, Scalar, inspect},
    contract::MethodDescriptor,
};

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
    let Err(Stop(Some((found, ordered)))) = inspect(arguments, &mut search) else { return Ok(()) };
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

impl<'a> Inspector for &'a mut Search {
    type Ok = ();
    type Error = Stop;
    type Members = Inside<'a>;

    fn scalar(self, _: Scalar) -> Result<(), Stop> {
        Ok(())
    }

    fn none(self) -> Result<(), Stop> {
        Ok(())
    }

    fn some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Stop> {
        let name = type_name::<T>();
        if let Some((_, found, ordered)) = HASHED.iter().find(|(part, ..)| name.contains(part)) {
            return Err(Stop(Some((found, ordered))));
        }
        self.left = self.left.checked_sub(1).ok_or(Stop(None))?;
        inspect(value, self)
    }

    fn newtype<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Stop> {
        self.some(value)
    }

    fn variant(self, _: u32, _: &'static str) -> Result<Self, Stop> {
        Ok(self)
    }

    fn members(self, _: Compound, _: Option<usize>) -> Result<Inside<'a>, Stop> {
        let arguments = !mem::replace(&mut self.inside, true);
        Ok(Inside { search: self, arguments, seen: 0 })
    }
}

/// What is in a sequence, a map, a tuple or a struct.
struct Inside<'a> {
    search: &'a mut Search,
    arguments: bool,
    seen: usize,
}

impl Members for Inside<'_> {
    type Ok = ();
    type Error = Stop;

    fn member<T: ?Sized + Serialize>(&mut self, at: Place, value: &T) -> Result<(), Stop> {
        let one_of_many = matches!(at, Place::Element | Place::Key | Place::Value);
        if one_of_many && self.seen >= ELEMENTS {
            return Ok(());
        }
        if self.arguments {
            self.search.argument = self.seen;
        }
        self.seen += 1;
        self.search.some(value)
    }

    fn end(self) -> Result<(), Stop> {
        Ok(())
    }
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
        let ended = inspect(arguments, &mut search);
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
