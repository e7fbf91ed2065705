//! Random types, made at run time. They serialize and deserialize like code that serde derives.

#![allow(clippy::trivially_copy_pass_by_ref, reason = "iterators' filters take references")]

use std::{cell::RefCell, collections::HashMap, fmt, rc::Rc};

use proptest::prelude::*;
use rpc_tests::Random;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{
        DeserializeSeed, EnumAccess, Error as _, IgnoredAny, MapAccess, SeqAccess, VariantAccess,
        Visitor,
    },
    ser::{Error as _, SerializeMap, SerializeStruct, SerializeStructVariant, SerializeTuple},
};

use super::{Traced, Tracer};
use crate::codec::{self, Encoding};

/// A type. Names of types do not count, so each type gets its own.
#[derive(Debug, Clone, PartialEq)]
enum Type {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I32,
    F64,
    Char,
    Text,
    Bytes,
    Unit,
    Option(Rc<Type>),
    Sequence(Rc<Type>),
    Map(Rc<Type>),
    Tuple(Vec<Type>),
    Newtype(Rc<Type>),
    Struct(&'static str, Vec<Field>),
    Enum(&'static str, Vec<Variant>),
    /// `Page<T>`: the same name and the same field for all `T`. The number distinguishes the visitors.
    Page(usize, Rc<Type>),
    /// `#[serde(try_from = "u32")]`: even numbers.
    Even,
    /// `#[serde(try_from = "String")]`: texts of at least 16 letters.
    Long,
    /// A type with this name that refuses all samples.
    Never(usize),
    /// `untagged`, `serde_json::Value` and similar types.
    Any,
}

#[derive(Debug, Clone, PartialEq)]
struct Field {
    name: &'static str,
    ty: Type,
    attribute: Attribute,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Attribute {
    None,
    Skip,
    SkipSerializing,
    SkipDeserializing,
    SkipSerializingIfDefault,
}

#[derive(Debug, Clone, PartialEq)]
struct Variant {
    name: &'static str,
    content: Content,
    skipped: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Content {
    Unit,
    Newtype(Type),
    Struct(Vec<Field>),
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Bool(bool),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    I32(i32),
    F64(f64),
    Char(char),
    Text(String),
    Bytes(Vec<u8>),
    Unit,
    Option(Option<Box<Value>>),
    Many(Vec<Value>),
    Variant(usize, Box<Value>),
}

const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// Makes types.
struct Maker {
    random: Random,
    pages: usize,
    named: usize,
    attributes: bool,
}

impl Maker {
    fn new(seed: u64, attributes: bool) -> Self {
        Self { random: Random::new(seed), pages: 0, named: 0, attributes }
    }

    fn name(&mut self) -> &'static str {
        self.named += 1;
        // Names of types have to be `'static`, so they are leaked.
        Box::leak(format!("T{}", self.named).into_boxed_str())
    }

    fn renamed(&mut self) -> &'static str {
        Box::leak(format!("R{}", self.random.bits()).into_boxed_str())
    }

    fn ty(&mut self, depth: usize) -> Type {
        let kinds = if depth == 0 { 14 } else { 26 };
        let inner = |maker: &mut Self| Rc::new(maker.ty(depth - 1));
        match self.random.below(kinds) {
            0 => Type::Bool,
            1 => Type::U8,
            2 => Type::U16,
            13 if self.attributes && self.random.below(8) == 0 => Type::Any,
            13 if self.random.below(4) == 0 => Type::Never(self.random.below(3)),
            3 | 13 => Type::U32,
            4 => Type::U64,
            5 => Type::I32,
            6 => Type::F64,
            7 => Type::Char,
            8 => Type::Text,
            9 => Type::Bytes,
            10 => Type::Unit,
            11 => Type::Even,
            12 => Type::Long,
            14 => Type::Option(inner(self)),
            15 | 16 => Type::Sequence(inner(self)),
            17 => Type::Map(inner(self)),
            18 => Type::Newtype(inner(self)),
            19 if self.pages < PAGES => {
                self.pages += 1;
                let number = self.pages - 1;
                Type::Page(number, inner(self))
            }
            19 | 20 => {
                let length = 1 + self.random.below(3);
                Type::Tuple((0..length).map(|_| self.ty(depth - 1)).collect())
            }
            21 | 22 => {
                let name = self.name();
                Type::Struct(name, self.fields(depth))
            }
            _ => {
                let name = self.name();
                let count = 1 + self.random.below(4);
                let variants = (0..count).map(|number| self.variant(number, depth)).collect();
                Type::Enum(name, variants)
            }
        }
    }

    fn fields(&mut self, depth: usize) -> Vec<Field> {
        let count = 1 + self.random.below(4);
        let mut field = |number: usize| {
            let attribute = match self.random.below(12) {
                0 if self.attributes => Attribute::Skip,
                1 if self.attributes => Attribute::SkipSerializing,
                2 if self.attributes => Attribute::SkipDeserializing,
                3 if self.attributes => Attribute::SkipSerializingIfDefault,
                _ => Attribute::None,
            };
            Field { name: NAMES[number], ty: self.ty(depth - 1), attribute }
        };
        (0..count).map(&mut field).collect()
    }

    fn variant(&mut self, number: usize, depth: usize) -> Variant {
        let content = match self.random.below(3) {
            0 => Content::Unit,
            1 => Content::Newtype(self.ty(depth - 1)),
            _ => Content::Struct(self.fields(depth)),
        };
        // At least one variant can be read.
        let skipped = self.attributes && number > 0 && self.random.below(6) == 0;
        Variant { name: NAMES[number], content, skipped }
    }
}

/// The type with one place changed.
fn changed(ty: &Type, random: &mut Random) -> Type {
    let fields_changed = |fields: &[Field], random: &mut Random| {
        let mut fields = fields.to_vec();
        let at = random.below(fields.len());
        match random.below(5) {
            0 => {
                let other = random.below(fields.len());
                fields.swap(at, other);
            }
            1 => fields[at].name = "renamed",
            2 if fields.len() > 1 => drop(fields.remove(at)),
            _ => fields[at].ty = changed(&fields[at].ty, random),
        }
        fields
    };
    let deeper = |inner: &Rc<Type>, random: &mut Random| Rc::new(changed(inner, random));
    if random.below(6) == 0 {
        return match random.below(3) {
            0 => Type::Newtype(Rc::new(ty.clone())),
            1 => Type::Option(Rc::new(ty.clone())),
            _ => Maker::new(random.bits(), false).ty(0),
        };
    }
    match ty {
        Type::Option(inner) => Type::Option(deeper(inner, random)),
        Type::Sequence(inner) => Type::Sequence(deeper(inner, random)),
        Type::Map(inner) => Type::Map(deeper(inner, random)),
        Type::Newtype(inner) => Type::Newtype(deeper(inner, random)),
        Type::Page(number, inner) => Type::Page(*number, deeper(inner, random)),
        Type::Tuple(members) => {
            let (mut members, at) = (members.clone(), random.below(members.len()));
            members[at] = changed(&members[at], random);
            Type::Tuple(members)
        }
        Type::Struct(_, fields) => {
            let name = Maker::new(random.bits(), false).renamed();
            Type::Struct(name, fields_changed(fields, random))
        }
        Type::Enum(name, variants) => {
            let (mut variants, at) = (variants.clone(), random.below(variants.len()));
            match (random.below(4), &mut variants[at].content) {
                (0, _) => {
                    let other = random.below(variants.len());
                    variants.swap(at, other);
                }
                (1, _) => variants[at].name = "renamed",
                (_, Content::Newtype(inner)) => *inner = changed(inner, random),
                (_, Content::Struct(fields)) => *fields = fields_changed(fields, random),
                (_, content) => *content = Content::Newtype(Type::U8),
            }
            Type::Enum(name, variants)
        }
        _ => Maker::new(random.bits(), false).ty(0),
    }
}

/// The type without everything that does not count: names of types, newtypes, and the accepted values.
fn bare(ty: &Type) -> Type {
    let inner = |ty: &Rc<Type>| Rc::new(bare(ty));
    let fields = |fields: &[Field]| {
        let fields = fields.iter().map(|field| Field { ty: bare(&field.ty), ..field.clone() });
        fields.collect()
    };
    match ty {
        Type::Newtype(ty) => bare(ty),
        Type::Even => Type::U32,
        Type::Long => Type::Text,
        Type::Option(ty) => Type::Option(inner(ty)),
        Type::Sequence(ty) => Type::Sequence(inner(ty)),
        Type::Map(ty) => Type::Map(inner(ty)),
        Type::Page(_, ty) => Type::Struct(
            "",
            vec![Field {
                name: "items",
                ty: Type::Sequence(inner(ty)),
                attribute: Attribute::None,
            }],
        ),
        Type::Tuple(members) => Type::Tuple(members.iter().map(bare).collect()),
        Type::Struct(_, members) => Type::Struct("", fields(members)),
        Type::Enum(_, variants) => Type::Enum(
            "",
            variants
                .iter()
                .map(|variant| Variant {
                    content: match &variant.content {
                        Content::Unit => Content::Unit,
                        Content::Newtype(ty) => Content::Newtype(bare(ty)),
                        Content::Struct(members) => Content::Struct(fields(members)),
                    },
                    ..variant.clone()
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

fn default_of(ty: &Type) -> Value {
    match ty {
        Type::Bool => Value::Bool(false),
        Type::U8 => Value::U8(0),
        Type::U16 => Value::U16(0),
        Type::U32 => Value::U32(0),
        Type::Even => Value::U32(2),
        Type::U64 => Value::U64(0),
        Type::I32 => Value::I32(0),
        Type::F64 => Value::F64(0.0),
        Type::Char => Value::Char('\0'),
        Type::Text | Type::Never(_) | Type::Any => Value::Text(String::new()),
        Type::Long => Value::Text("x".repeat(16)),
        Type::Bytes => Value::Bytes(Vec::new()),
        Type::Unit => Value::Unit,
        Type::Option(_) => Value::Option(None),
        Type::Sequence(_) | Type::Map(_) => Value::Many(Vec::new()),
        Type::Newtype(inner) => default_of(inner),
        Type::Page(..) => Value::Many(vec![Value::Many(Vec::new())]),
        Type::Tuple(members) => Value::Many(members.iter().map(default_of).collect()),
        Type::Struct(_, fields) => default_fields(fields),
        Type::Enum(_, variants) => {
            let content = match &variants[0].content {
                Content::Unit => Value::Unit,
                Content::Newtype(ty) => default_of(ty),
                Content::Struct(fields) => default_fields(fields),
            };
            Value::Variant(0, Box::new(content))
        }
    }
}

fn default_fields(fields: &[Field]) -> Value {
    Value::Many(fields.iter().map(|field| default_of(&field.ty)).collect())
}

fn value_of(ty: &Type, random: &mut Random) -> Value {
    let n = random.bits();
    let fields_of = |fields: &[Field], random: &mut Random| {
        let value = |field: &Field, random: &mut Random| match (field.attribute, n % 3) {
            // With this attribute, the field arrives as its default. The fields next to it have to arrive as sent.
            (Attribute::Skip | Attribute::SkipSerializing | Attribute::SkipDeserializing, _)
            | (Attribute::SkipSerializingIfDefault, 0) => default_of(&field.ty),
            _ => value_of(&field.ty, random),
        };
        Value::Many(fields.iter().map(|field| value(field, random)).collect())
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "any bits do")]
    match ty {
        Type::Bool => Value::Bool(n.is_multiple_of(2)),
        Type::U8 => Value::U8(n as u8),
        Type::U16 => Value::U16(n as u16),
        Type::U32 => Value::U32(n as u32),
        Type::Even => Value::U32((n as u32 | 2) & !1),
        Type::U64 => Value::U64(n),
        Type::I32 => Value::I32(n as i32),
        Type::F64 => Value::F64(f64::from(n as u32) / 7.0),
        Type::Char => Value::Char(char::from(n as u8)),
        Type::Text | Type::Any => Value::Text(format!("{n:x}").repeat(random.below(3))),
        Type::Long => Value::Text("y".repeat(16 + random.below(9))),
        Type::Never(_) => Value::Text("never".to_owned()),
        Type::Bytes => Value::Bytes(n.to_le_bytes()[..random.below(9)].to_vec()),
        Type::Unit => Value::Unit,
        Type::Option(inner) => {
            Value::Option(n.is_multiple_of(2).then(|| Box::new(value_of(inner, random))))
        }
        Type::Sequence(inner) => many(inner, random),
        Type::Map(inner) => {
            let count = random.below(3);
            let pair = |key: usize| {
                Value::Many(vec![Value::U32(u32::try_from(key).unwrap()), value_of(inner, random)])
            };
            Value::Many((0..count).map(pair).collect())
        }
        Type::Newtype(inner) => value_of(inner, random),
        Type::Page(_, inner) => Value::Many(vec![many(inner, random)]),
        Type::Tuple(members) => {
            Value::Many(members.iter().map(|member| value_of(member, random)).collect())
        }
        Type::Struct(_, fields) => fields_of(fields, random),
        Type::Enum(_, variants) => {
            let number = random.below(variants.len());
            let content = match &variants[number].content {
                Content::Unit => Value::Unit,
                Content::Newtype(ty) => value_of(ty, random),
                Content::Struct(fields) => fields_of(fields, random),
            };
            Value::Variant(number, Box::new(content))
        }
    }
}

fn many(inner: &Type, random: &mut Random) -> Value {
    let count = random.below(3);
    Value::Many((0..count).map(|_| value_of(inner, random)).collect())
}

// Writing.

struct Written<'a>(&'a Type, &'a Value);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match (self.0, self.1) {
            (_, Value::Bool(value)) => to.serialize_bool(*value),
            (_, Value::U8(value)) => to.serialize_u8(*value),
            (_, Value::U16(value)) => to.serialize_u16(*value),
            (_, Value::U32(value)) => to.serialize_u32(*value),
            (_, Value::U64(value)) => to.serialize_u64(*value),
            (_, Value::I32(value)) => to.serialize_i32(*value),
            (_, Value::F64(value)) => to.serialize_f64(*value),
            (_, Value::Char(value)) => to.serialize_char(*value),
            (_, Value::Text(value)) => to.serialize_str(value),
            (_, Value::Bytes(value)) => to.serialize_bytes(value),
            (Type::Newtype(inner), value) => {
                to.serialize_newtype_struct("N", &Written(inner, value))
            }
            (Type::Option(_), Value::Option(None)) => to.serialize_none(),
            (Type::Option(inner), Value::Option(Some(value))) => {
                to.serialize_some(&Written(inner, value))
            }
            (Type::Sequence(inner), Value::Many(values)) => {
                to.collect_seq(values.iter().map(|value| Written(inner, value)))
            }
            (Type::Map(inner), Value::Many(pairs)) => {
                let mut map = to.serialize_map(Some(pairs.len()))?;
                for pair in pairs {
                    let Value::Many(pair) = pair else { unreachable!() };
                    map.serialize_entry(&Written(&Type::U32, &pair[0]), &Written(inner, &pair[1]))?;
                }
                map.end()
            }
            (Type::Page(_, inner), Value::Many(values)) => {
                let mut page = to.serialize_struct("Page", 1)?;
                page.serialize_field(
                    "items",
                    &Written(&Type::Sequence(inner.clone()), &values[0]),
                )?;
                page.end()
            }
            (Type::Tuple(members), Value::Many(values)) => {
                let mut tuple = to.serialize_tuple(members.len())?;
                for (member, value) in members.iter().zip(values) {
                    tuple.serialize_element(&Written(member, value))?;
                }
                tuple.end()
            }
            (Type::Struct(name, fields), Value::Many(values)) => {
                let mut members = to.serialize_struct(name, written_length(fields, values))?;
                for (field, value) in fields.iter().zip(values) {
                    match is_written(field, value) {
                        Some(true) => {
                            members.serialize_field(field.name, &Written(&field.ty, value))?;
                        }
                        Some(false) => members.skip_field(field.name)?,
                        None => {}
                    }
                }
                members.end()
            }
            (Type::Enum(name, variants), Value::Variant(number, value)) => {
                let (variant, index) = (&variants[*number], u32::try_from(*number).unwrap());
                if variant.skipped {
                    return Err(S::Error::custom("the variant cannot be serialized"));
                }
                match (&variant.content, &**value) {
                    (Content::Unit, _) => to.serialize_unit_variant(name, index, variant.name),
                    (Content::Newtype(ty), value) => {
                        to.serialize_newtype_variant(name, index, variant.name, &Written(ty, value))
                    }
                    (Content::Struct(fields), Value::Many(values)) => {
                        let length = written_length(fields, values);
                        let mut members =
                            to.serialize_struct_variant(name, index, variant.name, length)?;
                        for (field, value) in fields.iter().zip(values) {
                            match is_written(field, value) {
                                Some(true) => members
                                    .serialize_field(field.name, &Written(&field.ty, value))?,
                                Some(false) => members.skip_field(field.name)?,
                                None => {}
                            }
                        }
                        members.end()
                    }
                    other => unreachable!("{other:?}"),
                }
            }
            (_, Value::Unit) => to.serialize_unit(),
            other => unreachable!("{other:?}"),
        }
    }
}

/// Derived code behaves like this: `None` for a field that it does not mention, `false` for one that it explicitly
/// skips.
fn is_written(field: &Field, value: &Value) -> Option<bool> {
    match field.attribute {
        Attribute::Skip | Attribute::SkipSerializing => None,
        Attribute::SkipSerializingIfDefault => Some(*value != default_of(&field.ty)),
        Attribute::None | Attribute::SkipDeserializing => Some(true),
    }
}

fn written_length(fields: &[Field], values: &[Value]) -> usize {
    let written = fields.iter().zip(values).map(|(field, value)| is_written(field, value));
    written.filter(|written| *written == Some(true)).count()
}

// Reading.

struct Read<'a>(&'a Type);

/// The largest number of instances of the generic type in one type.
const PAGES: usize = 4;

fn names<'a>(of: impl Iterator<Item = &'a &'static str>) -> &'static [&'static str] {
    Box::leak(of.copied().collect::<Vec<_>>().into_boxed_slice())
}

/// All newtypes have the same visitor here, so the name has to distinguish them.
fn newtype_name(inner: &Type) -> &'static str {
    thread_local! {
        static NAMES: RefCell<HashMap<String, &'static str>> = RefCell::default();
    }
    let name = format!("{inner:?}");
    NAMES.with_borrow_mut(|names| {
        *names.entry(name).or_insert_with_key(|name| Box::leak(name.clone().into_boxed_str()))
    })
}

fn is_read(field: &&Field) -> bool {
    !matches!(field.attribute, Attribute::Skip | Attribute::SkipDeserializing)
}

fn read_names(fields: &[Field]) -> &'static [&'static str] {
    names(fields.iter().filter(is_read).map(|field| &field.name))
}

