//! `Retry-After` (RFC 9110 section 10.2.3), however it is written.

use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, header::RETRY_AFTER};

/// The longest delay that is passed on, some 136 years: more would overflow the arithmetic of a host
/// that adds it to its own clock.
const MAX_DELAY: Duration = Duration::from_secs(u32::MAX as u64);

/// What the answer asks for, from now: whole seconds, or an HTTP date in any of its three forms.
///
/// A date that has passed is zero. What is neither is ignored. Of several usable headers the longest
/// delay counts, since that one satisfies all of them.
pub(crate) fn retry_after(headers: &HeaderMap, unix_now: Duration) -> Option<Duration> {
    headers.get_all(RETRY_AFTER).iter().filter_map(|value| delay(value.to_str().ok()?.trim(), unix_now)).max()
}

fn delay(text: &str, unix_now: Duration) -> Option<Duration> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(MAX_DELAY, Duration::from_secs).min(MAX_DELAY));
    }
    let date = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(date.saturating_sub(unix_now).min(MAX_DELAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1994-11-06 08:49:07, half a minute before the date of the RFC's examples.
    const NOW: Duration = Duration::from_secs(784_111_747);

    proptest::proptest! {
        #[test]
        fn any_value_is_a_bounded_delay_or_none(value: Vec<u8>, now: u32) {
            let mut headers = HeaderMap::new();
            if let Ok(value) = http::HeaderValue::from_bytes(&value) {
                headers.insert(RETRY_AFTER, value);
            }
            let delay = retry_after(&headers, Duration::from_secs(now.into()));
            assert!(delay.is_none_or(|delay| delay <= MAX_DELAY));
        }
    }

    #[test]
    fn every_form_and_every_oddity() {
        let half_a_minute = Some(Duration::from_secs(30));
        for (values, expected) in [
            (&["30"][..], half_a_minute),
            (&[" 30 "], half_a_minute),
            (&["0"], Some(Duration::ZERO)),
            (&["Sun, 06 Nov 1994 08:49:37 GMT"], half_a_minute),
            (&["Sunday, 06-Nov-94 08:49:37 GMT"], half_a_minute),
            (&["Sun Nov  6 08:49:37 1994"], half_a_minute),
            (&["Sun, 06 Nov 1983 08:49:37 GMT"], Some(Duration::ZERO)),
            (&["1000000000"], Some(Duration::from_secs(1_000_000_000))),
            (&["18446744073709551616"], Some(MAX_DELAY)),
            (&["99999999999999999999999999999999"], Some(MAX_DELAY)),
            (&["Fri, 31 Dec 9999 23:59:59 GMT"], Some(MAX_DELAY)),
            (&["-1"], None),
            (&["+5"], None),
            (&["1e9"], None),
            (&["1.5"], None),
            (&["soon"], None),
            (&[""], None),
            (&["Sun, 06 Nov 1994 08:49:37"], None),
            (&["Sun, 99 Nov 1994 08:49:37 GMT"], None),
            (&["30, 20"], None),
            (&["10", "30"], half_a_minute),
            (&["30", "10"], half_a_minute),
            (&["soon", "30"], half_a_minute),
            (&["-1", "soon"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(RETRY_AFTER, value.parse().unwrap());
            }
            assert_eq!(retry_after(&headers, NOW), expected, "{values:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, http::HeaderValue::from_bytes(b"\xff30").unwrap());
        assert_eq!(retry_after(&headers, NOW), None);
    }
}
