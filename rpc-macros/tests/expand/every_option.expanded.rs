/// Everything.
pub(crate) trait Options: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn one(&self) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
    fn two(&self) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
    fn three(&self) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
}
#[allow(dead_code)]
///Calls the service [`Options`](trait@Options) from any process that reaches its broker.
///
///Each method of the trait is a method of the client. It returns a `Call`, which is sent when it is awaited.
///A clone is cheap, and shares the connection.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub(crate) struct OptionsClient {
    inner: renamed::__private::Client,
}
#[allow(dead_code)]
///Serves requests for the service [`Options`](trait@Options).
///
///Pass it to the builder of a server.
pub(crate) struct OptionsServer<S> {
    service: ::std::sync::Arc<S>,
}
#[allow(dead_code, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
const _: () = {
    use renamed::__private::Fallback as _;
    const _: () = {
        let _ = renamed::__private::Probe::<()>::FALLIBLE;
    };
    #[automatically_derived]
    impl<__RpcService: Options> Options for ::std::sync::Arc<__RpcService> {
        fn one(
            &self,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            <__RpcService as Options>::one(&**self)
        }
        fn two(
            &self,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            <__RpcService as Options>::two(&**self)
        }
        fn three(
            &self,
        ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send {
            <__RpcService as Options>::three(&**self)
        }
    }
    struct __RpcMethod0;
    const __RPC_FALLIBLE_0: bool = renamed::__private::Probe::<()>::FALLIBLE;
    impl renamed::__private::Method<__RPC_FALLIBLE_0> for __RpcMethod0 {
        type Arguments = renamed::__private::Arguments<Self, 0usize>;
        type Output = ();
        const DESCRIPTOR: &'static renamed::__private::MethodDescriptor = &__RPC_METHOD_0;
        const CODEC: &'static renamed::__private::MethodCodec<Self, __RPC_FALLIBLE_0> = {
            static CODEC: renamed::__private::MethodCodec<
                __RpcMethod0,
                __RPC_FALLIBLE_0,
            > = renamed::__private::MethodCodec::new();
            &CODEC
        };
    }
    struct __RpcMethod1;
    const __RPC_FALLIBLE_1: bool = renamed::__private::Probe::<()>::FALLIBLE;
    impl renamed::__private::Method<__RPC_FALLIBLE_1> for __RpcMethod1 {
        type Arguments = renamed::__private::Arguments<Self, 0usize>;
        type Output = ();
        const DESCRIPTOR: &'static renamed::__private::MethodDescriptor = &__RPC_METHOD_1;
        const CODEC: &'static renamed::__private::MethodCodec<Self, __RPC_FALLIBLE_1> = {
            static CODEC: renamed::__private::MethodCodec<
                __RpcMethod1,
                __RPC_FALLIBLE_1,
            > = renamed::__private::MethodCodec::new();
            &CODEC
        };
    }
    struct __RpcMethod2;
    const __RPC_FALLIBLE_2: bool = renamed::__private::Probe::<()>::FALLIBLE;
    impl renamed::__private::Method<__RPC_FALLIBLE_2> for __RpcMethod2 {
        type Arguments = renamed::__private::Arguments<Self, 0usize>;
        type Output = ();
        const DESCRIPTOR: &'static renamed::__private::MethodDescriptor = &__RPC_METHOD_2;
        const CODEC: &'static renamed::__private::MethodCodec<Self, __RPC_FALLIBLE_2> = {
            static CODEC: renamed::__private::MethodCodec<
                __RpcMethod2,
                __RPC_FALLIBLE_2,
            > = renamed::__private::MethodCodec::new();
            &CODEC
        };
    }
    static __RPC_METHOD_0: renamed::__private::MethodDescriptor = renamed::__private::method(renamed::__private::MethodParts {
        name: "first-one",
        doc: "",
        arguments: const { &[] },
        returns: "()",
        timeout: ::core::option::Option::Some(
            ::core::time::Duration::from_nanos(250000000u64),
        ),
        oneway: false,
        blocking: false,
        idempotent: true,
        at_most_once: false,
        cacheable: ::core::option::Option::None,
        default: true,
        signature: || renamed::__private::signature_of(__RpcMethod0),
    });
    static __RPC_METHOD_1: renamed::__private::MethodDescriptor = renamed::__private::method(renamed::__private::MethodParts {
        name: "two",
        doc: "",
        arguments: const { &[] },
        returns: "()",
        timeout: ::core::option::Option::None,
        oneway: false,
        blocking: false,
        idempotent: false,
        at_most_once: true,
        cacheable: ::core::option::Option::None,
        default: false,
        signature: || renamed::__private::signature_of(__RpcMethod1),
    });
    static __RPC_METHOD_2: renamed::__private::MethodDescriptor = renamed::__private::method(renamed::__private::MethodParts {
        name: "three",
        doc: "",
        arguments: const { &[] },
        returns: "()",
        timeout: ::core::option::Option::None,
        oneway: false,
        blocking: false,
        idempotent: false,
        at_most_once: false,
        cacheable: ::core::option::Option::Some(
            ::core::time::Duration::from_nanos(30000000000u64),
        ),
        default: false,
        signature: || renamed::__private::signature_of(__RpcMethod2),
    });
    static __RPC_SERVICE: renamed::__private::ServiceDescriptor = renamed::__private::service(renamed::__private::ServiceParts {
        name: "everything",
        version: ::core::option::Option::Some(2u32),
        queue: "everything.v2",
        encoding: renamed::__private::Encoding::Json,
        timeout: ::core::option::Option::Some(
            ::core::time::Duration::from_nanos(90000000000u64),
        ),
        doc: "Everything.",
        methods: &[&__RPC_METHOD_0, &__RPC_METHOD_1, &__RPC_METHOD_2],
    });
    impl OptionsClient {
        /// A client with the defaults of the trait.
        pub(crate) fn new(broker: &renamed::__private::Broker) -> Self {
            Self::builder(broker).build()
        }
        /// A client with a timeout, an encoding, a queue or limits of its own.
        pub(crate) fn builder(
            broker: &renamed::__private::Broker,
        ) -> renamed::__private::ClientBuilder<Self> {
            renamed::__private::client_builder(broker)
        }
        ///Calls the method `one` of the service.
        pub(crate) fn one(&self) -> renamed::__private::CallOf<(), __RPC_FALLIBLE_0> {
            renamed::__private::call(&self.inner, __RpcMethod0, ())
        }
        ///Calls the method `two` of the service.
        pub(crate) fn two(&self) -> renamed::__private::CallOf<(), __RPC_FALLIBLE_1> {
            renamed::__private::call(&self.inner, __RpcMethod1, ())
        }
        ///Calls the method `three` of the service.
        pub(crate) fn three(&self) -> renamed::__private::CallOf<(), __RPC_FALLIBLE_2> {
            renamed::__private::call(&self.inner, __RpcMethod2, ())
        }
    }
    #[automatically_derived]
    impl renamed::__private::Stub for OptionsClient {
        fn descriptor() -> &'static renamed::__private::ServiceDescriptor {
            &__RPC_SERVICE
        }
        fn from_client(inner: renamed::__private::Client) -> Self {
            Self { inner }
        }
    }
    impl<S: Options> OptionsServer<S> {
        /// Serves requests with `service`, which may be an `Arc`.
        pub(crate) fn new(service: S) -> Self {
            Self {
                service: ::std::sync::Arc::new(service),
            }
        }
    }
    #[automatically_derived]
    impl<S> ::core::fmt::Debug for OptionsServer<S> {
        fn fmt(
            &self,
            formatter: &mut ::core::fmt::Formatter<'_>,
        ) -> ::core::fmt::Result {
            formatter.debug_struct("OptionsServer").finish_non_exhaustive()
        }
    }
    #[automatically_derived]
    impl<__RpcService: Options> renamed::__private::Dispatch
    for OptionsServer<__RpcService> {
        fn descriptor(&self) -> &'static renamed::__private::ServiceDescriptor {
            &__RPC_SERVICE
        }
    }
    #[automatically_derived]
    impl<__RpcService: Options> renamed::__private::GeneratedServer
    for OptionsServer<__RpcService> {
        fn handlers(
            &self,
            _: renamed::__private::Internal,
        ) -> ::std::vec::Vec<renamed::__private::Handler> {
            <::std::vec::Vec<
                _,
            > as ::core::convert::From<
                _,
            >>::from([
                renamed::__private::asynchronous(
                    __RpcMethod0,
                    &self.service,
                    |service: ::std::sync::Arc<__RpcService>, (): ()| async move {
                        <__RpcService as Options>::one(&service).await
                    },
                ),
                renamed::__private::asynchronous(
                    __RpcMethod1,
                    &self.service,
                    |service: ::std::sync::Arc<__RpcService>, (): ()| async move {
                        <__RpcService as Options>::two(&service).await
                    },
                ),
                renamed::__private::asynchronous(
                    __RpcMethod2,
                    &self.service,
                    |service: ::std::sync::Arc<__RpcService>, (): ()| async move {
                        <__RpcService as Options>::three(&service).await
                    },
                ),
            ])
        }
    }
};