impl<'de> DeserializeSeed<'de> for Read<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        let visitor = Visit(self.0);
        match self.0 {
            Type::Bool => bool::deserialize(from).map(Value::Bool),
            Type::U8 => u8::deserialize(from).map(Value::U8),
            Type::U16 => u16::deserialize(from).map(Value::U16),
            Type::U32 => u32::deserialize(from).map(Value::U32),
            Type::U64 => u64::deserialize(from).map(Value::U64),
            Type::I32 => i32::deserialize(from).map(Value::I32),
            Type::F64 => f64::deserialize(from).map(Value::F64),
            Type::Char => char::deserialize(from).map(Value::Char),
            Type::Text => String::deserialize(from).map(Value::Text),
            Type::Bytes => from.deserialize_byte_buf(visitor),
            Type::Unit => <()>::deserialize(from).map(|()| Value::Unit),
            Type::Even => match u32::deserialize(from)? {
                n if n > 0 && n.is_multiple_of(2) => Ok(Value::U32(n)),
                _ => Err(D::Error::custom("odd")),
            },
            Type::Long => match String::deserialize(from)? {
                text if text.len() >= 16 => Ok(Value::Text(text)),
                _ => Err(D::Error::custom("short")),
            },
            Type::Never(_) => match String::deserialize(from)? {
                text if text == "never" => Ok(Value::Text(text)),
                _ => Err(D::Error::custom("never")),
            },
            Type::Any => IgnoredAny::deserialize(from).map(|_| Value::Text(String::new())),
            Type::Option(_) => from.deserialize_option(visitor),
            Type::Sequence(_) => from.deserialize_seq(visitor),
            Type::Map(_) => from.deserialize_map(visitor),
            Type::Newtype(inner) => {
                from.deserialize_newtype_struct(newtype_name(inner), Visit(inner))
            }
            Type::Tuple(members) => from.deserialize_tuple(members.len(), visitor),
            Type::Struct(name, fields) => {
                from.deserialize_struct(name, read_names(fields), Fields(fields))
            }
            Type::Page(number, inner) => {
                let fields = [Field {
                    name: "items",
                    ty: Type::Sequence(inner.clone()),
                    attribute: Attribute::None,
                }];
                match number {
                    0 => from.deserialize_struct("Page", &["items"], Of::<0>(Fields(&fields))),
                    1 => from.deserialize_struct("Page", &["items"], Of::<1>(Fields(&fields))),
                    2 => from.deserialize_struct("Page", &["items"], Of::<2>(Fields(&fields))),
                    _ => from.deserialize_struct("Page", &["items"], Of::<3>(Fields(&fields))),
                }
            }
            Type::Enum(name, variants) => {
                let read = variants.iter().filter(|variant| !variant.skipped);
                let read = names(read.map(|variant| &variant.name));
                from.deserialize_enum(name, read, visitor)
            }
        }
    }
}

