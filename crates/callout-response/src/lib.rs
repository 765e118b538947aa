//! From an HTTP answer to a short text: filter, mapping, result key, template, truncation.
