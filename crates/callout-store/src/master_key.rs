//! Master keys: where they come from, and how their file is made and changed.
//!
//! A file holds one `key_id:base64 of 32 bytes` per line, an environment variable the same with
//! commas; the first is the newest. Lines that are empty or begin with `#` are skipped.

use std::{
    fmt, fs, io,
    io::Write as _,
    iter,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, PoisonError, RwLock},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use callout_core::time::SharedRng;
use zeroize::Zeroizing;

use crate::{
    error::{Result, StoreError},
    seal::{KEY_LEN, MasterKey},
};

/// Where the master keys are: `file:PATH` or `env:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterKeySource {
    /// A file that only its owner may read. Made when a new database is opened and it is absent.
    File(PathBuf),
    /// An environment variable, read when the store is opened.
    Env(String),
}

impl FromStr for MasterKeySource {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            _ => Err(StoreError::Invalid(format!("a master key is file:PATH or env:NAME, not {text:?}"))),
        }
    }
}

impl fmt::Display for MasterKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Env(name) => write!(f, "env:{name}"),
        }
    }
}

impl MasterKeySource {
    /// The keys, before anything is touched: refuses those that are missing, or are none. Of a file that is not there,
    /// which gives none, the database alone tells whether it is missing, or to be made; for one `to_be_made` it is
    /// refused here if that cannot be.
    pub(crate) fn read_first(&self, to_be_made: bool, rng: &SharedRng) -> Result<Option<KeyRing>> {
        match self {
            Self::File(path) if is_absent(path) => {
                if to_be_made {
                    // Others may try at the same time, or make theirs.
                    let mut chance = [0; 8];
                    rng.fill(&mut chance);
                    let tried = beside(path, &format!(".tried-{:016x}", u64::from_le_bytes(chance)));
                    write_new(&tried, "", None).and_then(|()| fs::remove_file(&tried)).map_err(cannot_be_made(path))?;
                }
                Ok(None)
            }
            Self::File(_) | Self::Env(_) => read(self).map(Some),
        }
    }
}

/// The keys of one source, newest first.
#[derive(Clone, Debug)]
pub(crate) struct KeyRing {
    first: Arc<MasterKey>,
    older: Vec<Arc<MasterKey>>,
}

impl KeyRing {
    pub(crate) fn of(key: MasterKey) -> Self {
        Self { first: Arc::new(key), older: Vec::new() }
    }

    /// The newest.
    pub(crate) fn first(&self) -> &MasterKey {
        &self.first
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Arc<MasterKey>> {
        self.all().find(|key| key.id() == id)
    }

    /// Whether there are others than the newest.
    pub(crate) fn has_older(&self) -> bool {
        !self.older.is_empty()
    }

    /// With that key as its newest.
    pub(crate) fn with_first(&self, key: MasterKey) -> Self {
        Self { first: Arc::new(key), older: self.all().cloned().collect() }
    }

    /// Its newest only.
    pub(crate) fn only_first(&self) -> Self {
        Self { first: self.first.clone(), older: Vec::new() }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<MasterKey>> {
        iter::once(&self.first).chain(&self.older)
    }

    fn read(text: &str, separator: char, source: &MasterKeySource) -> Result<Self> {
        let mut keys: Vec<Arc<MasterKey>> = Vec::new();
        let entries = text.split(separator).map(str::trim).filter(|entry| !entry.is_empty() && !entry.starts_with('#'));
        for (at, entry) in entries.enumerate() {
            let bad = |why: &str| {
                StoreError::MasterKey(format!(
                    "key {} of {source} {why}; each is `key_id:base64 of 32 bytes`, made by `openssl rand -base64 32`",
                    at + 1
                ))
            };
            let (id, encoded) = entry.split_once(':').ok_or_else(|| bad("has no key id"))?;
            if id.is_empty()
                || id.len() > 64
                || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            {
                return Err(bad("has an id that is not 1 to 64 letters, digits, `.`, `_` and `-`"));
            }
            if keys.iter().any(|other| other.id() == id) {
                return Err(bad("has the id of another"));
            }
            let decoded = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| bad("is not base64"))?);
            let mut bytes = Zeroizing::new([0; KEY_LEN]);
            if decoded.len() != KEY_LEN {
                return Err(bad(&format!("has {} bytes", decoded.len())));
            }
            bytes.copy_from_slice(&decoded);
            keys.push(Arc::new(MasterKey::new(id.to_owned(), bytes).ok_or_else(|| bad("is refused"))?));
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or_else(|| StoreError::MasterKey(format!("{source} holds no key")))?;
        Ok(Self { first, older: keys.collect() })
    }

    fn write(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(128 * self.all().count()));
        for key in self.all() {
            let encoded = Zeroizing::new(STANDARD.encode(key.bytes()));
            for part in [key.id(), ":", &encoded, "\n"] {
                text.push_str(part);
            }
        }
        text
    }
}

