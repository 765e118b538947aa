//! Seals secrets with AES-256-GCM (NIST SP 800-38D), so that one that was moved, swapped, rolled back
//! or damaged does not open.
//!
//! The associated data are path, version and key id, each behind its length: a sealed value opens in
//! no other place than the one that it was sealed for. Nonces are 96 bits of chance, which one key
//! may use 2^32 times.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use callout_core::time::SharedRng;
use zeroize::Zeroizing;

/// The length of a master key in bytes.
pub(crate) const KEY_LEN: usize = 32;

/// One master key with its id.
pub(crate) struct MasterKey {
    id: String,
    bytes: Zeroizing<[u8; KEY_LEN]>,
    key: LessSafeKey,
}

/// A value that only its master key opens, and only in its place.
pub(crate) struct Sealed {
    pub(crate) nonce: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
}

/// What a value is sealed for.
#[derive(Clone, Copy)]
pub(crate) struct Slot<'a> {
    pub(crate) path: &'a str,
    pub(crate) version: u64,
}

impl MasterKey {
    /// `None` if the library refuses the key, which it does not for keys of this length.
    pub(crate) fn new(id: String, bytes: Zeroizing<[u8; KEY_LEN]>) -> Option<Self> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes.as_slice()).ok()?);
        Some(Self { id, bytes, key })
    }

    /// A key that nobody has seen yet.
    pub(crate) fn generate(rng: &SharedRng) -> Option<Self> {
        let mut id = [0; 8];
        rng.fill(&mut id);
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        rng.fill(bytes.as_mut_slice());
        Self::new(id.iter().map(|byte| format!("{byte:02x}")).collect(), bytes)
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_LEN] {
        &self.bytes
    }

    /// `None` only for values of many gigabytes.
    pub(crate) fn seal(&self, slot: Slot<'_>, plain: &[u8], rng: &SharedRng) -> Option<Sealed> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill(&mut nonce);
        // Sealed where it lies, so that no copy of the value is left behind.
        let mut sealed = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(plain);
        let aad = Aad::from(self.associated(slot));
        self.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed).ok()?;
        Some(Sealed { nonce: nonce.to_vec(), ciphertext: sealed })
    }

    /// `None` if it was not sealed by this key for this slot, or is damaged.
    pub(crate) fn open(&self, slot: Slot<'_>, nonce: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut plain = Zeroizing::new(ciphertext.to_vec());
        let length = self.key.open_in_place(nonce, Aad::from(self.associated(slot)), plain.as_mut_slice()).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }

    fn associated(&self, Slot { path, version }: Slot<'_>) -> Vec<u8> {
        let mut data = Vec::with_capacity(24 + path.len() + 8 + self.id.len());
        for part in [path.as_bytes(), &version.to_be_bytes(), self.id.as_bytes()] {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part);
        }
        data
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, bytes: _, key: _ } = self; // secret
        f.debug_struct("MasterKey").field("id", id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use callout_core::time::Rng;

    use super::*;

    struct Count(std::sync::atomic::AtomicU8);

    impl Rng for Count {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill_with(|| self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    #[test]
    fn opens_only_where_and_as_it_was_sealed() {
        let rng = SharedRng::new(Count(0.into()));
        let [key, other] = [(); 2].map(|()| MasterKey::generate(&rng).unwrap());
        let slot = Slot { path: "/dev/a/b", version: 3 };
        let Sealed { nonce, ciphertext } = key.seal(slot, b"sesame", &rng).unwrap();
        assert_eq!(key.open(slot, &nonce, &ciphertext).unwrap().as_slice(), b"sesame");
        assert!(!ciphertext.windows(6).any(|part| part == b"sesame"));
        assert_ne!(key.seal(slot, b"sesame", &rng).unwrap().nonce, nonce);

        for (path, version) in [("/dev/a/c", 3), ("/dev/a/b", 2), ("/dev/a/b", 4), ("/dev/a/", 3)] {
            assert!(key.open(Slot { path, version }, &nonce, &ciphertext).is_none(), "{path} {version}");
        }
        assert!(other.open(slot, &nonce, &ciphertext).is_none());
        let renamed = MasterKey::new("renamed".to_owned(), key.bytes.clone()).unwrap();
        assert!(renamed.open(slot, &nonce, &ciphertext).is_none());
        for at in 0..ciphertext.len() {
            for bit in 0..8 {
                let mut damaged = ciphertext.clone();
                damaged[at] ^= 1 << bit;
                assert!(key.open(slot, &nonce, &damaged).is_none());
            }
        }
        for length in 0..ciphertext.len() {
            assert!(key.open(slot, &nonce, &ciphertext[..length]).is_none());
        }
        for nonce in [&[][..], &[0; 11], &[0; 13]] {
            assert!(key.open(slot, nonce, &ciphertext).is_none());
        }
    }

    #[test]
    fn debug_shows_the_id_only() {
        let key = MasterKey::new("first".to_owned(), Zeroizing::new([0x5a; KEY_LEN])).unwrap();
        assert_eq!(format!("{key:?}"), "MasterKey { id: \"first\", .. }");
    }
}
