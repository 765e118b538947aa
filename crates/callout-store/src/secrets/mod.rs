//! Secrets: sealed in the database, or in a store outside: memory, the environment, AWS SSM. Which of the two, and
//! under which env, is written down with the first secret: a database that is opened for another place is refused as
//! long as it has some.
//!
//! # In the database
//!
//! A secret's sealed row is written, replaced and deleted in the transaction that does the same to its
//! integration. Its version is the integration's revision that it was given with.
//!
//! # Outside
//!
//! A store outside knows no transaction with the database. What keeps the two together is the *intent*,
//! a row that says: these secrets of this integration may differ from what the integration names. At
//! most one change of an integration's secrets holds it at a time.
//!
//! 1. Transaction: the intent is written.
//! 2. The secrets given are put; each put yields a version. Readers do not see them: they ask for the
//!    versions that the integration names.
//! 3. Transaction: the integration is written with the new versions, if it is at the revision that was
//!    read and the intent still is this change's. The intent ends, unless secrets are to be deleted.
//! 4. Those that the integration does not name any more are deleted.
//! 5. Transaction: the intent ends.
//!
//! Deleting an integration, or its workspace, is one transaction that deletes its row and leaves an
//! intent for all of its secrets, then 4 and 5.
//!
//! Whatever dies, and wherever: the intent says what to look at, the integration what is right.
//! [Recovery](crate::Store::recover) deletes of the secrets that an intent names those that the integration
//! does not, and ends the intent. It takes intents that are older than a minute, and takes each over
//! first, so that a change which is only slow fails at 3 and not afterwards; 2 is given up after half a
//! minute. A put that was given up may be carried out after what it left was deleted: where the integration
//! does not name its secret, the intent stays, and recovery looks once more. So an integration is wholly old
//! or wholly new, with its secrets, at each point; a secret that nothing names is deleted a minute later at
//! the next recovery.

pub(crate) mod change;
mod environment;
pub(crate) mod home;
mod intent;
mod memory;
mod read;
#[cfg(feature = "ssm")]
mod ssm;

pub(crate) use self::read::SealedRow;
#[cfg(feature = "ssm")]
pub use self::ssm::SsmSecrets;
pub use self::{environment::EnvironmentSecrets, memory::MemorySecrets};