/// Visits all kinds except structs.
struct Visit<'a>(&'a Type);

impl<'de> Visitor<'de> for Visit<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Bytes(bytes))
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Option(None))
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        let Type::Option(inner) = self.0 else { unreachable!() };
        Ok(Value::Option(Some(Box::new(Read(inner).deserialize(from)?))))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        Read(self.0).deserialize(from)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        match self.0 {
            Type::Sequence(inner) => {
                while let Some(value) = from.next_element_seed(Read(inner))? {
                    values.push(value);
                }
            }
            Type::Tuple(members) => {
                for member in members {
                    let value = from.next_element_seed(Read(member))?;
                    values.push(value.ok_or_else(|| A::Error::custom("short"))?);
                }
            }
            other => unreachable!("{other:?}"),
        }
        Ok(Value::Many(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let Type::Map(inner) = self.0 else { unreachable!() };
        let mut pairs = Vec::new();
        while let Some((key, value)) = from.next_entry_seed(Read(&Type::U32), Read(inner))? {
            pairs.push(Value::Many(vec![key, value]));
        }
        Ok(Value::Many(pairs))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, from: A) -> Result<Value, A::Error> {
        let Type::Enum(_, variants) = self.0 else { unreachable!() };
        let (index, content) = from.variant::<u32>()?;
        // Derived code counts only the fields that it reads.
        let mut read = variants.iter().enumerate().filter(|(_, variant)| !variant.skipped);
        let found = read.nth(usize::try_from(index).unwrap());
        let (number, variant) = found.ok_or_else(|| A::Error::custom("no such variant"))?;
        let content = match &variant.content {
            Content::Unit => {
                content.unit_variant()?;
                Value::Unit
            }
            Content::Newtype(ty) => content.newtype_variant_seed(Read(ty))?,
            Content::Struct(fields) => {
                content.struct_variant(read_names(fields), Fields(fields))?
            }
        };
        Ok(Value::Variant(number, Box::new(content)))
    }
}

