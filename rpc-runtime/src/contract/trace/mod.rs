//! The shape of a type on the wire, found by deserializing the type from sample values and by writing what came of them.
//!
//! serde has no description of a type. But a type that is deserialized asks for what it wants to read, so a
//! deserializer that offers samples sees the shape. Each [pass](Tracer::trace) reads the type once and sees one variant of
//! each enumeration; passes go on until every variant, option and sequence was seen full and empty.
//!
//! After each pass the value is written, and the writing is compared with the reading. bincode has no names: a type that
//! writes something else than it reads would be misread without an error.

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

/// A type takes far fewer steps. One that takes more is seen in part.
const MOST_STEPS: usize = 4_000_000;

/// What is known of a method's types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traced {
    /// Differs wherever bincode would read the bytes differently.
    pub(crate) hash: u64,
    /// Why bincode cannot carry the types.
    pub(crate) misfit: Option<Misfit>,
    /// Parts of the types that were not seen, with their places. For these the names of the types count.
    pub(crate) unseen: Vec<String>,
}

/// Walks types, one after the other, into one graph.
#[derive(Debug, Default)]
pub struct Tracer {
    graph: Graph,
    pass: Pass,
    roots: Vec<PlaceId>,
    /// The number of these that belong to arguments; the others belong to the result and the error.
    arguments: usize,
    steps: usize,
    /// A sample was accepted and could not be written.
    unwritten: bool,
    misfit: Option<Misfit>,
}

impl Tracer {
    /// Walks a type. The role says what it is for the method: an argument's name, or "the result".
    pub(crate) fn trace<T: Serialize + DeserializeOwned>(&mut self, role: &'static str) {
        self.trace_as::<T>(role, type_name::<T>());
    }

    /// Walks a type that is known to users by another name.
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

    /// What comes from here on is of another part of the method, so that an argument is not taken for a result.
    pub(crate) fn divide(&mut self) {
        self.arguments = self.roots.len();
    }

    /// What was found in all types together.
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

    /// Reads the type again and again, until nothing new is to be seen. Compiled once for all types.
    fn passes(&mut self, root: PlaceId, read: &mut dyn FnMut(&mut Self) -> bool) {
        loop {
            self.pass = Pass::begin(root, &self.graph);
            // Code of the user's may not be prepared for the sample values.
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
