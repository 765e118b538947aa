//! The tokens of all integrations of an engine, or of several.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    hash::{BuildHasher, Hasher},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use arc_swap::{ArcSwapOption, Guard};
use callout_core::{Error, http::Caller};
use moka::{notification::RemovalCause, policy::EvictionPolicy};

use crate::{
    key::Key,
    params::Given,
    slot::{Slot, Snapshot},
    token::Token,
};

/// Entries of a cache that is not told otherwise.
const MAX_ENTRIES: u64 = 10_000;

/// One integration may hold one in so many of a cache's entries.
const SHARE: u64 = 10;

/// Tokens by what decides about them: workspace, integration, auth config, secrets and auth params.
///
/// A key is a SHA-256 digest; nothing that can be read as a secret is one. Clones share the entries:
/// give one to several engines to share tokens between them. Nothing runs in the background and
/// nothing is fetched but by a call that needs a token.
///
/// A cache has at most `max_entries` entries, the least recently used going first. One integration has
/// at most a tenth of them: what it asks for beyond that displaces its own, so that however many
/// different params its calls have, the tokens of others stay.
///
/// ```
/// use callout_auth::TokenCache;
///
/// let one = TokenCache::default(); // 10,000 entries
/// let same = one.clone();
/// assert_eq!(same.stats().hits, 0);
/// ```
#[derive(Clone)]
pub struct TokenCache(Arc<Parts>);

/// What a cache has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenStats {
    /// Calls that got a cached token at once.
    pub hits: u64,
    /// Calls that had to wait for a token, or that renewed one.
    pub misses: u64,
    /// Fetches that were begun: token calls (retries not counted) and assertions signed as tokens.
    pub fetches: u64,
    /// Fetches that gave no token.
    pub failures: u64,
    /// Entries that were displaced by others.
    pub evictions: u64,
    /// Entries there are, about.
    pub entries: u64,
}

/// An entry: the slot, and what its place in the cache depends on.
pub(crate) struct Entry {
    key: Key,
    owner: Caller,
    pub(crate) slot: Arc<Slot<Arc<Token>, Error>>,
    /// Whether it was used since its integration last looked for one to displace.
    used: AtomicBool,
    /// Whether the cache has let go of it.
    gone: AtomicBool,
}

impl Entry {
    fn note_use(&self) {
        // Reading first keeps the line shared between cores while nothing changes.
        if !self.used.load(Relaxed) {
            self.used.store(true, Relaxed);
        }
    }
}

/// An entry that an integration holds on to, so that neither its key nor what is in it need be found, and
/// its cache.
pub(crate) struct Held {
    /// Whose token it is, among the integration's.
    given: Given,
    entry: Arc<Entry>,
    token: Snapshot<Arc<Token>>,
    cache: Weak<Parts>,
    /// About how often it was used.
    uses: AtomicU64,
}

/// So often a held entry is looked up all the same, so that the cache sees it being used.
const LOOK_UP_EACH: u64 = 64;

impl Held {
    /// Whether it is still that cache's entry, with the token that is held.
    fn is_current(&self, cache: &TokenCache) -> bool {
        std::ptr::eq(self.cache.as_ptr(), Arc::as_ptr(&cache.0))
            && !self.entry.gone.load(Relaxed)
            && self.entry.slot.is_as_in(&self.token)
    }

    /// The token if it is that of these params in that cache, still there and fresh.
    pub(crate) fn fresh(&self, cache: &TokenCache, given: &Given, now: Instant) -> Option<&Arc<Token>> {
        let token = self.token.fresh(now)?;
        (self.given == *given && self.is_current(cache)).then_some(token)
    }
}

/// Entries that an integration holds on to, each in a place that its params tell.
#[derive(Default)]
pub(crate) struct Holds([ArcSwapOption<Held>; 8]);

/// Longer params are not held on to: they are the callers', and an integration can have been loaded long ago.
const MAX_HELD_BYTES: usize = 1 << 10;

/// Where entries are more than places, so often one of them takes its place from the one before.
const HOLD_EACH: u64 = 8;

impl Holds {
    /// What is held in the place of these params, if anything.
    pub(crate) fn get(&self, given: &Given) -> Guard<Option<Arc<Held>>> {
        self.place(given).load()
    }

    /// Holds the entry of these params, which was looked up, `hits` being counted before.
    pub(crate) fn put(&self, cache: &TokenCache, entry: &Arc<Entry>, given: &Given, hits: u64) {
        let place = self.place(given);
        let is_free = place.load().as_ref().is_none_or(|held| !held.is_current(cache));
        if given.bytes() > MAX_HELD_BYTES || !is_free && !hits.is_multiple_of(HOLD_EACH) {
            return;
        }
        if let Some(token) = entry.slot.snapshot() {
            let (given, entry, cache) = (given.clone(), Arc::clone(entry), Arc::downgrade(&cache.0));
            place.store(Some(Arc::new(Held { given, entry, token, cache, uses: AtomicU64::new(0) })));
        }
    }

