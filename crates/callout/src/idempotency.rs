//! One `Idempotency-Key` for each call, so that an upstream that knows the header carries a call out
//! once however often it arrives.

use callout_core::time::SharedRng;
use http::{HeaderMap, HeaderName, HeaderValue};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// Adds a key of 122 random bits as a UUID (RFC 9562 section 5.4), the form that upstreams document.
/// A header of that name that is there already stays. The key is given back, for the other attempts.
pub(crate) fn add_key(headers: &mut HeaderMap, rng: &SharedRng) -> Option<HeaderValue> {
    if headers.contains_key(HEADER) {
        return None;
    }
    let mut random = [0_u8; 16];
    rng.fill(&mut random);
    let key = HeaderValue::from_str(&uuid(random)).ok()?;
    set_key(headers, &key);
    Some(key)
}

/// Sets a key that was made before.
pub(crate) fn set_key(headers: &mut HeaderMap, key: &HeaderValue) {
    headers.insert(HEADER, key.clone());
}

fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 0x0f] {
            text.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_random_uuids() {
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
