//! `&self`, and why nothing else.

use syn::{FnArg, Receiver, ReceiverKind, Type};

use crate::{
    errors::{Errors, Fault},
    syntax::TraitMethod,
};

pub(super) fn check(method: &TraitMethod, errors: &Errors) {
    match method.sig.inputs.first() {
        Some(FnArg::Receiver(receiver)) => errors.push_all(fault(receiver)),
        _ => {
            let name = &method.sig.ident;
            let fault = Fault::new(name, format!("`{name}` has no receiver"))
                .note("a method is called on the service, which all calls share")
                .help(format!(
                    "make `&self` its first argument: `fn {name}(&self{})`",
                    rest(method)
                ));
            errors.push(fault);
        }
    }
}

fn rest(method: &TraitMethod) -> &'static str {
    if method.sig.inputs.is_empty() {
        ""
    } else {
        ", …"
    }
}

fn fault(receiver: &Receiver) -> Option<Fault> {
    let (what, reason, help) = match &receiver.kind {
        ReceiverKind::Reference(_, None, None) => return None,
        ReceiverKind::Typed(_, ty) if is_ref_self(ty) => return None,
        ReceiverKind::Reference(_, Some(_), None) => (
            "`&self` with a named lifetime",
            "a result travels to another process, so nothing can borrow from the service",
            "write `&self`",
        ),
        ReceiverKind::Reference(_, _, Some(_)) => (
            "`&mut self`",
            "many calls run at the same time and share the service",
            "write `&self`, and keep what changes in a `Mutex`, an atomic or a channel",
        ),
        ReceiverKind::Value => (
            "`self` by value",
            "the first call would use the service up, and it has more to answer",
            "write `&self`",
        ),
        ReceiverKind::Typed(..) => (
            "a `self` of another type",
            "the server keeps the service in an `Arc` of its own, and lends it to each call",
            "write `&self`; what outlives the call goes into an `Arc` in a field of the service",
        ),
        _ => (
            "this receiver",
            "many calls share the service",
            "write `&self`",
        ),
    };
    Some(
        Fault::new(
            receiver,
            format!("a method of a service cannot take {what}"),
        )
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