struct Fields<'a>(&'a [Field]);

impl Fields<'_> {
    fn complete<E: serde::de::Error>(&self, mut read: Vec<Option<Value>>) -> Result<Value, E> {
        let mut values = Vec::new();
        for (field, value) in self.0.iter().zip(&mut read) {
            values.push(match value.take() {
                Some(value) => value,
                None if field.attribute != Attribute::None => default_of(&field.ty),
                None => return Err(E::missing_field(field.name)),
            });
        }
        Ok(Value::Many(values))
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a struct")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        for field in self.0 {
            values.push(if is_read(&field) {
                from.next_element_seed(Read(&field.ty))?
            } else {
                None
            });
        }
        self.complete(values)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut values = vec![None; self.0.len()];
        while let Some(number) = from.next_key::<u32>()? {
            let mut read = self.0.iter().enumerate().filter(|(_, field)| is_read(field));
            let found = read.nth(usize::try_from(number).unwrap());
            let (at, field) = found.ok_or_else(|| A::Error::custom("no such field"))?;
            values[at] = Some(from.next_value_seed(Read(&field.ty))?);
        }
        self.complete(values)
    }
}

/// The visitor of an instance of the generic type. The number is part of the visitor's name, as a type parameter would
/// be.
struct Of<'a, const NUMBER: usize>(Fields<'a>);

