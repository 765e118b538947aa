//! Six ways to authenticate and the token cache.
