//! Corrected signatures, for messages.

use syn::Pat;

use crate::{syntax::TraitMethod, tidy};

/// `fn fib(&self, n: u32) -> u64` with a correct receiver. The arguments become `…` if they are many or faulty.
pub(super) fn with_receiver(method: &TraitMethod) -> String {
    let returns = method.returns().map(|ty| format!(" -> {}", tidy::text(ty)));
    with_output(method, &returns.unwrap_or_default())
}

/// The same with this result.
pub(super) fn with_output(method: &TraitMethod, output: &str) -> String {
    const LONGEST: usize = 60;
    let arguments: Option<Vec<String>> = method
        .arguments()
        .map(|argument| match &*argument.pat {
            Pat::Ident(name) => Some(format!(", {}: {}", name.ident, tidy::text(&argument.ty))),
            _ => None,
        })
        .collect();
    let arguments = arguments
        .map(|arguments| arguments.concat())
        .filter(|text| text.len() + output.len() <= LONGEST)
        .unwrap_or_else(|| ", …".to_owned());
    format!("fn {}(&self{arguments}){output}", method.sig.ident)
}
