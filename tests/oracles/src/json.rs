use callout_core::json::{Json, LoneSurrogates, ReadErrorKind, ReadOptions};

/// Bytes as a JSON text: what is read is written back, compact and indented, and reads again as the same
/// value; what a lenient reader takes beyond a strict one holds half a surrogate pair.
///
/// # Panics
///
/// Where that does not hold.
pub fn json(bytes: &[u8]) {
    let strict = ReadOptions::default().read(bytes);
    let lenient = ReadOptions { lone_surrogates: LoneSurrogates::Replace, ..ReadOptions::default() }.read(bytes);
    match (&strict, &lenient) {
        (Ok(strict), Ok(lenient)) => assert_eq!(strict, lenient, "two ways to read"),
        (Err(error), Ok(_)) => assert_eq!(*error.kind(), ReadErrorKind::LoneSurrogate, "{error}"),
        (Ok(value), Err(error)) => panic!("only the strict reader takes {value}: {error}"),
        (Err(_), Err(_)) => {}
    }
    let Ok(value) = lenient else { return };
    for written in [value.to_string(), format!("{value:#}")] {
        assert_eq!(Json::parse(&written).as_ref(), Ok(&value), "{written}");
    }
}