/// The keys in use, read again when a key turns up that is not among them.
pub(crate) struct Keys {
    source: Option<MasterKeySource>,
    ring: RwLock<KeyRing>,
}

impl Keys {
    /// A key of this process alone, for a database in memory.
    pub(crate) fn in_memory(rng: &SharedRng) -> Result<Self> {
        Ok(Self { source: None, ring: RwLock::new(KeyRing::of(generate(rng)?)) })
    }

    /// The keys of that source, as they were read from it. A pipe gives them once.
    pub(crate) fn of(source: MasterKeySource, ring: KeyRing) -> Self {
        Self { source: Some(source), ring: RwLock::new(ring) }
    }

    /// The keys of that source.
    pub(crate) fn read(source: MasterKeySource) -> Result<Self> {
        let ring = read(&source)?;
        Ok(Self::of(source, ring))
    }

    /// As [`Keys::read`], but makes the file if it is absent: for a new database only.
    pub(crate) fn read_or_make(source: MasterKeySource, rng: &SharedRng) -> Result<Self> {
        if let MasterKeySource::File(path) = &source
            && is_absent(path)
        {
            make_file(path, &KeyRing::of(generate(rng)?).write())?;
        }
        Self::read(source)
    }

    pub(crate) fn source(&self) -> Option<&MasterKeySource> {
        self.source.as_ref()
    }

    pub(crate) fn ring(&self) -> KeyRing {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the source again.
    pub(crate) fn reload(&self) -> Result<KeyRing> {
        let Some(source) = &self.source else { return Ok(self.ring()) };
        let ring = read(source)?;
        self.set(ring.clone());
        Ok(ring)
    }

    /// The key of that id; the source is read again if it is not known yet.
    pub(crate) fn get(&self, id: &str) -> Result<Arc<MasterKey>> {
        if let Some(key) = self.ring().get(id) {
            return Ok(key.clone());
        }
        self.reload()?.get(id).cloned().ok_or_else(|| self.missing(id))
    }

    /// What is said where the key of that id is not to be had.
    pub(crate) fn missing(&self, id: &str) -> StoreError {
        let place = self.source.as_ref().map_or_else(|| "memory".to_owned(), ToString::to_string);
        StoreError::MasterKey(format!(
            "the master key {id:?} that secrets in the database are sealed under is not in {place}; \
             put it back there, beside newer ones, or restore database and key together"
        ))
    }

    /// Replaces the file's keys at once, for this process and for those that read it next.
    pub(crate) fn replace_file(&self, path: &Path, ring: KeyRing) -> Result<()> {
        replace_file(path, &ring.write())?;
        self.set(ring);
        Ok(())
    }

    pub(crate) fn set(&self, ring: KeyRing) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
    }
}

pub(crate) fn generate(rng: &SharedRng) -> Result<MasterKey> {
    MasterKey::generate(rng).ok_or_else(|| StoreError::MasterKey("no master key could be made".to_owned()))
}

