trait Events: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn happened(
        &self,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
}
#[allow(dead_code)]
///Calls the service [`Events`](trait@Events) from any process that reaches its broker.
///
///Each method of the trait is a method of the client. It returns a `Call`, which is sent when it is awaited.
///A clone is cheap, and shares the connection.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
struct EventsClient {
    inner: ::rpc_runtime::__private::Client,
}
#[allow(dead_code)]
///Serves requests for the service [`Events`](trait@Events).
///
///Pass it to the builder of a server.
struct EventsServer<S> {
    service: ::std::sync::Arc<S>,
}
#[allow(dead_code, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
const _: () = {
    use ::rpc_runtime::__private::Fallback as _;
    const _: () = {
        let _ = ::rpc_runtime::__private::Probe::<()>::FALLIBLE;
    };
    #[automatically_derived]
    impl<__RpcService: Events> Events for ::std::sync::Arc<__RpcService> {
        fn happened(
            &self,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            <__RpcService as Events>::happened(&**self)
        }
    }
    struct __RpcMethod0;
    const __RPC_FALLIBLE_0: bool = ::rpc_runtime::__private::Probe::<()>::FALLIBLE;
    impl ::rpc_runtime::__private::Method<__RPC_FALLIBLE_0> for __RpcMethod0 {
        type Arguments = ::rpc_runtime::__private::Arguments<Self, 0usize>;
        type Output = ();
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
        name: "happened",
        doc: "",
        arguments: const { &[] },
        returns: "()",
        timeout: ::core::option::Option::None,
        oneway: true,
        blocking: false,
        idempotent: false,
        at_most_once: false,
        cacheable: ::core::option::Option::None,
        default: false,
        signature: || ::rpc_runtime::__private::signature_of(__RpcMethod0),
    });
    static __RPC_SERVICE: ::rpc_runtime::__private::ServiceDescriptor = ::rpc_runtime::__private::service(::rpc_runtime::__private::ServiceParts {
        name: "Events",
        version: ::core::option::Option::None,
        queue: "Events",
        encoding: ::rpc_runtime::__private::Encoding::Bincode,
        timeout: ::core::option::Option::None,
        doc: "",
        methods: &[&__RPC_METHOD_0],
    });
    impl EventsClient {
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
        ///Calls the method `happened` of the service.
        fn happened(&self) -> ::rpc_runtime::__private::CallOf<(), __RPC_FALLIBLE_0> {
            ::rpc_runtime::__private::call(&self.inner, __RpcMethod0, ())
        }
    }
    #[automatically_derived]
    impl ::rpc_runtime::__private::Stub for EventsClient {
        fn descriptor() -> &'static ::rpc_runtime::__private::ServiceDescriptor {
            &__RPC_SERVICE
        }
        fn from_client(inner: ::rpc_runtime::__private::Client) -> Self {
            Self { inner }
        }
    }
    impl<S: Events> EventsServer<S> {
        /// Serves requests with `service`, which may be an `Arc`.
        fn new(service: S) -> Self {
            Self {
                service: ::std::sync::Arc::new(service),
            }
        }
    }
    #[automatically_derived]
    impl<S> ::core::fmt::Debug for EventsServer<S> {
        fn fmt(
            &self,
            formatter: &mut ::core::fmt::Formatter<'_>,
        ) -> ::core::fmt::Result {
            formatter.debug_struct("EventsServer").finish_non_exhaustive()
        }
    }
    #[automatically_derived]
    impl<__RpcService: Events> ::rpc_runtime::__private::Dispatch
    for EventsServer<__RpcService> {
        fn descriptor(&self) -> &'static ::rpc_runtime::__private::ServiceDescriptor {
            &__RPC_SERVICE
        }
    }
    #[automatically_derived]
    impl<__RpcService: Events> ::rpc_runtime::__private::GeneratedServer
    for EventsServer<__RpcService> {
        fn handlers(
            &self,
            _: ::rpc_runtime::__private::Internal,
        ) -> ::std::vec::Vec<::rpc_runtime::__private::Handler> {
            <::std::vec::Vec<
                _,
            > as ::core::convert::From<
                _,
            >>::from([
                ::rpc_runtime::__private::asynchronous(
                    __RpcMethod0,
                    &self.service,
                    |service: ::std::sync::Arc<__RpcService>, (): ()| async move {
                        <__RpcService as Events>::happened(&service).await
                    },
                ),
            ])
        }
    }
};