impl<'de, const NUMBER: usize> Visitor<'de> for Of<'_, NUMBER> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, from: A) -> Result<Value, A::Error> {
        self.0.visit_seq(from)
    }

    fn visit_map<A: MapAccess<'de>>(self, from: A) -> Result<Value, A::Error> {
        self.0.visit_map(from)
    }
}

thread_local! {
    static TYPE: RefCell<Type> = const { RefCell::new(Type::Unit) };
}

/// A value of the type under test.
#[derive(Debug, PartialEq)]
struct Dynamic(Value);

impl<'de> Deserialize<'de> for Dynamic {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let ty = TYPE.with_borrow(Clone::clone);
        Read(&ty).deserialize(from).map(Dynamic)
    }
}

impl Serialize for Dynamic {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let ty = TYPE.with_borrow(Clone::clone);
        Written(&ty, &self.0).serialize(to)
    }
}

fn traced(ty: &Type) -> Traced {
    TYPE.set(ty.clone());
    let mut tracer = Tracer::default();
    tracer.trace::<Dynamic>("a");
    tracer.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn signatures_differ_if_bytes_differ(seed: u64, change: u64) {
        let ty = Maker::new(seed, false).ty(4);
        let mut random = Random::new(change);
        let other = changed(&ty, &mut random);
        let (first, second) = (traced(&ty), traced(&other));
        prop_assert_eq!(&first.misfit, &None, "{:?}", ty);
        prop_assert_eq!(&second.misfit, &None, "{:?}", other);
        let same = bare(&ty) == bare(&other);
        if first.unseen.is_empty() && second.unseen.is_empty() {
            prop_assert_eq!(first.hash == second.hash, same, "{:?}\n{:?}", ty, other);
        } else if same {
            prop_assert_eq!(first.unseen.is_empty(), second.unseen.is_empty(), "{:?}\n{:?}\n{:?}{:?}", ty, other, first.unseen, second.unseen);
        }
        // If the signatures are the same, the bytes mean the same.
        if first.hash == second.hash && first.unseen.is_empty() && second.unseen.is_empty() {
            TYPE.set(ty.clone());
            let sent = Dynamic(value_of(&ty, &mut random));
            let body = codec::encode_value(&sent, Encoding::Bincode).unwrap();
            TYPE.set(other.clone());
            // The other type may refuse the value, for example a text that is too short.
            if let Ok(read) = codec::decode_value::<Dynamic>(&body, Encoding::Bincode) {
                prop_assert_eq!(read, sent);
            }
        }
    }

    #[test]
    fn values_arrive_as_sent_or_are_refused(seed: u64, values: u64) {
        let ty = Maker::new(seed, true).ty(4);
        let traced = traced(&ty);
        let (refused, seen) = (traced.misfit.is_some(), traced.unseen.is_empty());
        // Next to an unseen type, a difference between written and read fields is not detected.
        let text = format!("{ty:?}");
        let pair = text.contains("SkipSerializing }") && text.contains("SkipDeserializing }");
        prop_assume!(seen || !pair);
        let mut random = Random::new(values);
        for _ in 0..8 {
            let value = Dynamic(value_of(&ty, &mut random));
            TYPE.set(ty.clone());
            if refused {
                break;
            }
            let body = codec::encode_value(&value, Encoding::Bincode);
            if let Ok(body) = body
                && (seen || codec::reads_back::<Dynamic>(&body).is_ok())
            {
                let read = codec::decode_value::<Dynamic>(&body, Encoding::Bincode);
                prop_assert_eq!(read.map_err(|error| error.to_string()), Ok(value), "{:?}", ty);
            }
        }
    }
}

/// Checks an assumption of the tests above: most of the generated types are interesting.
#[test]
fn random_types_are_carried_and_refused() {
    let all: Vec<Traced> = (0..300).map(|seed| traced(&Maker::new(seed, true).ty(4))).collect();
    let refused = all.iter().filter(|traced| traced.misfit.is_some()).count();
    let unseen = all.iter().filter(|traced| !traced.unseen.is_empty()).count();
    assert!((50..250).contains(&refused), "{refused}");
    assert!((3..100).contains(&unseen), "{unseen}");
}