fn read(source: &MasterKeySource) -> Result<KeyRing> {
    match source {
        MasterKeySource::File(path) => {
            let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
                let way = if error.kind() == io::ErrorKind::NotFound {
                    "; secrets in the database can only be read with the key that sealed them: restore the file"
                } else {
                    ""
                };
                StoreError::MasterKey(format!("the master key file {} cannot be read: {error}{way}", path.display()))
            })?;
            KeyRing::read(&text, '\n', source)
        }
        MasterKeySource::Env(name) => {
            let text = std::env::var(name).map(Zeroizing::new).map_err(|_| {
                StoreError::MasterKey(format!(
                    "the environment variable {name} holds no master key; \
                     it takes `key_id:base64 of 32 bytes`, several with commas, the newest first"
                ))
            })?;
            KeyRing::read(&text, ',', source)
        }
    }
}

fn is_absent(path: &Path) -> bool {
    matches!(path.try_exists(), Ok(false))
}

/// Makes the file with all of its content at once, for its owner alone. One that is there already is
/// left as it is: somebody else was faster.
fn make_file(path: &Path, text: &str) -> Result<()> {
    // Others may make one at the same time, for databases of their own.
    let new = beside(path, &format!(".made-by-{}", std::process::id()));
    let made = write_new(&new, text, None).and_then(|()| {
        let linked = fs::hard_link(&new, path);
        fs::remove_file(&new)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => sync_folder(path),
        }
    });
    made.map_err(cannot_be_made(path))
}

fn cannot_be_made(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |error| StoreError::MasterKey(format!("the master key file {} cannot be made: {error}", path.display()))
}

/// Whoever reads it meanwhile sees it as it was or as it is; who may read it stays as it was. Where that
/// cannot be, nothing is changed.
fn replace_file(path: &Path, text: &str) -> Result<()> {
    replace(path, text).map_err(|error| {
        StoreError::MasterKey(format!("the master key file {} cannot be replaced: {error}", path.display()))
    })
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    // A link stays one: what it leads to is replaced.
    let path = fs::canonicalize(path)?;
    // Who replaces it has the database alone, and so one name is enough: what was left by a process that was killed
    // is found under it and not kept for ever.
    let new = beside(&path, ".replaced-by");
    write_new(&new, text, Some(&fs::metadata(&path)?))?;
    // Every key stands in what would be left.
    fs::rename(&new, &path).inspect_err(|_| drop(fs::remove_file(&new)))?;
    sync_folder(&path)
}

/// Another name in the same folder.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(end);
    path.with_file_name(name)
}

/// A new file, on the disk when this returns, or none. It is its owner's alone, or as that other one is.
fn write_new(path: &Path, text: &str, other: Option<&fs::Metadata>) -> io::Result<()> {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    fill(&mut file, text, other).inspect_err(|_| drop(fs::remove_file(path)))
}

