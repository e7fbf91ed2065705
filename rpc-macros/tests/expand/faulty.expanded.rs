pub trait Faulty: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn borrows(
        &self,
        text: &str,
    ) -> impl ::core::future::Future<Output = Result<u8, String>>;
    fn neither(&self, _: (u8, u8)) -> Self;
    fn new<T>(self, value: T) -> impl ::core::future::Future<Output = ()>;
    fn fine(
        &self,
        n: u8,
    ) -> impl ::core::future::Future<Output = u8> + ::core::marker::Send;
}
#[doc(hidden)]
#[allow(warnings)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct FaultyClient;
#[doc(hidden)]
#[allow(warnings)]
#[derive(::core::fmt::Debug)]
pub struct FaultyServer<S>(::core::marker::PhantomData<fn() -> S>);
#[allow(warnings, clippy::all)]
const _: () = {
    impl FaultyClient {
        pub fn new(_: &::rpc_runtime::__private::Broker) -> Self {
            loop {}
        }
        pub fn builder(
            _: &::rpc_runtime::__private::Broker,
        ) -> ::rpc_runtime::__private::ClientBuilder<Self> {
            loop {}
        }
        pub fn borrows(&self, _: &str) -> ::rpc_runtime::__private::Call<u8, String> {
            loop {}
        }
        pub fn neither(
            &self,
            _: (u8, u8),
        ) -> ::rpc_runtime::__private::Call<(), ::core::convert::Infallible> {
            loop {}
        }
        pub fn fine(
            &self,
            _: u8,
        ) -> ::rpc_runtime::__private::Call<u8, ::core::convert::Infallible> {
            loop {}
        }
    }
    impl ::rpc_runtime::__private::Stub for FaultyClient {
        fn descriptor() -> &'static ::rpc_runtime::__private::ServiceDescriptor {
            loop {}
        }
        fn from_client(_: ::rpc_runtime::__private::Client) -> Self {
            loop {}
        }
    }
    impl<S> FaultyServer<S> {
        pub fn new(_: S) -> Self {
            loop {}
        }
    }
    impl<S: 'static> ::rpc_runtime::__private::Dispatch for FaultyServer<S> {
        fn descriptor(&self) -> &'static ::rpc_runtime::__private::ServiceDescriptor {
            loop {}
        }
    }
    impl<S: 'static> ::rpc_runtime::__private::GeneratedServer for FaultyServer<S> {
        fn handlers(
            &self,
            _: ::rpc_runtime::__private::Internal,
        ) -> ::std::vec::Vec<::rpc_runtime::__private::Handler> {
            loop {}
        }
    }
};
::core::compile_error! {
    "\"soon\" is not a timeout: `soon` has no number before it\n  = note: a timeout is a number and a unit: `ms`, `s`, `m`, `h` or `d`, also several together\n  = help: write one like `\"250ms\"`, `\"5s\"`, `\"1.5s\"` or `\"1h30m\"`"
}
::core::compile_error! {
    "an argument of a service cannot borrow\n  = note: it is copied into a message and out of it again, in another process\n  = help: write `String` instead of `&str`"
}
::core::compile_error! {
    "`neither` is neither `async` nor `blocking`\n  = note: a plain function would hold up every other call while it runs\n  = help: write `async fn neither(&self, …) -> Self`, or `#[rpc(blocking)]` above it to run it on threads of its own"
}
::core::compile_error! {
    "an argument of a service cannot be a pattern\n  = note: callers that use JSON name the arguments, and the client's documentation shows the names\n  = help: name it, and take it apart in the `impl`: `value: (u8, u8)`"
}
::core::compile_error! {
    "a result of a service cannot name `Self`\n  = note: `Self` is the implementation, which callers do not have\n  = help: write the type out"
}
::core::compile_error! {
    "a method of a service cannot take `self` by value\n  = note: the first call would consume the service, and other calls follow\n  = help: write `&self`"
}
::core::compile_error! {
    "a method of a service cannot be generic\n  = note: a message does not carry the types that its caller chose\n  = help: write the types out, with one method for each, or take an enum"
}
::core::compile_error! {
    "a method of a service cannot be called `new`\n  = note: the generated client has a constructor `new`\n  = help: give it another name in Rust; `#[rpc(name = \"new\")]` keeps the one on the wire"
}
