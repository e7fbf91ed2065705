pub trait Store: ::core::marker::Send + ::core::marker::Sync + 'static {
    #[cfg(feature = "old")]
    #[deprecated = "use `get`"]
    fn fetch(
        &self,
        key: String,
    ) -> impl ::core::future::Future<Output = u8> + ::core::marker::Send;
    fn get(
        &self,
        key: String,
    ) -> impl ::core::future::Future<Output = u8> + ::core::marker::Send;
}
#[allow(dead_code)]
///Calls the service [`Store`](trait@Store) from any process that reaches its broker.
///
///Each method of the trait is a method of the client. It returns a `Call`, which is sent when it is awaited.
///A clone is cheap, and shares the connection.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct StoreClient {
    inner: ::rpc_runtime::__private::Client,
}
#[allow(dead_code)]
///Serves requests for the service [`Store`](trait@Store).
///
///Pass it to the builder of a server.
pub struct StoreServer<S> {
    service: ::std::sync::Arc<S>,
}
#[allow(
    dead_code,
    deprecated,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
const _: () = {
    use ::rpc_runtime::__private::Fallback as _;
    const _: () = {
        let _ = ::rpc_runtime::__private::Probe::<()>::FALLIBLE;
    };
    #[automatically_derived]
    impl<__RpcService: Store> Store for ::std::sync::Arc<__RpcService> {
        #[cfg(feature = "old")]
        fn fetch(
            &self,
            key: String,
        ) -> impl ::core::future::Future<Output = u8> + ::core::marker::Send {
            <__RpcService as Store>::fetch(&**self, key)
        }
        fn get(
            &self,
            key: String,
        ) -> impl ::core::future::Future<Output = u8> + ::core::marker::Send {
            <__RpcService as Store>::get(&**self, key)
        }
    }
    #[cfg(feature = "old")]
    struct __RpcMethod0;
    #[cfg(feature = "old")]
    const __RPC_FALLIBLE_0: bool = ::rpc_runtime::__private::Probe::<u8>::FALLIBLE;
    #[cfg(feature = "old")]
    impl ::rpc_runtime::__private::Argument<0usize> for __RpcMethod0 {
        type Type = String;
    }
    #[cfg(feature = "old")]
    impl ::rpc_runtime::__private::Method<__RPC_FALLIBLE_0> for __RpcMethod0 {
        type Arguments = ::rpc_runtime::__private::Arguments<Self, 1usize>;
        type Output = u8;
        const DESCRIPTOR: &'static ::rpc_runtime::__private::MethodDescriptor = &__RPC_METHOD_0;
        const CODEC: &'static ::rpc_runtime::__private::MethodCodec<
            Self,
            __RPC_FALLIBLE_0,
        > = {
            static CODEC: ::rpc_runtime::__private::MethodCodec<
                __RpcMethod0,
                __RPC_FALLIBLE_0,
            > = ::rpc_runtime::__private::MethodCodec::new();
            &CODEC
        };
    }
    struct __RpcMethod1;
    const __RPC_FALLIBLE_1: bool = ::rpc_runtime::__private::Probe::<u8>::FALLIBLE;
    impl ::rpc_runtime::__private::Argument<0usize> for __RpcMethod1 {
        type Type = String;
    }
    impl ::rpc_runtime::__private::Method<__RPC_FALLIBLE_1> for __RpcMethod1 {
        type Arguments = ::rpc_runtime::__private::Arguments<Self, 1usize>;
        type Output = u8;
        const DESCRIPTOR: &'static ::rpc_runtime::__private::MethodDescriptor = &__RPC_METHOD_1;
        const CODEC: &'static ::rpc_runtime::__private::MethodCodec<
            Self,
            __RPC_FALLIBLE_1,
        > = {
            static CODEC: ::rpc_runtime::__private::MethodCodec<
                __RpcMethod1,
                __RPC_FALLIBLE_1,
            > = ::rpc_runtime::__private::MethodCodec::new();
            &CODEC
        };
    }
    #[cfg(feature = "old")]
    static __RPC_METHOD_0: ::rpc_runtime::__private::MethodDescriptor = ::rpc_runtime::__private::method(::rpc_runtime::__private::MethodParts {
        name: "fetch",
        doc: "",
        arguments: const { &[::rpc_runtime::__private::argument("key", "String")] },
        returns: "u8",
        timeout: ::core::option::Option::None,
        oneway: false,
        blocking: false,
        idempotent: false,
        at_most_once: false,
        cacheable: ::core::option::Option::None,
        default: false,
        signature: || ::rpc_runtime::__private::signature_of(__RpcMethod0),
    });
    static __RPC_METHOD_1: ::rpc_runtime::__private::MethodDescriptor = ::rpc_runtime::__private::method(::rpc_runtime::__private::MethodParts {
        name: "get",
        doc: "",
        arguments: const { &[::rpc_runtime::__private::argument("key", "String")] },
        returns: "u8",
        timeout: ::core::option::Option::None,
        oneway: false,
        blocking: false,
        idempotent: false,
        at_most_once: false,
        cacheable: ::core::option::Option::None,
        default: false,
        signature: || ::rpc_runtime::__private::signature_of(__RpcMethod1),
    });
    static __RPC_SERVICE: ::rpc_runtime::__private::ServiceDescriptor = ::rpc_runtime::__private::service(::rpc_runtime::__private::ServiceParts {
        name: "Store",
        version: ::core::option::Option::None,
        queue: "Store",
        encoding: ::rpc_runtime::__private::Encoding::Bincode,
        timeout: ::core::option::Option::None,
        doc: "",
        methods: &[#[cfg(feature = "old")] &__RPC_METHOD_0, &__RPC_METHOD_1],
    });
    impl StoreClient {
        /// A client with the defaults of the trait.
        pub fn new(broker: &::rpc_runtime::__private::Broker) -> Self {
            Self::builder(broker).build()
        }
        /// A client with a timeout, an encoding, a queue or limits of its own.
        pub fn builder(
            broker: &::rpc_runtime::__private::Broker,
        ) -> ::rpc_runtime::__private::ClientBuilder<Self> {
            ::rpc_runtime::__private::client_builder(broker)
        }
        #[cfg(feature = "old")]
        #[deprecated = "use `get`"]
        ///Calls the method `fetch` of the service.
        pub fn fetch(
            &self,
            key: String,
        ) -> ::rpc_runtime::__private::CallOf<u8, __RPC_FALLIBLE_0> {
            ::rpc_runtime::__private::call(&self.inner, __RpcMethod0, (key,))
        }
        ///Calls the method `get` of the service.
        pub fn get(
            &self,
            key: String,
        ) -> ::rpc_runtime::__private::CallOf<u8, __RPC_FALLIBLE_1> {
            ::rpc_runtime::__private::call(&self.inner, __RpcMethod1, (key,))
        }
    }
    #[automatically_derived]
    impl ::rpc_runtime::__private::Stub for StoreClient {
        fn descriptor() -> &'static ::rpc_runtime::__private::ServiceDescriptor {
            &__RPC_SERVICE
        }
        fn from_client(inner: ::rpc_runtime::__private::Client) -> Self {
            Self { inner }
        }
    }
    impl<S: Store> StoreServer<S> {
        /// Serves requests with `service`, which may be an `Arc`.
        pub fn new(service: S) -> Self {
            Self {
                service: ::std::sync::Arc::new(service),
            }
        }
    }
    #[automatically_derived]
    impl<S> ::core::fmt::Debug for StoreServer<S> {
        fn fmt(
            &self,
            formatter: &mut ::core::fmt::Formatter<'_>,
        ) -> ::core::fmt::Result {
            formatter.debug_struct("StoreServer").finish_non_exhaustive()
        }
    }
    #[automatically_derived]
    impl<__RpcService: Store> ::rpc_runtime::__private::Dispatch
    for StoreServer<__RpcService> {
        fn descriptor(&self) -> &'static ::rpc_runtime::__private::ServiceDescriptor {
            &__RPC_SERVICE
        }
    }
    #[automatically_derived]
    impl<__RpcService: Store> ::rpc_runtime::__private::GeneratedServer
    for StoreServer<__RpcService> {
        fn handlers(
            &self,
            _: ::rpc_runtime::__private::Internal,
        ) -> ::std::vec::Vec<::rpc_runtime::__private::Handler> {
            <::std::vec::Vec<
                _,
            > as ::core::convert::From<
                _,
            >>::from([
                #[cfg(feature = "old")]
                ::rpc_runtime::__private::asynchronous(
                    __RpcMethod0,
                    &self.service,
                    |service: ::std::sync::Arc<__RpcService>, (a0,): (String,)| async move {
                        <__RpcService as Store>::fetch(&service, a0).await
                    },
                ),
                ::rpc_runtime::__private::asynchronous(
                    __RpcMethod1,
                    &self.service,
                    |service: ::std::sync::Arc<__RpcService>, (a0,): (String,)| async move {
                        <__RpcService as Store>::get(&service, a0).await
                    },
                ),
            ])
        }
    }
};