    fn place(&self, given: &Given) -> &ArcSwapOption<Held> {
        let Self([first, ..]) = self;
        self.0.get(given.spread() as usize % self.0.len()).unwrap_or(first)
    }
}

struct Parts {
    entries: moka::sync::Cache<Key, Arc<Entry>, ByStart>,
    shares: Arc<Shares>,
    /// Held while an entry is added, so that its integration's share is kept to.
    adding: Mutex<()>,
    counters: Arc<Counters>,
}

#[derive(Default)]
pub(crate) struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    fetches: AtomicU64,
    failures: AtomicU64,
    evictions: AtomicU64,
}

impl Counters {
    /// Counts a hit; says how many there were before.
    pub(crate) fn hit(&self) -> u64 {
        self.hits.fetch_add(1, Relaxed)
    }

    pub(crate) fn miss(&self) {
        self.misses.fetch_add(1, Relaxed);
    }

    pub(crate) fn fetch(&self) {
        self.fetches.fetch_add(1, Relaxed);
    }

    pub(crate) fn failure(&self) {
        self.failures.fetch_add(1, Relaxed);
    }
}

impl TokenCache {
    /// A cache of at most that many entries, of which one integration may hold a tenth; at least one
    /// each.
    pub fn new(max_entries: u64) -> Self {
        let max_entries = max_entries.max(1);
        let shares = Arc::new(Shares {
            max: usize::try_from((max_entries / SHARE).max(1)).unwrap_or(usize::MAX),
            held: Mutex::default(),
        });
        let counters = Arc::new(Counters::default());
        let (leave, count) = (Arc::clone(&shares), Arc::clone(&counters));
        let entries = moka::sync::Cache::builder()
            .max_capacity(max_entries)
            // A new entry is always taken in: by frequency it would be turned away while the cache is
            // full, and each of its calls would fetch a token.
            .eviction_policy(EvictionPolicy::lru())
            .eviction_listener(move |_, entry: Arc<Entry>, cause| {
                entry.gone.store(true, Relaxed);
                leave.remove(&entry);
                if cause == RemovalCause::Size {
                    count.evictions.fetch_add(1, Relaxed);
                }
            })
            .build_with_hasher(ByStart);
        Self(Arc::new(Parts { entries, shares, adding: Mutex::default(), counters }))
    }

    /// What it has done so far.
    pub fn stats(&self) -> TokenStats {
        let Counters { hits, misses, fetches, failures, evictions } = &*self.0.counters;
        TokenStats {
            hits: hits.load(Relaxed),
            misses: misses.load(Relaxed),
            fetches: fetches.load(Relaxed),
            failures: failures.load(Relaxed),
            evictions: evictions.load(Relaxed),
            entries: self.0.entries.entry_count(),
        }
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.0.counters
    }

    /// Counts a hit on an entry that was not looked up.
    pub(crate) fn hit(&self, held: &Held) {
        self.0.counters.hit();
        // Two at once may count as one: it need not be exact.
        let uses = held.uses.load(Relaxed).wrapping_add(1);
        held.uses.store(uses, Relaxed);
        held.entry.note_use();
        if uses.is_multiple_of(LOOK_UP_EACH) {
            let _ = self.get(&held.entry.key);
        }
    }

    /// The entry of that key, if there is one.
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        let entry = self.0.entries.get(key)?;
        entry.note_use();
        Some(entry)
    }

    /// The entry of that key, made if there is none.
    pub(crate) fn get_or_add(&self, key: &Key, owner: &Caller) -> Arc<Entry> {
        if let Some(entry) = self.get(key) {
            return entry;
        }
        let _adding = self.0.adding.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = self.get(key) {
            return entry;
        }
        // The displaced one goes first, so that the new one displaces nobody else's.
        while let Some(displaced) = self.0.shares.displaced(owner) {
            self.0.entries.invalidate(&displaced.key);
            self.0.counters.evictions.fetch_add(1, Relaxed);
        }
        let entry = Arc::new(Entry {
            key: *key,
            owner: owner.clone(),
            slot: Arc::new(Slot::new()),
            used: AtomicBool::new(false),
            gone: AtomicBool::new(false),
        });
        self.0.shares.add(&entry);
        self.0.entries.insert(*key, Arc::clone(&entry));
        entry
    }
}

