//! Refuses values that would be read as other values.
//!
//! bincode writes no names and no types. A field that is left out, or a sequence of another length than announced, shifts
//! everything behind it, and bincode does not notice. JSON has one `null` for what is nothing in several ways, and writes it
//! for numbers that are none.

use serde::{
    Serialize, Serializer,
    ser::{
        Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

use super::Encoding;

/// A value, to be written with these checks.
pub(super) struct Faithful<'a, T: ?Sized> {
    value: &'a T,
    rules: Rules,
}

impl<'a, T: ?Sized> Faithful<'a, T> {
    pub(super) fn new(value: &'a T, encoding: Encoding) -> Self {
        let rules = if encoding == Encoding::Json { Rules::Named } else { Rules::Positional };
        Self { value, rules }
    }
}

impl<T: ?Sized + Serialize> Serialize for Faithful<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Checked { inner: serializer, rules: self.rules })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rules {
    /// bincode: every member has to be written.
    Positional,
    /// JSON: nothing may become `null` that is read as something else.
    Named,
    /// The same, inside of `Some`: what is written as `null` would be read as `None`.
    NamedInSome,
}

impl Rules {
    fn inside(self) -> Self {
        match self {
            Self::NamedInSome => Self::Named,
            other => other,
        }
    }

    fn inside_some(self) -> Self {
        match self {
            Self::Named => Self::NamedInSome,
            other => other,
        }
    }
}

struct Checked<S> {
    inner: S,
    rules: Rules,
}

impl<S: Serializer> Checked<S> {
    fn not_null(&self) -> Result<(), S::Error> {
        if self.rules == Rules::NamedInSome {
            return Err(S::Error::custom(
                "JSON writes `null` for what is in this `Some`, which is read as `None`",
            ));
        }
        Ok(())
    }

    fn number(&self, finite: bool) -> Result<(), S::Error> {
        if self.rules != Rules::Positional && !finite {
            return Err(S::Error::custom("JSON has no NaN and no infinity"));
        }
        Ok(())
    }

    fn members<C>(
        self,
        announced: Option<usize>,
        open: impl FnOnce(S) -> Result<C, S::Error>,
    ) -> Result<Members<C>, S::Error> {
        let rules = self.rules.inside();
        Ok(Members { inner: open(self.inner)?, rules, announced, written: 0 })
    }
}

macro_rules! forward {
    ($($method:ident($value:ty);)*) => {$(
        fn $method(self, value: $value) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        }
    )*};
}

impl<S: Serializer> Serializer for Checked<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Members<S::SerializeSeq>;
    type SerializeTuple = Members<S::SerializeTuple>;
    type SerializeTupleStruct = Members<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Members<S::SerializeTupleVariant>;
    type SerializeMap = Members<S::SerializeMap>;
    type SerializeStruct = Members<S::SerializeStruct>;
    type SerializeStructVariant = Members<S::SerializeStructVariant>;

    forward! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.number(value.is_finite())?;
        self.inner.serialize_f32(value)
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.number(value.is_finite())?;
        self.inner.serialize_f64(value)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.not_null()?;
        self.inner.serialize_none()
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.not_null()?;
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.not_null()?;
        self.inner.serialize_unit_struct(name)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<S::Ok, S::Error> {
        let rules = self.rules.inside_some();
        self.inner.serialize_some(&Faithful { value, rules })
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        number: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, number, variant)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_struct(name, &Faithful { value, rules: self.rules })
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        name: &'static str,
        number: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = Faithful { value, rules: self.rules.inside() };
        self.inner.serialize_newtype_variant(name, number, variant, &value)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.members(length, |inner| inner.serialize_seq(length))
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.members(Some(length), |inner| inner.serialize_tuple(length))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.members(Some(length), |inner| inner.serialize_tuple_struct(name, length))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        number: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.members(Some(length), |inner| {
            inner.serialize_tuple_variant(name, number, variant, length)
        })
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.members(length, |inner| inner.serialize_map(length))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        self.members(Some(length), |inner| inner.serialize_struct(name, length))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        number: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.members(Some(length), |inner| {
            inner.serialize_struct_variant(name, number, variant, length)
        })
    }
}

/// What has members, as far as it is written.
struct Members<C> {
    inner: C,
    rules: Rules,
    announced: Option<usize>,
    written: usize,
}

