trait Slow: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn slow(&self, n: u32) -> u64;
}
#[allow(dead_code)]
///Calls the service [`Slow`](trait@Slow) from any process that reaches its broker.
///
///Each method of the trait is a method of the client. It returns a `Call`, which is sent when it is awaited.
///A clone is cheap, and shares the connection.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
struct SlowClient {
    inner: ::rpc_runtime::__private::Client,
}
#[allow(dead_code)]
///Serves requests for the service [`Slow`](trait@Slow).
///
///Pass it to the builder of a server.
struct SlowServer<S> {
    service: ::std::sync::Arc<S>,
}
#[allow(dead_code, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
const _: () = {
    use ::rpc_runtime::__private::Fallback as _;
    const _: () = {
        let _ = ::rpc_runtime::__private::Probe::<()>::FALLIBLE;
    };
    #[automatically_derived]
    impl<__RpcService: Slow> Slow for ::std::sync::Arc<__RpcService> {
        fn slow(&self, n: u32) -> u64 {
            <__RpcService as Slow>::slow(&**self, n)
        }
    }
    struct __RpcMethod0;
    const __RPC_FALLIBLE_0: bool = ::rpc_runtime::__private::Probe::<u64>::FALLIBLE;
    impl ::rpc_runtime::__private::Argument<0usize> for __RpcMethod0 {
        type Type = u32;
    }
    impl ::rpc_runtime::__private::Method<__RPC_FALLIBLE_0> for __RpcMethod0 {
        type Arguments = ::rpc_runtime::__private::Arguments<Self, 1usize>;
        type Output = u64;
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
    static __RPC_METHOD_0: ::rpc_runtime::__private::MethodDescriptor = ::rpc_runtime::__private::method(::rpc_runtime::__private::MethodParts {
        name: "slow",
        doc: "",
        arguments: const { &[::rpc_runtime::__private::argument("n", "u32")] },
        returns: "u64",
        timeout: ::core::option::Option::None,
        oneway: false,
        blocking: true,
        idempotent: false,
        at_most_once: false,
        cacheable: ::core::option::Option::None,
        default: false,
        signature: || ::rpc_runtime::__private::signature_of(__RpcMethod0),
    });
    static __RPC_SERVICE: ::rpc_runtime::__private::ServiceDescriptor = ::rpc_runtime::__private::service(::rpc_runtime::__private::ServiceParts {
        name: "Slow",
        version: ::core::option::Option::None,
        queue: "Slow",
        encoding: ::rpc_runtime::__private::Encoding::Bincode,
        timeout: ::core::option::Option::None,
        doc: "",
        methods: &[&__RPC_METHOD_0],
    });
    impl SlowClient {
        /// A client with the defaults of the trait.
        fn new(broker: &::rpc_runtime::__private::Broker) -> Self {
            Self::builder(broker).build()
        }
        /// A client with a timeout, an encoding, a queue or limits of its own.
        fn builder(
            broker: &::rpc_runtime::__private::Broker,
        ) -> ::rpc_runtime::__private::ClientBuilder<Self> {
            ::rpc_runtime::__private::client_builder(broker)
        }
        ///Calls the method `slow` of the service.
        fn slow(
            &self,
            n: u32,
        ) -> ::rpc_runtime::__private::CallOf<u64, __RPC_FALLIBLE_0> {
            ::rpc_runtime::__private::call(&self.inner, __RpcMethod0, (n,))
        }
    }
    #[automatically_derived]
    impl ::rpc_runtime::__private::Stub for SlowClient {
        fn descriptor() -> &'static ::rpc_runtime::__private::ServiceDescriptor {
            &__RPC_SERVICE
        }
        fn from_client(inner: ::rpc_runtime::__private::Client) -> Self {
            Self { inner }
        }
    }
    impl<S: Slow> SlowServer<S> {
        /// Serves requests with `service`, which may be an `Arc`.
        fn new(service: S) -> Self {
            Self {
                service: ::std::sync::Arc::new(service),
            }
        }
    }
    #[automatically_derived]
    impl<S> ::core::fmt::Debug for SlowServer<S> {
        fn fmt(
            &self,
            formatter: &mut ::core::fmt::Formatter<'_>,
        ) -> ::core::fmt::Result {
            formatter.debug_struct("SlowServer").finish_non_exhaustive()
        }
    }
    #[automatically_derived]
    impl<__RpcService: Slow> ::rpc_runtime::__private::Dispatch
    for SlowServer<__RpcService> {
        fn descriptor(&self) -> &'static ::rpc_runtime::__private::ServiceDescriptor {
            &__RPC_SERVICE
        }
    }
    #[automatically_derived]
    impl<__RpcService: Slow> ::rpc_runtime::__private::GeneratedServer
    for SlowServer<__RpcService> {
        fn handlers(
            &self,
            _: ::rpc_runtime::__private::Internal,
        ) -> ::std::vec::Vec<::rpc_runtime::__private::Handler> {
            <::std::vec::Vec<
                _,
            > as ::core::convert::From<
                _,
            >>::from([
                ::rpc_runtime::__private::blocking(
                    __RpcMethod0,
                    &self.service,
                    |service: &__RpcService, (a0,): (u32,)| {
                        <__RpcService as Slow>::slow(service, a0)
                    },
                ),
            ])
        }
    }
};