impl Default for TokenCache {
    /// 10,000 entries, of which one integration may hold 1,000.
    fn default() -> Self {
        Self::new(MAX_ENTRIES)
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// Which entries each integration has, oldest first.
struct Shares {
    max: usize,
    held: Mutex<HashMap<Caller, VecDeque<Arc<Entry>>>>,
}

impl Shares {
    /// The entry that the integration gives up before it can add one; `None` if it need not. Those
    /// used since they were last passed over get a second chance.
    fn displaced(&self, owner: &Caller) -> Option<Arc<Entry>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = held.get_mut(owner).filter(|entries| entries.len() >= self.max)?;
        // All chances are used up after one round.
        for _ in 0..entries.len() {
            let oldest = entries.pop_front()?;
            if !oldest.used.swap(false, Relaxed) {
                return Some(oldest);
            }
            entries.push_back(oldest);
        }
        entries.pop_front()
    }

    fn add(&self, entry: &Arc<Entry>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.entry(entry.owner.clone()).or_default().push_back(Arc::clone(entry));
    }

    fn remove(&self, entry: &Arc<Entry>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entries) = held.get_mut(&entry.owner) else { return };
        if let Some(at) = entries.iter().position(|other| Arc::ptr_eq(other, entry)) {
            entries.remove(at);
        }
        if entries.is_empty() {
            held.remove(&entry.owner);
        }
    }
}

/// Keys are digests already: their first bytes are the hash.
#[derive(Clone, Copy, Default)]
struct ByStart;

#[derive(Default)]
struct Start(u64);

impl BuildHasher for ByStart {
    type Hasher = Start;

    fn build_hasher(&self) -> Start {
        Start::default()
    }
}

impl Hasher for Start {
    fn finish(&self) -> u64 {
        self.0
    }

    /// [`Key`] writes one number; this is for completeness.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, start: u64) {
        self.0 = start;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use callout_core::{
        config::{AuthConfig, AuthType},
        json::Json,
        secret::Secrets,
        time::{Clock as _, StillClock},
    };
    use futures_util::FutureExt as _;

    use super::*;
    use crate::{
        key::KeySeed,
        slot::{Fetched, Found, Stored},
    };

    fn owner(at: usize) -> Caller {
        Caller { workspace: "w".into(), integration: format!("i{at}").into() }
    }

    fn key(owner: &Caller) -> Key {
        KeySeed::new(owner, &AuthConfig::new(AuthType::BearerToken), &Secrets::new()).key([])
    }

    fn add(cache: &TokenCache, at: usize) -> Arc<Entry> {
        let owner = owner(at);
        cache.get_or_add(&key(&owner), &owner)
    }

    /// The params of a call, by number.
    fn given(at: usize) -> Given {
        Given::of([Some(Json::from(at))])
    }

    /// Gives the entry a token that is due a second after that moment.
    fn fill(entry: &Entry, now: Instant) -> Arc<Token> {
        let value = Arc::new(Token::new("a-token").unwrap());
        let (renew_at, expires) = (now + Duration::from_secs(1), now + Duration::from_secs(2));
        let stored = Stored { value: Arc::clone(&value), renew_at, expires };
        match entry.slot.find(now, || async { Fetched::Keep(stored) }) {
            Found::Wait(flight) | Found::Renew { flight, .. } => drop(flight.now_or_never().unwrap()),
            Found::Value(_) => panic!("it has a fresh token"),
        }
        value
    }

