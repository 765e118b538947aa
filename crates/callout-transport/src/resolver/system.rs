//! Names to addresses by the system, which keeps a thread for as long as a name's servers are silent.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, ToSocketAddrs as _},
    ptr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    sync::{OnceCell, Semaphore, watch},
    task, time,
};

use super::Resolver;

/// How many names are looked up at once. Nothing can end a look-up, so one that nobody waits for any more still
/// has its thread. The runtime has 512 of them, which others need as well.
const MOST_AT_ONCE: usize = 256;

/// How many of them may be of one domain, whose silent servers then leave turns to other names.
const MOST_OF_A_DOMAIN: usize = 16;

type Ask = Arc<dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync>;

type Answer = Result<Vec<IpAddr>, Arc<io::Error>>;

/// By name, what somebody holds.
type Known<T> = Arc<Mutex<HashMap<Arc<str>, Weak<T>>>>;

/// From the first who asks until it is answered, or nobody waits for its turn.
type UnderWay = Known<LookUp>;

/// From the first who asks for one of its names until nobody does.
type Domains = Known<Domain>;

/// Asks the system: so many names at once at most, and each once for all who ask at the same time.
pub(super) struct SystemResolver {
    ask: Ask,
    most: usize,
    turns: Arc<Semaphore>,
    /// How long a name waits for its turn.
    patience: Duration,
    under_way: UnderWay,
    domains: Domains,
}

/// One name's. Held by all who wait for it, and by the thread that looks it up.
struct LookUp {
    host: Arc<str>,
    domain: Arc<Domain>,
    /// Where the answer comes, from when it has its turn.
    answer: OnceCell<watch::Receiver<Option<Answer>>>,
    under_way: UnderWay,
}

/// Names of one [domain](domain_of). Held by their look-ups.
struct Domain {
    name: Arc<str>,
    turns: Arc<Semaphore>,
    domains: Domains,
}

impl SystemResolver {
    /// With that patience for a turn.
    pub(super) fn new(patience: Duration) -> Self {
        Self::bounded(Arc::new(ask_system), MOST_AT_ONCE, patience)
    }

    fn bounded(ask: Ask, most: usize, patience: Duration) -> Self {
        let turns = Arc::new(Semaphore::new(most));
        Self { ask, most, turns, patience, under_way: UnderWay::default(), domains: Domains::default() }
    }

    /// What is under way for that name, or a new one.
    fn join(&self, host: &str) -> Arc<LookUp> {
        shared(&self.under_way, host, |host| {
            let domain = shared(&self.domains, &domain_of(&host), |name| Domain {
                name,
                turns: Arc::new(Semaphore::new(MOST_OF_A_DOMAIN)),
                domains: Arc::clone(&self.domains),
            });
            LookUp { host, domain, answer: OnceCell::new(), under_way: Arc::clone(&self.under_way) }
        })
    }

    /// Waits for a turn, and takes a thread.
    async fn begin(&self, look_up: &Arc<LookUp>) -> io::Result<watch::Receiver<Option<Answer>>> {
        // The domain's first: who waits for that keeps no other domain waiting.
        let of_domain = Arc::clone(&look_up.domain.turns).acquire_owned().await.map_err(io::Error::other)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(io::Error::other)?;
        let (tell, told) = watch::channel(None);
        let (ask, look_up) = (Arc::clone(&self.ask), Arc::clone(look_up));
        task::spawn_blocking(move || {
            let answer = ask(&look_up.host).map_err(Arc::new);
            // Who asks from now on is answered anew.
            look_up.leave();
            // Held until now, whether anybody still waits or not.
            drop((turn, of_domain, look_up));
            tell.send_replace(Some(answer));
        });
        Ok(told)
    }

    /// Why a name of that domain did not have its turn.
    fn full(&self, domain: &Domain) -> String {
        let others = if self.turns.available_permits() == 0 {
            format!("{} other names are being looked up, as many as can be", self.most)
        } else {
            format!(
                "{MOST_OF_A_DOMAIN} other names of {} are being looked up, as many as can be of one domain",
                domain.name
            )
        };
        format!("{others}, and it was not this one's turn within {:?}", self.patience)
    }
}

impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        // An address is not looked up, and needs no turn.
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![address]);
        }
        let look_up = self.join(host);
        // If who waits for the turn goes away, the next one of that name does.
        let begun = look_up.answer.get_or_try_init(|| self.begin(&look_up));
        let Ok(begun) = time::timeout(self.patience, begun).await else {
            return Err(io::Error::new(io::ErrorKind::TimedOut, self.full(&look_up.domain)));
        };
        let mut answer = begun?.clone();
        let Ok(answer) = answer.wait_for(Option::is_some).await else { return Err(broken_off()) };
        match &*answer {
            Some(Ok(addresses)) => Ok(addresses.clone()),
            Some(Err(error)) => Err(io::Error::new(error.kind(), Arc::clone(error))),
            None => Err(broken_off()),
        }
    }
}