impl<C> Members<C> {
    fn next<'a, T: ?Sized>(&mut self, value: &'a T) -> Faithful<'a, T> {
        self.written += 1;
        Faithful { value, rules: self.rules }
    }

    /// In bincode, what was announced has to follow. The compiler knows the numbers of a tuple's members.
    fn complete<E: Error>(self) -> Result<C, E> {
        match self.announced {
            Some(announced) if self.rules == Rules::Positional && announced != self.written => {
                Err(E::custom(format_args!(
                    "{announced} members are announced and {} are written",
                    self.written
                )))
            }
            _ => Ok(self.inner),
        }
    }

    fn skip<E: Error>(&self, name: &str) -> Result<(), E> {
        if self.rules == Rules::Positional {
            return Err(E::custom(format_args!(
                "the field `{name}` is left out (`skip_serializing_if`), and bincode has no names to tell"
            )));
        }
        Ok(())
    }
}

macro_rules! members {
    ($($trait:ident $function:ident($($name:ident)?) $($skip:ident)?;)*) => {$(
        impl<C: $trait> $trait for Members<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $function<T: ?Sized + Serialize>(
                &mut self,
                $($name: &'static str,)?
                value: &T,
            ) -> Result<(), C::Error> {
                let value = self.next(value);
                self.inner.$function($($name,)? &value)
            }

            $(fn $skip(&mut self, name: &'static str) -> Result<(), C::Error> {
                self.skip(name)?;
                self.inner.$skip(name)
            })?

            fn end(self) -> Result<C::Ok, C::Error> {
                self.complete()?.end()
            }
        }
    )*};
}

members! {
    SerializeSeq serialize_element();
    SerializeTuple serialize_element();
    SerializeTupleStruct serialize_field();
    SerializeTupleVariant serialize_field();
    SerializeStruct serialize_field(name) skip_field;
    SerializeStructVariant serialize_field(name) skip_field;
}

impl<C: SerializeMap> SerializeMap for Members<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), C::Error> {
        let key = self.next(key);
        self.inner.serialize_key(&key)
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_value(&Faithful { value, rules: self.rules })
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.complete()?.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{super::encode_value, *};

    fn refused<T: Serialize>(value: &T, encoding: Encoding) -> String {
        encode_value(value, encoding).unwrap_err().in_full()
    }

    #[derive(Serialize)]
    struct Purchase {
        #[serde(skip_serializing_if = "Option::is_none")]
        coupon: Option<u32>,
        quantity: u32,
    }

    #[test]
    fn a_field_left_out_is_refused_in_bincode() {
        encode_value(&Purchase { coupon: Some(1), quantity: 1 }, Encoding::Bincode).unwrap();
        let without = Purchase { coupon: None, quantity: 1 };
        let said = refused(&vec![without], Encoding::Bincode);
        assert!(said.contains("the field `coupon` is left out"), "{said}");
        let without = Purchase { coupon: None, quantity: 1 };
        assert_eq!(encode_value(&without, Encoding::Json).unwrap(), r#"{"quantity":1}"#);
    }

    /// Announces another number of elements than it writes.
    struct Announced(usize, Vec<u8>);

    impl Serialize for Announced {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            let mut elements = to.serialize_seq(Some(self.0))?;
            for element in &self.1 {
                elements.serialize_element(element)?;
            }
            elements.end()
        }
    }

    #[test]
    fn another_length_than_announced_is_refused() {
        encode_value(&Announced(2, vec![1, 2]), Encoding::Bincode).unwrap();
        for announced in [0, 1, 3] {
            let said = refused(&Announced(announced, vec![1, 2]), Encoding::Bincode);
            assert!(said.contains("are announced and 2 are written"), "{said}");
        }
    }

    #[test]
    fn numbers_that_are_none_are_refused_in_json() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(refused(&number, Encoding::Json).contains("no NaN"));
            assert!(refused(&Some(number), Encoding::Json).contains("no NaN"));
            assert!(
                refused(&vec![BTreeMap::from([("a", (1, number))])], Encoding::Json)
                    .contains("no NaN")
            );
            encode_value(&number, Encoding::Bincode).unwrap();
        }
        assert!(refused(&f32::NAN, Encoding::Json).contains("no NaN"));
    }

    #[test]
    fn some_of_null_is_refused_in_json() {
        #[derive(Serialize)]
        struct Unit;
        #[derive(Serialize)]
        struct Wrapped(Option<u8>);
        assert!(refused(&Some(()), Encoding::Json).contains("read as `None`"));
        assert!(refused(&Some(Unit), Encoding::Json).contains("read as `None`"));
        assert!(refused(&Some(None::<u8>), Encoding::Json).contains("read as `None`"));
        assert!(refused(&vec![Some(Wrapped(None))], Encoding::Json).contains("read as `None`"));
        assert_eq!(encode_value(&Some(Some(1)), Encoding::Json).unwrap(), "1");
        assert_eq!(encode_value(&Some(Wrapped(Some(1))), Encoding::Json).unwrap(), "1");
        assert_eq!(encode_value(&Some((None::<u8>, ())), Encoding::Json).unwrap(), "[null,null]");
        encode_value(&Some(()), Encoding::Bincode).unwrap();
    }
}