    #[test]
    fn a_token_that_is_held_is_for_its_params_in_one_cache_while_that_has_it_and_it_is_fresh() {
        let now = StillClock::new().now();
        let due = now + Duration::from_secs(1);
        let (one, other) = (TokenCache::new(10), TokenCache::new(10));
        let (entry, own) = (add(&one, 0), given(0));
        let holds = Holds::default();
        holds.put(&one, &entry, &own, 0);
        assert!(holds.get(&own).is_none(), "there is no token to hold");
        let first = fill(&entry, now);
        holds.put(&one, &entry, &own, 1);
        let place = holds.get(&own);
        let held = place.as_ref().unwrap();
        let is_fresh = |cache: &TokenCache, given: &Given, now: Instant| {
            held.fresh(cache, given, now).inspect(|token| assert!(Arc::ptr_eq(token, &first))).is_some()
        };
        assert!(is_fresh(&one, &own, now) && is_fresh(&one.clone(), &given(0), now));
        assert!(!is_fresh(&one, &own, due), "it is due");
        assert!(!is_fresh(&other, &own, now));
        // One as a text is another's, in the same place.
        let as_text = Given::of([Some(Json::from("0"))]);
        assert_eq!(as_text.spread(), own.spread());
        for others in [as_text, given(1), Given::of([None]), Given::of([Some(Json::from(0)), None])] {
            assert!(!is_fresh(&one, &others, now));
        }
        let second = fill(&entry, due);
        assert!(!is_fresh(&one, &own, now), "another has taken its place");
        holds.put(&one, &entry, &own, 1);
        let place = holds.get(&own);
        let held = place.as_ref().unwrap();
        let has_second = |now: Instant| held.fresh(&one, &own, now).is_some_and(|it| Arc::ptr_eq(it, &second));
        assert!(has_second(due), "what is no longer current makes place at once");
        assert!(entry.slot.remove_if(|token| Arc::ptr_eq(token, &second)) && !has_second(due), "it was refused");
        let third = fill(&entry, due);
        holds.put(&one, &entry, &own, 1);
        let place = holds.get(&own);
        let held = place.as_ref().unwrap();
        assert!(held.fresh(&one, &own, due).is_some_and(|token| Arc::ptr_eq(token, &third)));
        one.0.entries.invalidate(&entry.key);
        one.0.entries.run_pending_tasks();
        assert!(held.fresh(&one, &own, due).is_none(), "the cache has let go of it");
    }

    #[test]
    fn a_place_goes_to_another_entry_when_it_is_free_and_else_now_and_then() {
        let (cache, other) = (TokenCache::new(1_000), TokenCache::new(1_000));
        let holds = Holds::default();
        let now = StillClock::new().now();
        let entries: Vec<_> = (0..200).map(|at| (add(&cache, at), given(at))).collect();
        for (entry, _) in &entries {
            fill(entry, now);
        }
        // They spread over the places, and some share one.
        let place = |given: &Given| std::ptr::from_ref(holds.place(given));
        let places: std::collections::HashSet<_> = entries.iter().map(|(_, given)| place(given)).collect();
        assert_eq!(places.len(), holds.0.len());
        let is_held = |(entry, given): &(Arc<Entry>, Given)| {
            holds.get(given).as_ref().is_some_and(|held| Arc::ptr_eq(&held.entry, entry))
        };
        let put = |(entry, given): &(Arc<Entry>, Given), hits: u64| holds.put(&cache, entry, given, hits);
        let (first, others) = entries.split_first().unwrap();
        let second = others.iter().find(|(_, given)| place(given) == place(&first.1)).unwrap();
        put(first, 1);
        assert!(is_held(first), "it was empty");
        put(second, 1);
        assert!(is_held(first) && !is_held(second), "it is taken");
        put(second, HOLD_EACH);
        assert!(is_held(second), "its turn");
        cache.0.entries.invalidate(&second.0.key);
        cache.0.entries.run_pending_tasks();
        put(first, 1);
        assert!(is_held(first), "the one before is gone");
        let long = Given::of([Some(Json::from("x".repeat(MAX_HELD_BYTES + 1))), None]);
        for hits in 0..HOLD_EACH {
            holds.put(&cache, &second.0, &long, hits);
            assert!(!is_held(&(Arc::clone(&second.0), long.clone())), "it is too long");
        }
        let same_key = (add(&other, 0), given(0));
        fill(&same_key.0, now);
        holds.put(&other, &same_key.0, &same_key.1, 1);
        assert!(is_held(&same_key), "the one before is of another cache");
    }

    #[test]
    fn what_is_displaced_is_forgotten() {
        let cache = TokenCache::new(10);
        for at in 0..1_000 {
            drop(add(&cache, at));
        }
        cache.0.entries.run_pending_tasks();
        let held = cache.0.shares.held.lock().unwrap();
        assert!(held.len() <= 10 && held.values().all(|entries| entries.len() == 1), "{} integrations", held.len());
        drop(held);
        assert_eq!(cache.stats().entries, 10);
        assert!(format!("{cache:?}").contains("entries: 10"), "{cache:?}");
    }

    #[test]
    fn keys_are_spread_by_their_first_bytes() {
        let (one, other) = (key(&owner(0)), key(&owner(1)));
        assert_eq!(format!("{:016x}…", ByStart.hash_one(one).swap_bytes()), format!("{one:?}"));
        assert_ne!(ByStart.hash_one(one), ByStart.hash_one(other));
        let mut hasher = ByStart.build_hasher();
        hasher.write(&[3]);
        hasher.write(&[3]);
        assert_eq!(hasher.finish(), 0x303);
        hasher.write(&[0xff; 8]);
        assert_eq!(hasher.finish(), 0xffff_ffff_ffff_fcfc, "what falls out comes in again");
    }
}
