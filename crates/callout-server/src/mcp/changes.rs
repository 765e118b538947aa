//! Tells clients when their workspace's tools change, whichever server changed them.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use callout::SecretString;
use callout_mcp::{Changes, ToolList};
use callout_store::Uuid;
use futures_util::{StreamExt as _, stream};
use tokio::sync::watch;

use crate::{
    App,
    mcp::{McpAsker, catalog::Catalogs},
};

/// How often the store is asked for the workspaces that somebody listens to, and for the listeners' keys.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How often each has had news: the first look at it, and every change since.
type Watched = HashMap<Uuid, watch::Sender<u64>>;

/// The workspaces that somebody listens to.
pub(crate) struct Watches {
    app: App,
    catalogs: Arc<Catalogs>,
    watched: Arc<Mutex<Watched>>,
}

impl Watches {
    pub(crate) fn new(app: &App, catalogs: &Arc<Catalogs>) -> Self {
        Self { app: app.clone(), catalogs: Arc::clone(catalogs), watched: Arc::default() }
    }

    /// Changes of the asker's workspace, for as long as its key is one. Nothing if too many listen.
    ///
    /// What changes once this has returned is told: the tools have been looked at, or what is there at the
    /// first look that succeeds counts as a change.
    pub(crate) async fn follow(&self, asker: McpAsker) -> Changes {
        let Some(mut changes) = self.subscribe(asker.workspace) else { return stream::empty().boxed() };
        if changes.wait_for(|news| *news > 0).await.is_err() {
            return stream::empty().boxed();
        }
        let app = self.app.clone();
        let following = (changes, asker, app);
        let next = async |(mut changes, asker, app): (watch::Receiver<u64>, McpAsker, App)| {
            tokio::select! {
                change = changes.changed() => change.ok().map(|()| ((), (changes, asker, app))),
                () = gone(&app, &asker.presented) => None,
            }
        };
        stream::unfold(following, next).boxed()
    }

    /// `None` if as many listen to the workspace as may.
    fn subscribe(&self, workspace: Uuid) -> Option<watch::Receiver<u64>> {
        let mut watched = lock(&self.watched);
        if let Some(sender) = watched.get(&workspace) {
            // Sessions listen too, and are bounded by themselves.
            let is_full = sender.receiver_count() >= self.app.options().max_mcp_sessions.saturating_mul(2);
            return (!is_full).then(|| sender.subscribe());
        }
        let (sender, changes) = watch::channel(0);
        watched.insert(workspace, sender);
        let (app, catalogs, watched) = (self.app.clone(), Arc::clone(&self.catalogs), Arc::clone(&self.watched));
        tokio::spawn(async move { watch(&app, &catalogs, &watched, workspace).await });
        Some(changes)
    }
}

/// Waits until what was presented is no key any more.
pub(super) async fn gone(app: &App, presented: &SecretString) {
    loop {
        app.wait(ASK_EVERY).await;
        // While the store cannot be reached nobody is let in, and nobody shut out.
        if let Ok(None) = app.keys().authenticate(app, presented).await {
            return;
        }
    }
}

/// Looks at a workspace's tools for as long as somebody listens.
async fn watch(app: &App, catalogs: &Arc<Catalogs>, watched: &Mutex<Watched>, workspace: Uuid) {
    let mut seen: Option<ToolList> = None;
    let mut is_first = true;
    loop {
        let mut is_news = is_first;
        match catalogs.current(app, workspace).await {
            Ok(catalog) => {
                is_news |= seen.as_ref().is_none_or(|seen| !seen.is_same_as(&catalog.list));
                seen = Some(catalog.list.clone());
            }
            // What a failing store holds is seen when it can be read again.
            Err(error) => error.tell(None),
        }
        if is_news && let Some(sender) = lock(watched).get(&workspace) {
            sender.send_modify(|news| *news += 1);
        }
        is_first = false;
        app.wait(ASK_EVERY).await;
        // Under the lock, so that nobody comes in between.
        let mut watched = lock(watched);
        if watched.get(&workspace).is_none_or(|sender| sender.receiver_count() == 0) {
            watched.remove(&workspace);
            return;
        }
    }
}

fn lock(watched: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Watches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watches").field("workspaces", &lock(&self.watched).len()).finish_non_exhaustive()
    }
}
