//! From params to an HTTP request: schema check, path, query, body.
