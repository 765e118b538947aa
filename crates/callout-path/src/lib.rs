//! Dotted paths, JSON Pointer and JSONPath over callout's JSON.
