//! The network: egress policy, retries, deadlines, limits.
