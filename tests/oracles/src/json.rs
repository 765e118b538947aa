use callout_core::json::{Json, LoneSurrogates, ReadErrorKind, ReadOptions, RowBounds, Rows, SmolStr};

/// Bytes as a JSON text: what is read is written back, compact and indented, and reads again as the same
/// value; what a lenient reader takes beyond a strict one holds half a surrogate pair; and rows are what the whole has.
///
/// # Panics
///
/// Where that does not hold.
pub fn json(bytes: &[u8]) {
    // As it is, and as what nobody wants of a row.
    rows(bytes);
    rows(&[&br#"[{"a":{"b":1},"x":"#[..], bytes, b"}]"].concat());
    let strict = ReadOptions::default().read(bytes);
    let lenient = ReadOptions { lone_surrogates: LoneSurrogates::Replace, ..ReadOptions::default() };
    let whole = lenient.read_whole(bytes, None);
    let lenient = lenient.read(bytes);
    assert_eq!(whole.as_ref().map(|whole| &whole.value), lenient.as_ref(), "two ways to read");
    match (&strict, &lenient) {
        (Ok(strict), Ok(lenient)) => assert_eq!(strict, lenient, "two ways to read"),
        (Err(error), Ok(_)) => assert_eq!(*error.kind(), ReadErrorKind::LoneSurrogate, "{error}"),
        (Ok(value), Err(error)) => panic!("only the strict reader takes {value}: {error}"),
        (Err(_), Err(_)) => {}
    }
    let Ok(value) = lenient else { return };
    if whole.is_ok_and(|whole| whole.is_compact) {
        assert_eq!(value.to_string().as_bytes(), bytes, "it is said to be compact");
    }
    for written in [value.to_string(), format!("{value:#}")] {
        assert_eq!(Json::parse(&written).as_ref(), Ok(&value), "{written}");
    }
}

/// What is read of a text as rows is what the whole has there, and what is wrong with it is the same.
fn rows(bytes: &[u8]) {
    let path = |path: &str| path.split('.').map(SmolStr::new).collect();
    let members = vec![("n".into(), path("a.b")), ("m".into(), path("d"))];
    let Some(rows) = Rows::new(members) else { return };
    let options = ReadOptions { lone_surrogates: LoneSurrogates::Replace, ..ReadOptions::default() };
    let whole = options.read(bytes);
    let mut shown = 0;
    let visited = options.visit_rows(bytes, &rows, 1_000, None, &mut |row| {
        shown += 1;
        row.get(0)?;
        row.get(1)?;
        Some(true)
    });
    let read = match options.read_rows(bytes, &rows, &RowBounds::most(1_000), None) {
        Ok(Some(read)) => read.rows,
        Ok(None) => {
            assert_eq!(visited, None, "there are no rows");
            return;
        }
        Err(error) => {
            assert_eq!((whole, visited), (Err(error), None));
            return;
        }
    };
    let whole = whole.unwrap_or_else(|error| panic!("only its rows can be read: {error}"));
    let row = |object: &Json| {
        let value = |value: Option<&Json>| value.cloned().unwrap_or_default();
        Json::from_iter([("n", value(object.get("a").and_then(|a| a.get("b")))), ("m", value(object.get("d")))])
    };
    match whole.as_array() {
        None => assert_eq!(read, row(&whole)),
        Some(all) => {
            assert_eq!(read, all.iter().map(row).collect());
            assert!(visited.is_none_or(|elements| elements == all.len() && elements == shown));
        }
    }
}
