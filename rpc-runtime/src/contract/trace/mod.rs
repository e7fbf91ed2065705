//! Finds the shape of a type on the wire. It deserializes the type from sample values and serializes the results.
//!
//! serde has no description of a type. But a type that is deserialized requests each value that it wants to read, so a
//! deserializer that offers samples sees the shape. Each [pass](Tracer::trace) reads the type once and sees one
//! variant of each enum. Passes continue until every variant was seen, and every option and sequence was seen full and
//! empty.
//!
//! After each pass, the value is serialized, and the result is compared with what was read. bincode has no names, so a
//! type that writes other things than it reads would be misread without an error.

mod canonical;
mod choice;
mod graph;
mod misfit;
mod read;
mod samples;
mod write;

use std::{
    any::type_name,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::codec::inspect;
pub(crate) use misfit::{ERROR, Misfit, RESULT};
use {
    choice::Pass,
    graph::{Graph, PlaceId},
    misfit::Step,
    write::Writer,
};

/// The limit of steps. Types need far fewer. A type that needs more is seen only in part.
const MOST_STEPS: usize = 4_000_000;

/// The facts about a method's types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traced {
    /// Differs for types whose bytes bincode would read differently.
    pub(crate) hash: u64,
    /// Why bincode cannot carry the types.
    pub(crate) misfit: Option<Misfit>,
    /// The unseen parts of the types, with their places. For these, the names of the types are used.
    pub(crate) unseen: Vec<String>,
}

/// Traces types, one after the other, into one graph.
#[derive(Debug, Default)]
pub struct Tracer {
    graph: Graph,
    pass: Pass,
    roots: Vec<PlaceId>,
    /// How many of these belong to arguments. The others belong to the result and the error.
    arguments: usize,
    steps: usize,
    /// A sample was accepted and could not be written.
    unwritten: bool,
    misfit: Option<Misfit>,
}

impl Tracer {
    /// Traces a type. The role is its use in the method: the name of an argument, or "the result".
    pub(crate) fn trace<T: Serialize + DeserializeOwned>(&mut self, role: &'static str) {
        self.trace_as::<T>(role, type_name::<T>());
    }

    /// Traces a type that its users know by another name.
    pub(crate) fn trace_as<T: Serialize + DeserializeOwned>(
        &mut self,
        role: &'static str,
        type_name: &'static str,
    ) {
        let root = self.root(role, type_name);
        self.passes(root, &mut |tracer| match T::deserialize(&mut *tracer) {
            Ok(value) => {
                tracer.unwritten |= inspect(&value, Writer::new(tracer, root)).is_err();
                true
            }
            Err(_) => false,
        });
        if std::mem::take(&mut self.unwritten) {
            self.graph.place_mut(root).refused = true;
        }
    }

    /// Starts the next part of the method, so that an argument cannot be confused with a result.
    pub(crate) fn divide(&mut self) {
        self.arguments = self.roots.len();
    }

    /// The result for all types together.
    pub(crate) fn finish(mut self) -> Traced {
        if self.misfit.is_none() {
            self.misfit = self.graph.shifted_variant();
        }
        Traced {
            hash: canonical::hash(&self.graph, &self.roots, self.arguments),
            misfit: self.misfit,
            unseen: self.graph.unseen(&self.roots),
        }
    }

    fn root(&mut self, role: &'static str, type_name: &'static str) -> PlaceId {
        let root = self.graph.add(Step::Root(role), None);
        self.graph.place_mut(root).type_name = type_name;
        self.roots.push(root);
        root
    }

    /// Reads the type repeatedly, until nothing new is found. Compiled once for all types.
    fn passes(&mut self, root: PlaceId, read: &mut dyn FnMut(&mut Self) -> bool) {
        loop {
            self.pass = Pass::begin(root, &self.graph);
            // The user's code may panic on sample values.
            let outcome = catch_unwind(AssertUnwindSafe(|| read(self)));
            let passed = *outcome.as_ref().unwrap_or(&false);
            let progress = self.settle(passed, outcome.is_err());
            if self.misfit.is_some() || (passed && !self.graph.is_pending(root)) {
                return;
            }
            if self.steps > MOST_STEPS {
                self.graph.place_mut(root).refused = true;
                return;
            }
            if !progress && !self.give_up_innermost_choice(passed) {
                let refused = self.graph.leading_to(|place| place.refused);
                if !passed && !refused.contains(&root) {
                    self.graph.place_mut(root).refused = true;
                }
                return;
            }
        }
    }
}

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