impl LookUp {
    /// Nobody joins it any more.
    fn leave(&self) {
        forget(&self.under_way, &self.host, self);
    }
}

impl Drop for LookUp {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Drop for Domain {
    fn drop(&mut self) {
        forget(&self.domains, &self.name, self);
    }
}

/// The last two labels of a name, as they are compared; all of a name that has fewer. Three where many register below
/// two, as in `co.uk`: a country's two letters behind a label of three at most, or a longer one that several have. Four
/// in a cluster, where the first of them is a namespace.
fn domain_of(host: &str) -> String {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let mut labels = host.rsplit('.');
    let (last, second) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
    let is_shared = last.len() == 2 && (second.len() <= 3 || matches!(second, "asso" | "gouv" | "info" | "store"));
    let dots = if (second, last) == ("cluster", "local") { 3 } else { 1 + usize::from(is_shared) };
    let domain = host.rmatch_indices('.').nth(dots).and_then(|(dot, _)| host.get(dot + 1..));
    domain.unwrap_or(&host).to_owned()
}

fn ask_system(host: &str) -> io::Result<Vec<IpAddr>> {
    Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

/// The runtime is ending.
fn broken_off() -> io::Error {
    io::Error::other("the look-up was broken off")
}

/// What is held by that name, or a new one.
fn shared<T>(known: &Known<T>, name: &str, new: impl FnOnce(Arc<str>) -> T) -> Arc<T> {
    let mut known = lock(known);
    if let Some(found) = known.get(name).and_then(Weak::upgrade) {
        return found;
    }
    let name: Arc<str> = name.into();
    let made = Arc::new(new(Arc::clone(&name)));
    known.insert(name, Arc::downgrade(&made));
    made
}

/// It is not shared any more. There may be a later one of the same name, which is.
fn forget<T>(known: &Known<T>, name: &str, one: &T) {
    let mut known = lock(known);
    if known.get(name).is_some_and(|other| ptr::eq(other.as_ptr(), one)) {
        known.remove(name);
    }
}

fn lock<T>(known: &Known<T>) -> MutexGuard<'_, HashMap<Arc<str>, Weak<T>>> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, sync::mpsc};

    use tokio::task::{JoinHandle, yield_now};

    use super::*;
    use crate::system_clock;

    const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8));

    const LONG: Duration = Duration::from_secs(20);

    /// A resolver whose name servers are silent until they are let go, one look-up after the other.
    struct Silent {
        resolver: Arc<SystemResolver>,
        asked: mpsc::Receiver<String>,
        let_go: mpsc::Sender<()>,
    }

    impl Silent {
        fn new(most: usize, patience: Duration) -> Self {
            let (tell, asked) = mpsc::channel();
            let (let_go, go) = mpsc::channel::<()>();
            let go = Mutex::new(go);
            let ask: Ask = Arc::new(move |host: &str| {
                tell.send(host.to_owned()).unwrap();
                go.lock().unwrap().recv().map_err(io::Error::other)?;
                if host == "absent.example" {
                    return Err(io::Error::new(io::ErrorKind::NotFound, "no such name"));
                }
                Ok(vec![ADDRESS])
            });
            Self { resolver: Arc::new(SystemResolver::bounded(ask, most, patience)), asked, let_go }
        }

        fn ask(&self, host: &str) -> JoinHandle<io::Result<Vec<IpAddr>>> {
            let (resolver, host) = (Arc::clone(&self.resolver), host.to_owned());
            tokio::spawn(async move { resolver.resolve(&host).await })
        }

        /// The next name that has a thread.
        async fn next(&self) -> String {
            for _ in 0..5_000 {
                if let Ok(host) = self.asked.try_recv() {
                    return host;
                }
                system_clock().sleep(Duration::from_millis(1)).await;
            }
            panic!("nobody is asked")
        }

        fn nobody_is_under_way(&self) -> bool {
            lock(&self.resolver.under_way).is_empty() && lock(&self.resolver.domains).is_empty()
        }
    }

    /// Everybody has been polled, and dropped who was aborted.
    async fn settle() {
        for _ in 0..20 {
            yield_now().await;
        }
    }

    #[tokio::test]
    async fn all_who_ask_for_a_name_at_the_same_time_share_one_look_up() {
        let silent = Silent::new(8, LONG);
        for host in ["a.example", "absent.example", "a.example"] {
            let waiting: Vec<_> = (0..10).map(|_| silent.ask(host)).collect();
            assert_eq!(silent.next().await, host, "who asks later is answered anew");
            settle().await;
            silent.let_go.send(()).unwrap();
            for waiter in waiting {
                let found = waiter.await.unwrap().map_err(|error| (error.kind(), error.to_string()));
                if host == "absent.example" {
                    assert_eq!(found, Err((io::ErrorKind::NotFound, "no such name".to_owned())));
                } else {
                    assert_eq!(found, Ok(vec![ADDRESS]));
                }
            }
            assert!(silent.asked.try_recv().is_err() && silent.nobody_is_under_way());
        }
    }

    #[tokio::test]
    async fn silent_name_servers_take_a_bounded_number_of_threads_and_who_waits_in_vain_is_told_why() {
        assert_eq!(SystemResolver::new(LONG).turns.available_permits(), 256, "an engine's");
        let silent = Silent::new(2, Duration::from_millis(200));
        for host in ["a.example", "b.example"] {
            let abandoned = silent.ask(host);
            assert_eq!(silent.next().await, host);
            abandoned.abort();
        }
        settle().await;
        // Nobody waits for them any more, and they have their threads all the same.
        let error = silent.ask("c.example").await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(error.to_string().starts_with("2 other names are being looked up"), "{error}");
        let joined = silent.ask("a.example");
        assert_eq!(silent.ask("::1").await.unwrap().unwrap(), ["::1".parse::<IpAddr>().unwrap()]);
        settle().await;
        assert!(silent.asked.try_recv().is_err(), "neither an address nor a name that is under way takes a thread");
        silent.let_go.send(()).unwrap();
        silent.let_go.send(()).unwrap();
        assert_eq!(joined.await.unwrap().unwrap(), [ADDRESS]);
        let next = silent.ask("c.example");
        assert_eq!(silent.next().await, "c.example");
        silent.let_go.send(()).unwrap();
        assert_eq!(next.await.unwrap().unwrap(), [ADDRESS]);
    }

    #[tokio::test]
    async fn silent_name_servers_of_one_domain_leave_turns_to_other_names() {
        let silent = Silent::new(MOST_OF_A_DOMAIN + 1, Duration::from_millis(200));
        let held: Vec<_> = (0..MOST_OF_A_DOMAIN).map(|at| format!("n{at}.silent.example")).collect();
        let mut waiting = Vec::new();
        for host in &held {
            waiting.push(silent.ask(host));
            assert_eq!(&silent.next().await, host);
        }
        for host in ["more.silent.example", "silent.example", "A.B.Silent.Example."] {
            let error = silent.ask(host).await.unwrap().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert!(error.to_string().starts_with("16 other names of silent.example are being looked up"), "{error}");
        }
        waiting.push(silent.ask("a.other.example"));
        assert_eq!(silent.next().await, "a.other.example");
        for _ in &waiting {
            silent.let_go.send(()).unwrap();
        }
        for waiter in waiting {
            assert_eq!(waiter.await.unwrap().unwrap(), [ADDRESS]);
        }
        assert!(silent.asked.try_recv().is_err() && silent.nobody_is_under_way());
        let next = silent.ask("more.silent.example");
        assert_eq!(silent.next().await, "more.silent.example");
        silent.let_go.send(()).unwrap();
        assert_eq!(next.await.unwrap().unwrap(), [ADDRESS]);
    }

    #[test]
    fn a_domain_is_what_is_registered_by_one() {
        for (host, domain) in [
            ("n1.evil.co.uk", "evil.co.uk"),
            ("shop.com.au", "shop.com.au"),
            ("a.gouv.fr", "a.gouv.fr"),
            ("a.b.example.io", "example.io"),
            ("api.shop.svc.cluster.local", "shop.svc.cluster.local"),
            ("a.b.example.com", "example.com"),
            ("Example.COM.", "example.com"),
            ("localhost", "localhost"),
            ("localhost.", "localhost"),
            (".", ""),
            ("", ""),
            ("a..b", ".b"),
        ] {
            assert_eq!(domain_of(host), domain, "{host}");
        }
    }

    #[tokio::test]
    async fn who_gives_up_the_wait_for_a_turn_leaves_it_to_the_others_of_its_name() {
        let silent = Silent::new(1, LONG);
        let first = silent.ask("a.example");
        assert_eq!(silent.next().await, "a.example");
        let (gone, stays, alone) = (silent.ask("b.example"), silent.ask("b.example"), silent.ask("c.example"));
        settle().await;
        gone.abort();
        alone.abort();
        settle().await;
        silent.let_go.send(()).unwrap();
        assert_eq!(first.await.unwrap().unwrap(), [ADDRESS]);
        assert_eq!(silent.next().await, "b.example");
        silent.let_go.send(()).unwrap();
        assert_eq!(stays.await.unwrap().unwrap(), [ADDRESS]);
        assert!(silent.asked.try_recv().is_err() && silent.nobody_is_under_way());
    }

    #[tokio::test]
    async fn the_system_knows_the_machine_itself() {
        let found = SystemResolver::new(LONG).resolve("localhost").await.unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
    }
}
