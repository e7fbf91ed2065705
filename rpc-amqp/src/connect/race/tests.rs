use std::{
    io,
    sync::{Mutex, PoisonError},
};

use tokio::time::sleep;

use super::*;
use crate::protocol::CloseReason;

/// How a place behaves.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Answers,
    AnswersAfter(Duration),
    Refuses,
    /// It does not accept the connection.
    Swallows,
    /// It accepts the connection and sends nothing.
    IsSilent,
    /// The broker refuses the login.
    RefusesLogin,
}

/// Places by address, and the attempts so far.
struct Net {
    /// `None` for a name that is never resolved.
    places: Vec<Option<Vec<At>>>,
    tried: Mutex<Vec<(usize, u16)>>,
}

impl Net {
    fn new(places: impl IntoIterator<Item = Option<Vec<At>>>) -> Self {
        Self { places: places.into_iter().collect(), tried: Mutex::default() }
    }

    fn tried(&self) -> Vec<(usize, u16)> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Dials all addresses, and returns the elapsed time.
    async fn dial(
        &self,
        within: Option<Duration>,
    ) -> (Result<(usize, u16), Vec<Failed>>, Duration) {
        let start = Instant::now();
        let by = within.map(|within| start + within);
        let dialed = race(self, 0..self.places.len(), by).await;
        (dialed, start.elapsed())
    }
}

impl Dial for Net {
    type Connected = u16;

    fn resolve(&self, address: usize) -> BoxFuture<'_, Result<Vec<SocketAddr>, Failure>> {
        Box::pin(async move {
            match &self.places[address] {
                Some(places) => {
                    let ports = 0..u16::try_from(places.len()).unwrap();
                    Ok(ports.map(|port| SocketAddr::from(([192, 0, 2, 1], port))).collect())
                }
                None => std::future::pending().await,
            }
        })
    }

    fn connect(
        &self,
        address: usize,
        to: SocketAddr,
        reached: Arc<AtomicBool>,
    ) -> BoxFuture<'_, Result<u16, Failure>> {
        self.tried.lock().unwrap().push((address, to.port()));
        let at = self.places[address].as_ref().unwrap()[usize::from(to.port())];
        Box::pin(async move {
            reached.store(!matches!(at, At::Swallows | At::Refuses), Ordering::Relaxed);
            match at {
                At::Answers => Ok(to.port()),
                At::AnswersAfter(time) => {
                    sleep(time).await;
                    Ok(to.port())
                }
                At::Refuses => Err(Failure::Lost(io::ErrorKind::ConnectionRefused.into())),
                At::Swallows | At::IsSilent => std::future::pending().await,
                At::RefusesLogin => {
                    Err(Failure::Refused(CloseReason { code: 403, text: "no".into() }))
                }
            }
        })
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn place_that_drops_packets_costs_a_moment() {
    let net = Net::new([Some(vec![At::Swallows, At::Answers])]);
    let (dialed, took) = net.dial(None).await;
    assert_eq!(dialed.unwrap(), (0, 1));
    assert!(took < SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn silent_place_costs_seconds() {
    let net = Net::new([Some(vec![At::IsSilent]), Some(vec![At::Answers])]);
    let (dialed, took) = net.dial(None).await;
    assert_eq!(dialed.unwrap(), (1, 0));
    assert_eq!(took, limits::CONNECT_SILENT);
}

#[tokio::test(start_paused = true)]
async fn a_slow_handshake_is_waited_for_alone() {
    let net = Net::new([Some(vec![At::AnswersAfter(SECOND), At::Answers])]);
    let (dialed, _) = net.dial(None).await;
    assert_eq!(dialed.unwrap(), (0, 0));
    assert_eq!(net.tried(), [(0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn slow_place_may_still_answer_first() {
    let slow = At::AnswersAfter(limits::CONNECT_SILENT + SECOND);
    let net = Net::new([Some(vec![slow, At::IsSilent, At::Refuses])]);
    let (dialed, took) = net.dial(None).await;
    assert_eq!(dialed.unwrap(), (0, 0));
    assert_eq!(took, limits::CONNECT_SILENT + SECOND);
}

#[tokio::test(start_paused = true)]
async fn the_next_place_follows_a_refusal_at_once() {
    let net = Net::new([Some(vec![At::Refuses; 3]), Some(vec![At::Refuses, At::Answers])]);
    let (dialed, took) = net.dial(None).await;
    assert_eq!(dialed.unwrap(), (1, 1));
    assert_eq!(took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn unresolved_name_does_not_delay_others() {
    let net = Net::new([None, Some(vec![At::Answers])]);
    let (dialed, took) = net.dial(None).await;
    assert_eq!(dialed.unwrap(), (1, 0));
    assert!(took <= limits::CONNECT_SILENT, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn each_place_gets_a_share_of_the_time() {
    let silent = vec![At::IsSilent, At::Swallows, At::IsSilent, At::Answers];
    let net = Net::new([Some(silent)]);
    let (dialed, took) = net.dial(Some(SECOND / 2)).await;
    assert_eq!(dialed.unwrap(), (0, 3));
    assert!(took < SECOND / 2, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn timeout_reports_the_state_of_each_place() {
    let net = Net::new([Some(vec![At::IsSilent, At::Swallows]), Some(vec![At::Refuses]), None]);
    let (dialed, took) = net.dial(Some(SECOND)).await;
    assert_eq!(took, SECOND);
    let mut failed = dialed.unwrap_err();
    failed.sort_by_key(|failed| (failed.address, failed.to));
    let [silent, swallows, refuses, unresolved] = &failed[..] else { panic!("{failed:?}") };
    assert!(matches!(silent.failure, Failure::Silent { reached: true, .. }), "{silent:?}");
    assert!(matches!(swallows.failure, Failure::Silent { reached: false, .. }), "{swallows:?}");
    assert!(matches!(refuses.failure, Failure::Lost(_)), "{refuses:?}");
    assert!(unresolved.to.is_none() && unresolved.address == 2, "{unresolved:?}");
}

#[tokio::test(start_paused = true)]
async fn attempts_end_without_a_bound_from_outside() {
    let net = Net::new([Some(vec![At::IsSilent, At::Swallows])]);
    let (dialed, took) = net.dial(None).await;
    assert_eq!(dialed.unwrap_err().len(), 2);
    assert!(took <= limits::CONNECT_ATTEMPT + limits::CONNECT_SILENT, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn refused_login_is_sent_once_per_address() {
    let refuses = vec![At::RefusesLogin, At::Answers];
    let net = Net::new([Some(refuses), Some(vec![At::RefusesLogin])]);
    let (dialed, _) = net.dial(None).await;
    assert_eq!(dialed.unwrap_err().len(), 2);
    assert_eq!(net.tried(), [(0, 0), (1, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_name_with_very_many_places_is_bounded() {
    let net = Net::new([Some(vec![At::Refuses; 1000])]);
    let (dialed, _) = net.dial(None).await;
    assert_eq!(dialed.unwrap_err().len(), limits::MOST_PLACES);
}
