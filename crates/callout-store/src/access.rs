//! Who may do what: roles and permissions.

use std::{fmt, str::FromStr};

/// One right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// List, get and test integrations.
    IntegrationView,
    /// Execute endpoints of enabled integrations.
    IntegrationExecute,
    /// Create integrations.
    IntegrationCreate,
    /// Change integrations.
    IntegrationUpdate,
    /// Delete integrations.
    IntegrationDelete,
    /// List API keys.
    ApiKeyView,
    /// Create and rotate API keys.
    ApiKeyCreate,
    /// Delete API keys.
    ApiKeyDelete,
    /// Read the audit log.
    AuditView,
    /// Delete the workspace.
    WorkspaceDelete,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::IntegrationView,
        Self::IntegrationExecute,
        Self::IntegrationCreate,
        Self::IntegrationUpdate,
        Self::IntegrationDelete,
        Self::ApiKeyView,
        Self::ApiKeyCreate,
        Self::ApiKeyDelete,
        Self::AuditView,
        Self::WorkspaceDelete,
    ];

    /// The contract's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IntegrationView => "Integration.view",
            Self::IntegrationExecute => "Integration.execute",
            Self::IntegrationCreate => "Integration.create",
            Self::IntegrationUpdate => "Integration.update",
            Self::IntegrationDelete => "Integration.delete",
            Self::ApiKeyView => "ApiKey.view",
            Self::ApiKeyCreate => "ApiKey.create",
            Self::ApiKeyDelete => "ApiKey.delete",
            Self::AuditView => "Audit.view",
            Self::WorkspaceDelete => "Workspace.delete",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an API key is for: a named set of permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees and tests integrations.
    Viewer,
    /// Executes them too.
    Member,
    /// Manages integrations and API keys, and reads the audit log.
    Admin,
    /// May delete the workspace too.
    Owner,
    /// Everything, in every workspace.
    Operator,
}

impl Role {
    /// All of them, each with the rights of those before it.
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Member, Self::Admin, Self::Owner, Self::Operator];

    /// The word for it: `viewer`, `member`, `admin`, `owner`, `operator`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
            Self::Operator => "operator",
        }
    }

    /// What it may do.
    pub fn permissions(self) -> &'static [Permission] {
        // The table stands in the order in which roles gain rights.
        let all: &'static [Permission] = &Permission::ALL;
        match self {
            Self::Viewer => &all[..1],
            Self::Member => &all[..2],
            Self::Admin => &all[..9],
            Self::Owner | Self::Operator => all,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no role's or permission's; the message lists those there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} {word:?}; there are {known}")]
pub struct UnknownWord {
    what: &'static str,
    word: String,
    known: String,
}

impl UnknownWord {
    /// The one of `all` with that word.
    pub(crate) fn or<T: Copy>(
        what: &'static str,
        all: &[T],
        as_str: fn(T) -> &'static str,
        word: &str,
    ) -> Result<T, Self> {
        let known = || all.iter().map(|one| as_str(*one)).collect::<Vec<_>>().join(", ");
        let found = all.iter().copied().find(|one| as_str(*one) == word);
        found.ok_or_else(|| Self { what, word: word.to_owned(), known: known() })
    }
}

impl FromStr for Permission {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        UnknownWord::or("permission", &Self::ALL, Self::as_str, word)
    }
}

impl FromStr for Role {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        UnknownWord::or("role", &Self::ALL, Self::as_str, word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_the_rights_of_the_one_before_and_more() {
        let table = [
            (Role::Viewer, "Integration.view"),
            (Role::Member, "Integration.view Integration.execute"),
            (
                Role::Admin,
                "Integration.view Integration.execute Integration.create Integration.update Integration.delete \
                 ApiKey.view ApiKey.create ApiKey.delete Audit.view",
            ),
            (
                Role::Owner,
                "Integration.view Integration.execute Integration.create Integration.update Integration.delete \
                 ApiKey.view ApiKey.create ApiKey.delete Audit.view Workspace.delete",
            ),
        ];
        for (role, rights) in table {
            let words: Vec<_> = role.permissions().iter().map(|one| one.as_str()).collect();
            assert_eq!(words.join(" "), rights, "{role}");
        }
        assert_eq!(Role::Operator.permissions(), Permission::ALL);
    }

    #[test]
    fn words_read_back() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(permission));
        }
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!(
            "root".parse::<Role>().map_err(|error| error.to_string()),
            Err("there is no role \"root\"; there are viewer, member, admin, owner, operator".to_owned())
        );
    }
}