fn fill(file: &mut fs::File, text: &str, other: Option<&fs::Metadata>) -> io::Result<()> {
    // Before a key stands in it.
    if let Some(other) = other {
        open_as(file, other)?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Opens a file to those to whom the other one is open, by owner, group and mode.
#[cfg(unix)]
fn open_as(file: &fs::File, other: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let made = file.metadata()?;
    let user = (made.uid() != other.uid()).then_some(other.uid());
    let group = (made.gid() != other.gid()).then_some(other.gid());
    if user.is_some() || group.is_some() {
        fchown(file, user, group).map_err(|error| {
            let (user, group) = (other.uid(), other.gid());
            let why = format!("a new one cannot be given to its owner and group, {user}:{group}: {error}");
            io::Error::new(error.kind(), why)
        })?;
    }
    file.set_permissions(other.permissions())
}

/// Where files have no owner and group, a new one is what its folder makes of it.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn open_as(_: &fs::File, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(text: &str) -> Result<KeyRing> {
        KeyRing::read(text, '\n', &MasterKeySource::File("keys".into()))
    }

    #[test]
    fn a_ring_reads_what_it_writes() {
        let [one, two] = [1, 2].map(|byte| STANDARD.encode([byte; KEY_LEN]));
        let text = format!("# newest first\nb:{two}\n\n a:{one}\n");
        let read = ring(&text).unwrap();
        assert_eq!(read.first().id(), "b");
        assert_eq!(read.get("a").unwrap().bytes(), &[1; KEY_LEN]);
        assert_eq!(*read.write(), format!("b:{two}\na:{one}\n"));
        assert_eq!(*read.only_first().write(), format!("b:{two}\n"));
    }

    #[test]
    fn what_is_no_ring_says_why_and_shows_no_key() {
        let good = STANDARD.encode([7; KEY_LEN]);
        for (text, why) in [
            (String::new(), "holds no key"),
            (good.clone(), "has no key id"),
            (format!("a b:{good}"), "has an id"),
            (format!("a:{good}\na:{good}"), "has the id of another"),
            ("a:c2VzYW1l".to_owned(), "has 6 bytes"),
            ("a:sesame!".to_owned(), "is not base64"),
        ] {
            let error = ring(&text).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("file:keys"), "{error}");
            assert!(!error.contains("BwcH") && !error.contains("sesame"), "{error}");
        }
    }

    #[test]
    fn ids_have_1_to_64_characters_of_a_few_kinds() {
        let good = STANDARD.encode([7; KEY_LEN]);
        let ids = |id: &str| ring(&format!("{id}:{good}")).map(|ring| ring.first().id().to_owned());
        for id in ["a", "A.b_c-9", &"x".repeat(64)] {
            assert_eq!(ids(id).ok().as_deref(), Some(id));
        }
        for id in ["", &"x".repeat(65), "a b", "a/b", "é", "a\0"] {
            let error = ids(id).unwrap_err().to_string();
            assert!(error.contains("has an id that is not 1 to 64"), "{id:?}: {error}");
        }
    }

    #[test]
    fn a_source_is_a_file_or_a_variable() {
        for text in ["file:/k", "file:a:b", "env:KEY"] {
            assert_eq!(text.parse::<MasterKeySource>().map(|source| source.to_string()).ok().as_deref(), Some(text));
        }
        for text in ["", "file", "file:", "env:", "KEY", "http://x", "FILE:x"] {
            let error = text.parse::<MasterKeySource>().unwrap_err().to_string();
            assert!(error.contains("file:PATH or env:NAME"), "{error}");
        }
    }

    #[test]
    fn a_file_is_made_once_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        make_file(&path, "one").unwrap();
        make_file(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        // As one that was killed would leave it.
        fs::write(folder.path().join("master.key.replaced-by"), "every key").unwrap();
        replace_file(&path, "three").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "three");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_replaced_keeps_its_owner_its_mode_and_the_link_that_leads_to_it() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("of-the-server.key"), folder.path().join("master.key"));
        fs::write(&file, "one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("of-the-server.key", &link).unwrap();
        // Only root can give a file away; elsewhere it stays one's own.
        drop(chown(&file, Some(12), Some(34)));
        let access = || {
            let found = fs::metadata(&file).unwrap();
            (found.uid(), found.gid(), found.mode())
        };
        let before = access();
        replace_file(&link, "two").unwrap();
        assert_eq!(access(), before);
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("of-the-server.key"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside it");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_given_to_the_owner_of_the_other_is_not_written() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("master.key.replaced-by");
        let of_another = fs::metadata("/").unwrap();
        match write_new(&new, "every key", Some(&of_another)) {
            // Root can.
            Ok(()) => assert_eq!(fs::metadata(&new).unwrap().uid(), of_another.uid()),
            Err(error) => {
                assert!(error.to_string().contains("owner and group"), "{error}");
                assert!(!new.exists(), "nothing is left");
            }
        }
    }
}
