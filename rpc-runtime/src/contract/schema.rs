//! The JSON Schemas of a method's types, if their authors derive them.
//!
//! Like `returns`, this checks the types themselves. The generated code is `{ use NoSchema as _;
//! SchemaProbe::<T>::schema }`. If `T` has a schema, rustc finds the inherent function first. For any other type, it
//! finds only the function of the trait.

use std::marker::PhantomData;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use crate::causes::opaque_debug;

/// Gets the schema of a type.
#[derive(Debug)]
pub struct SchemaProbe<T>(PhantomData<T>);

impl<T: JsonSchema> SchemaProbe<T> {
    /// Its schema.
    pub fn schema() -> Option<Value> {
        // References to the document's root would break if the schema is embedded in another document.
        let settings = SchemaSettings::draft07().with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        });
        Some(settings.into_generator().into_root_schema_for::<T>().to_value())
    }
}

/// The result of [`SchemaProbe`] for types without a schema.
pub trait NoSchema {
    /// None.
    fn schema() -> Option<Value> {
        None
    }
}

impl<T> NoSchema for SchemaProbe<T> {}

/// The JSON Schemas (draft 7) of a method's arguments, result and error, for those types that implement
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

    /// The schema of the argument at this position.
    pub fn argument(&self, index: usize) -> Option<Value> {
        self.arguments.get(index)?()
    }

    /// The schema of the result. For a `Result`, that of its value.
    pub fn result(&self) -> Option<Value> {
        (self.result)()
    }

    /// The schema of the method's own error.
    pub fn error(&self) -> Option<Value> {
        (self.error)()
    }
}

opaque_debug!(MethodSchemas);
