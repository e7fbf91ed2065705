//! The receiver has to be `&self`.

use syn::{FnArg, Receiver, ReceiverKind, Type};

use super::corrected;
use crate::{
    errors::{Errors, Fault},
    syntax::TraitMethod,
    tidy,
};

pub(super) fn check(method: &TraitMethod, errors: &Errors) {
    let fault = match method.sig.inputs.first() {
        Some(FnArg::Receiver(receiver)) => refused(receiver, method),
        _ => Some(missing(method)),
    };
    if let Some(fault) = fault {
        errors.push(fault);
    }
}

fn missing(method: &TraitMethod) -> Fault {
    let name = &method.sig.ident;
    Fault::new(name, format!("`{name}` has no receiver"))
        .note("a method is called on the service, which all calls share")
        .help(format!(
            "write `{}{}`",
            if method.sig.asyncness.is_some() { "async " } else { "" },
            corrected::with_receiver(method)
        ))
}

fn refused(receiver: &Receiver, method: &TraitMethod) -> Option<Fault> {
    let (what, reason, help) = match &receiver.kind {
        ReceiverKind::Reference(_, None, None) => return None,
        ReceiverKind::Typed(_, ty) if is_ref_self(ty) => return None,
        // A lifetime that the method declares is reported with its generics.
        ReceiverKind::Reference(_, Some(_), None)
            if method.sig.generics.lifetimes().next().is_some() =>
        {
            return None;
        }
        ReceiverKind::Reference(_, Some(_), None) => (
            "`&self` with a lifetime".to_owned(),
            "a result travels to another process, so nothing can borrow from the service",
            "write `&self`",
        ),
        ReceiverKind::Reference(_, _, Some(_)) => (
            "`&mut self`".to_owned(),
            "many calls run at the same time and share the service",
            "write `&self`, and keep what changes in a `Mutex`, an atomic or a channel",
        ),
        ReceiverKind::Value => (
            "`self` by value".to_owned(),
            "the first call would consume the service, and other calls follow",
            "write `&self`",
        ),
        ReceiverKind::Typed(_, ty) => (
            format!("`self: {}`", tidy::text(ty)),
            "the server keeps the service in an `Arc` of its own, and lends it to each call",
            "write `&self`; data that outlives the call goes into an `Arc` in a field of the service",
        ),
        _ => ("this receiver".to_owned(), "many calls share the service", "write `&self`"),
    };
    Some(
        Fault::new(receiver, format!("a method of a service cannot take {what}"))
            .note(reason)
            .help(help),
    )
}

/// `self: &Self`, the long form of `&self`.
fn is_ref_self(ty: &Type) -> bool {
    let Type::Reference(reference) = ty else {
        return false;
    };
    let Type::Path(path) = &*reference.elem else {
        return false;
    };
    reference.mutability.is_none() && reference.lifetime.is_none() && path.path.is_ident("Self")
}
