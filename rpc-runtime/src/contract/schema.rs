//! The JSON Schema of a method's types, where their authors derive it.
//!
//! The types are asked, as `returns` asks them: the generated code writes `{ use NoSchema as _; SchemaProbe::<T>::schema }`.
//! Where `T` has a schema, the inherent function is found first; for anything else only the trait's remains.

use std::marker::PhantomData;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use crate::causes::opaque_debug;

/// Asks a type for its schema.
#[derive(Debug)]
pub struct SchemaProbe<T>(PhantomData<T>);

impl<T: JsonSchema> SchemaProbe<T> {
    /// Its schema.
    pub fn schema() -> Option<Value> {
        // Whoever puts it into a document of his own cannot have references that begin at its root.
        let settings = SchemaSettings::draft07().with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        });
        Some(settings.into_generator().into_root_schema_for::<T>().to_value())
    }
}

/// What [`SchemaProbe`] says of every type without a schema.
pub trait NoSchema {
    /// None.
    fn schema() -> Option<Value> {
        None
    }
}

impl<T> NoSchema for SchemaProbe<T> {}

/// The JSON Schema of a method's arguments, its result and its error: draft 7, of those types that implement
/// `schemars::JsonSchema`.
///
/// ```
/// use rpc_runtime::{Dispatch, rpc_service};
///
/// #[rpc_service]
/// trait Sums {
///     async fn sum(&self, numbers: Vec<u64>) -> u64;
/// }
/// # struct Plain;
/// # impl Sums for Plain {
/// #     async fn sum(&self, numbers: Vec<u64>) -> u64 { numbers.iter().sum() }
/// # }
///
/// let server = SumsServer::new(Plain);
/// let schemas = &server.descriptor().methods[0].schemas;
/// assert_eq!(schemas.argument(0).unwrap()["type"], "array");
/// assert_eq!(schemas.result().unwrap()["type"], "integer");
/// ```
pub struct MethodSchemas {
    arguments: &'static [Schema],
    result: Schema,
    error: Schema,
}

type Schema = fn() -> Option<Value>;

/// The schemas of a method.
pub const fn schemas(arguments: &'static [Schema], result: Schema, error: Schema) -> MethodSchemas {
    MethodSchemas::new(arguments, result, error)
}

impl MethodSchemas {
    pub(crate) const fn new(arguments: &'static [Schema], result: Schema, error: Schema) -> Self {
        Self { arguments, result, error }
    }

    /// That of the argument at this place.
    pub fn argument(&self, index: usize) -> Option<Value> {
        self.arguments.get(index)?()
    }

    /// That of the result; of a `Result`, its value.
    pub fn result(&self) -> Option<Value> {
        (self.result)()
    }

    /// That of the method's own error.
    pub fn error(&self) -> Option<Value> {
        (self.error)()
    }
}

opaque_debug!(MethodSchemas);
