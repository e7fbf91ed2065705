//! Faults of a trait: worded for its author, and collected so that none hides another or is forgotten.

use std::{
    cell::{Cell, RefCell},
    fmt::Write as _,
};

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// One mistake: what is wrong, the rule it breaks, and what to write instead.
#[must_use = "a fault is reported by `Errors::push`"]
pub(crate) struct Fault {
    at: TokenStream,
    message: String,
    elsewhere: Vec<syn::Error>,
}

impl Fault {
    /// A fault at these tokens.
    pub(crate) fn new(at: &impl ToTokens, what: impl Into<String>) -> Self {
        Self { at: at.to_token_stream(), message: what.into(), elsewhere: Vec::new() }
    }

    /// The rule, with its reason.
    ///
    /// A procedural macro on stable Rust has no way to attach a note, so the message imitates one.
    pub(crate) fn note(self, rule: impl AsRef<str>) -> Self {
        self.line("note", rule.as_ref())
    }

    /// The remedy, with the corrected code if it is short.
    pub(crate) fn help(self, remedy: impl AsRef<str>) -> Self {
        self.line("help", remedy.as_ref())
    }

    /// Another place that is part of the fault.
    pub(crate) fn also(mut self, at: &impl ToTokens, what: impl Into<String>) -> Self {
        self.elsewhere.push(syn::Error::new_spanned(at, what.into()));
        self
    }

    fn line(mut self, kind: &str, text: &str) -> Self {
        // Writing to a String cannot fail.
        let _ = write!(self.message, "\n  = {kind}: {text}");
        self
    }
}

/// The faults found so far.
///
/// Dropping it unread is a bug of the macro, which would accept a faulty trait. Builds with debug assertions panic then.
pub(crate) struct Errors {
    found: RefCell<Option<Vec<syn::Error>>>,
    conditional: RefCell<TokenStream>,
    left_to_rustc: Cell<bool>,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Self {
            found: RefCell::new(Some(Vec::new())),
            conditional: RefCell::default(),
            left_to_rustc: Cell::new(false),
        }
    }

    pub(crate) fn push(&self, fault: Fault) {
        self.push_syntax(syn::Error::new_spanned(fault.at, fault.message));
        for error in fault.elsewhere {
            self.push_syntax(error);
        }
    }

    /// Adds an error of the parser.
    pub(crate) fn push_syntax(&self, error: syn::Error) {
        if let Some(found) = self.found.borrow_mut().as_mut() {
            found.push(error);
        }
    }

    /// Notes a fault that rustc reports better in the generated trait. It only prevents the generation of further code.
    pub(crate) fn leave_to_rustc(&self) {
        self.left_to_rustc.set(true);
    }

    /// Adds a fault that exists only if all these `#[cfg]` attributes hold. rustc evaluates them.
    pub(crate) fn push_if(&self, conditions: &TokenStream, fault: Fault) {
        if conditions.is_empty() {
            return self.push(fault);
        }
        let main = syn::Error::new_spanned(fault.at, fault.message);
        let errors =
            std::iter::once(main).chain(fault.elsewhere).map(|error| error.to_compile_error());
        self.conditional.borrow_mut().extend(quote!(#(#conditions #errors)*));
    }

    /// The code that makes rustc print the faults: `Err` if some are certain, else `Ok` with the conditional ones.
    pub(crate) fn into_result(self) -> Result<TokenStream, TokenStream> {
        let faultless = !self.left_to_rustc.get();
        let conditional = self.conditional.take();
        let found = self.into_compile_errors();
        if faultless && found.is_empty() { Ok(conditional) } else { Err(found) }
    }

    pub(crate) fn into_compile_errors(self) -> TokenStream {
        let found = self.found.take().unwrap_or_default();
        found.iter().map(syn::Error::to_compile_error).collect()
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        debug_assert!(
            self.found.get_mut().is_none() || std::thread::panicking(),
            "faults were gathered and never read"
        );
    }
}
