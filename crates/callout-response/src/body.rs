//! Bytes of a response to a value.

use std::{borrow::Cow, cell::Cell};

use callout_core::{
    Error, ErrorKind,
    json::{Json, ObjectBuilder, ReadError, ReadErrorKind, Whole},
    limits::Limits,
    redact::Redactor,
};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use crate::plan;

/// Statuses whose answers have no content (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5).
const WITHOUT_BODY: [u16; 3] = [204, 205, 304];

/// Whether an answer has anything to read.
pub(crate) fn has_body(status: u16, bytes: &[u8]) -> bool {
    !WITHOUT_BODY.contains(&status) && !bytes.is_empty()
}

/// Characters of a content type that are kept.
const LONGEST_TYPE: usize = 200;

/// Reads the body of a response.
///
/// In this order:
/// 1. A status without content (204, 205, 304), no bytes, or only white space: `null`.
/// 2. What is JSON is JSON, whatever its content type says: a byte order mark is dropped, half a
///    surrogate pair becomes U+FFFD, of duplicate names the last wins. UTF-8 is tried first, then what
///    a byte order mark or the content type's `charset` names.
/// 3. Text stays a string: what such a `charset` decodes, and all other UTF-8 (JSON lines, CSV, HTML).
///    Bytes that are not UTF-8 are text if the content type is one of text: `text/*`, `*/*+xml`, `*/*+json`, XML,
///    JSON, JavaScript, YAML, forms. XML and HTML are read in the encoding that they name themselves
///    (`<?xml … encoding="…"?>`, `<meta charset="…">`), all else in Windows-1252, as browsers do. An encoding that
///    is named otherwise than browsers name it is known too (`cp932`, `EUC_JP`).
/// 4. All else is binary: `{"content_type": "image/png", "bytes": 1234}`; the type is `null` where none
///    was sent. What holds NUL is binary too, and so is what holds other control characters that
///    text has no use for and is not sent as text; and so are images, audio, video and fonts that are
///    not UTF-8, `charset` or not, and text that is not UTF-8 and names a `charset` that is not known.
///
/// # Errors
///
/// [`ErrorKind::LimitExceeded`] if JSON nests deeper than `max_json_depth`.
///
/// ```
/// use callout_core::limits::Limits;
/// use callout_response::read_body;
///
/// let limits = Limits::default();
/// let read = |content_type, bytes: &[u8]| read_body(200, Some(content_type), bytes, &limits).map(|body| body.to_string());
/// assert_eq!(read("text/html", b"{\"a\": 1.10}")?, r#"{"a":1.10}"#);
/// assert_eq!(read("text/plain; charset=iso-8859-1", b"caf\xe9")?, "\"café\"");
/// assert_eq!(read("image/png", b"\x89PNG\0")?, r#"{"content_type":"image/png","bytes":5}"#);
/// # Ok::<(), callout_core::Error>(())
/// ```
pub fn read_body(status: u16, content_type: Option<&str>, bytes: &[u8], limits: &Limits) -> Result<Json, Error> {
    if !has_body(status, bytes) {
        return Ok(Json::Null);
    }
    let options = plan::options(limits);
    json_of(options.read(bytes)).unwrap_or_else(|| read_text(content_type, bytes, limits))
}

/// A body, and whether it is known to hold none of the secrets that were asked about.
#[derive(Clone, Debug)]
pub struct Read {
    /// The body.
    pub body: Json,
    /// Whether there is nothing to mask in it.
    pub is_clean: bool,
    /// Whether the bytes are known to be, one by one, what the body is written as in compact JSON.
    pub is_compact: bool,
}

/// As [`read_body`], and finds out at little cost whether there is anything to mask.
///
/// # Errors
///
/// As [`read_body`].
pub fn read_clean(
    status: u16,
    content_type: Option<&str>,
    bytes: &[u8],
    limits: &Limits,
    redactor: &Redactor,
) -> Result<Read, Error> {
    let other = |body| Read { body, is_clean: redactor.is_empty(), is_compact: false };
    if !has_body(status, bytes) || redactor.may_match(bytes) {
        return read_body(status, content_type, bytes, limits).map(other);
    }
    // What is written with escapes does not stand in the bytes as it is.
    let is_clean = Cell::new(true);
    let may_pass = |text: &str| {
        is_clean.set(is_clean.get() && !redactor.may_match(text.as_bytes()));
        true
    };
    let may_pass: Option<&dyn Fn(&str) -> bool> = if redactor.is_empty() { None } else { Some(&may_pass) };
    match plan::options(limits).read_whole(bytes, may_pass) {
        Ok(Whole { value, is_compact }) => Ok(Read { body: value, is_clean: is_clean.get(), is_compact }),
        // Text in another encoding has other bytes.
        Err(error) => json_error(error).unwrap_or_else(|| read_text(content_type, bytes, limits)).map(other),
    }
}

/// What is not JSON in UTF-8: JSON in another encoding, text, or binary.
fn read_text(content_type: Option<&str>, bytes: &[u8], limits: &Limits) -> Result<Json, Error> {
    let media = Media::new(content_type.unwrap_or_default());
    if let Some(text) = decoded(&media, bytes) {
        // A text in UTF-8 has been tried above.
        let read = match &text {
            Cow::Owned(text) => json_of(plan::options(limits).read(text.as_bytes())),
            Cow::Borrowed(_) => None,
        };
        return read.unwrap_or_else(|| Ok(text.into_owned().into()));
    }
    let content_type = content_type.map(|text| text.trim().chars().take(LONGEST_TYPE).collect::<String>());
    Ok(ObjectBuilder::new().with("content_type", content_type).with("bytes", bytes.len()).into())
}

/// `None` if it is not JSON.
fn json_of(read: Result<Json, ReadError>) -> Option<Result<Json, Error>> {
    match read {
        Ok(json) => Some(Ok(json)),
        Err(error) => json_error(error),
    }
}

/// `None` if that says that it is not JSON.
fn json_error(error: ReadError) -> Option<Result<Json, Error>> {
    match error.kind() {
        ReadErrorKind::Empty => Some(Ok(Json::Null)),
        ReadErrorKind::TooDeep(max) => Some(Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("the response body nests deeper than {max} levels (`max_json_depth`)"),
        ))),
        _ => None,
    }
}

/// A content type (RFC 9110 section 8.3), as far as it tells text from binary.
struct Media {
    /// `type/subtype` in lower case.
    essence: String,
    charset: Charset,
}

#[derive(Clone, Copy)]
enum Charset {
    Unnamed,
    Known(&'static Encoding),
    /// Named, and nothing that can be decoded.
    Unknown,
}

impl Charset {
    fn of(name: &str) -> Self {
        if name.is_empty() {
            return Self::Unnamed;
        }
        let name = name.to_ascii_lowercase();
        // As browsers name them (the Encoding Standard), or as other programs do.
        let known = Encoding::for_label(name.as_bytes()).or_else(|| {
            let name = name.replace('_', "-");
            let label = match name.as_str() {
                "cp932" | "windows-932" => "shift_jis",
                "cp936" | "ms936" | "windows-936" | "euc-cn" => "gbk",
                "cp949" | "ms949" | "uhc" => "euc-kr",
                "cp950" | "ms950" | "windows-950" => "big5",
                "cp65001" => "utf-8",
                "latin-1" | "iso-latin-1" | "8859-1" | "windows1252" => "windows-1252",
                other => other,
            };
            Encoding::for_label(label.as_bytes())
        });
        known.map_or(Self::Unknown, Self::Known)
    }
}

impl Media {
    fn new(content_type: &str) -> Self {
        let mut parts = content_type.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let charset = parts.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            let value = value.trim().trim_matches(['"', '\'']).trim();
            name.trim().eq_ignore_ascii_case("charset").then(|| Charset::of(value))
        });
        Self { essence, charset: charset.unwrap_or(Charset::Unnamed) }
    }

    fn is_text(&self) -> bool {
        const TEXT: [&str; 10] = [
            "application/json",
            "application/xml",
            "application/javascript",
            "application/ecmascript",
            "application/yaml",
            "application/x-yaml",
            "application/x-ndjson",
            "application/graphql",
            "application/sql",
            "application/x-www-form-urlencoded",
        ];
        self.essence.starts_with("text/")
            || self.essence.ends_with("+xml")
            || self.essence.ends_with("+json")
            || self.essence.ends_with("+yaml")
            || TEXT.contains(&self.essence.as_str())
    }

    /// Whether texts of that type may name their encoding.
    fn is_markup(&self) -> bool {
        self.essence.ends_with("+xml") || ["text/html", "text/xml", "application/xml"].contains(&self.essence.as_str())
    }

    /// The bytes in that encoding, if all of them are and the result is text.
    fn whole<'b>(&self, encoding: &'static Encoding, bytes: &'b [u8]) -> Option<Cow<'b, str>> {
        let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
        self.reads_as_text(&text).then_some(text)
    }

    /// Whether it has only characters that text is made of, escape and form feed among them. What
    /// is sent as text may have others too, but not NUL.
    fn reads_as_text(&self, text: &str) -> bool {
        let control = |byte: u8| matches!(byte, 0x01..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f);
        let declared = self.is_text();
        !text.bytes().any(|byte| byte == 0 || (!declared && control(byte)))
    }

    /// Kinds of media that are never text in another charset than UTF-8.
    fn is_media(&self) -> bool {
        ["image/", "audio/", "video/", "font/"].iter().any(|kind| self.essence.starts_with(kind)) && !self.is_text()
    }
}

/// The body as text; `None` if it is binary.
fn decoded<'b>(media: &Media, bytes: &'b [u8]) -> Option<Cow<'b, str>> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return media.whole(encoding, bytes.get(mark..)?);
    }
    if let Charset::Known(charset) = media.charset
        && charset != UTF_8
        && !media.is_media()
        && let Some(text) = media.whole(charset, bytes)
    {
        return Some(text);
    }
    match (std::str::from_utf8(bytes), media.charset) {
        (Ok(text), _) => media.reads_as_text(text).then_some(Cow::Borrowed(text)),
        (Err(_), Charset::Unnamed | Charset::Known(_)) if media.is_text() => {
            let named = if media.is_markup() { named_within(bytes) } else { None };
            let read = named.and_then(|encoding| media.whole(encoding, bytes));
            read.or_else(|| media.whole(WINDOWS_1252, bytes))
        }
        (Err(_), _) => None,
    }
}

/// The encoding that a text in markup names itself: in an XML declaration (RFC 7303 section 3.2) or in a `meta` tag.
fn named_within(bytes: &[u8]) -> Option<&'static Encoding> {
    /// As far as browsers look.
    const SEARCHED: usize = 1024;
    let begin = bytes.iter().take(SEARCHED).map(|byte| char::from(byte.to_ascii_lowercase())).collect::<String>();
    let declaration = if begin.starts_with("<?xml") { begin.split_once("?>") } else { None };
    let name = declaration.and_then(|(declaration, _)| value_of("encoding", declaration)).or_else(|| {
        // `<metadata>` is another.
        let ends_here = |rest: &&str| rest.starts_with(|next: char| next.is_ascii_whitespace() || next == '/');
        let tags = begin.split("<meta").skip(1).filter(ends_here);
        tags.filter_map(|rest| rest.split_once('>')).find_map(|(tag, _)| value_of("charset", tag))
    })?;
    match Charset::of(name) {
        // What could be read so far is no UTF-16.
        Charset::Known(encoding) if encoding.is_ascii_compatible() => Some(encoding),
        Charset::Known(_) | Charset::Unknown | Charset::Unnamed => None,
    }
}

/// What stands behind a name and its `=`, in quotes or not.
fn value_of<'t>(name: &str, text: &'t str) -> Option<&'t str> {
    let (_, behind) = text.split_once(name)?;
    let value = behind.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    value.split(|found: char| found.is_whitespace() || "\"';/".contains(found)).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, content_type: &str, bytes: &[u8]) -> String {
        let content_type = Some(content_type).filter(|content_type| !content_type.is_empty());
        match read_body(status, content_type, bytes, &Limits::default()) {
            Ok(body) => body.to_string(),
            Err(error) => format!("{}: {error}", error.kind()),
        }
    }

    #[test]
    fn bodies_of_every_kind() {
        let utf16: Vec<u8> = "\u{feff}{\"é\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf16_text: Vec<u8> = "é".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let deep = [vec![b'['; 129], vec![b']'; 129]].concat();
        let bomb = vec![b'['; 100_000];
        let table: [(u16, &str, &[u8], &str); 56] = [
            // Nothing
            (204, "application/json", b"{}", "null"),
            (205, "", b"x", "null"),
            (304, "", b"x", "null"),
            (200, "application/json", b"", "null"),
            (200, "", b" \r\n\t", "null"),
            (200, "", b"\xef\xbb\xbf", "null"),
            // JSON, whatever it is called
            (200, "application/json", b" {\"b\": 1, \"a\": [1.10, 1e5]} ", r#"{"b":1,"a":[1.10,1e5]}"#),
            (200, "application/problem+json", b"{\"a\":1}", r#"{"a":1}"#),
            (200, "application/fhir+json; fhirVersion=4.0", b"{\"a\":1}", r#"{"a":1}"#),
            (200, "text/html; charset=utf-8", b"[1]", "[1]"),
            (200, "image/png", b"true", "true"),
            (200, "", b"\"text\"", "\"text\""),
            (200, "text/plain", b"42", "42"),
            (500, "text/plain", b"null", "null"),
            (200, "", b"\xef\xbb\xbf{\"a\":1}", r#"{"a":1}"#),
            (200, "", b"{\"a\":1,\"b\":2,\"a\":3}", r#"{"a":3,"b":2}"#),
            (200, "", b"[12345678901234567890123]", "[12345678901234567890123]"),
            (200, "", b"\"\\ud83d \\u0000\"", "\"\u{fffd} \\u0000\""),
            (200, "application/json; charset=iso-8859-1", b"{\"a\":\"\xe9\"}", "{\"a\":\"é\"}"),
            (200, "application/json; charset=iso-8859-1", "{\"a\":\"é\"}".as_bytes(), "{\"a\":\"é\"}"),
            (200, "application/json", &utf16, "{\"é\":1}"),
            (200, "application/json", b"{\"a\":\"\xe9\"}", "{\"a\":\"é\"}"),
            // Text
            (200, "application/json", b"<html></html>", "\"<html></html>\""),
            (200, "application/json", b"{\"a\":1", "\"{\\\"a\\\":1\""),
            (200, "application/x-ndjson", b"{\"a\":1}\n{\"a\":2}\n", "\"{\\\"a\\\":1}\\n{\\\"a\\\":2}\\n\""),
            (200, "application/xml", b"<a>\xc3\xa9</a>", "\"<a>é</a>\""),
            (200, "text/plain; charset=iso-8859-1", b"caf\xe9", "\"café\""),
            (200, "text/plain; Charset=\"ISO-8859-1\"", b"caf\xe9", "\"café\""),
            (200, "text/plain; charset=shift_jis", b"\x93\xfa\x96{", "\"日本\""),
            (200, "text/plain; charset=cp932", b"\x93\xfa\x96{", "\"日本\""),
            (200, "text/plain; charset=EUC_JP", b"\xc6\xfc\xcb\xdc", "\"日本\""),
            (200, "text/plain; charset=cp936", b"\xd6\xd0", "\"中\""),
            (200, "text/plain; charset=CP950", b"\xa4\xa4", "\"中\""),
            (200, "application/json; charset=cp949", b"{\"a\":\"\xb0\xa1\"}", "{\"a\":\"가\"}"),
            (200, "text/plain; charset=latin-1", b"caf\xe9", "\"café\""),
            (200, "text/plain; charset=", b"caf\xe9", "\"café\""),
            (200, "text/plain; charset=utf-16be", &utf16_text, "\"é\""),
            (200, "text/plain; charset=nonsense", "é".as_bytes(), "\"é\""),
            (200, "text/plain", b"caf\xe9", "\"café\""),
            (200, "text/html; charset=utf-8", b"caf\xe9", "\"café\""),
            (200, "image/svg+xml", b"<svg>\xe9</svg>", "\"<svg>é</svg>\""),
            (200, "application/octet-stream", b"plain text", "\"plain text\""),
            (200, "", b"OK\r\n", "\"OK\\r\\n\""),
            (200, "", b"\xef\xbb\xbfhello", "\"hello\""),
            // Binary
            (200, "image/png", b"\x89PNG\r\n\x1a\n\0", r#"{"content_type":"image/png","bytes":9}"#),
            (200, "", b"\xff\xd8\xff\xe0", r#"{"content_type":null,"bytes":4}"#),
            (200, "application/pdf", b"%PDF-\xe2\xe3", r#"{"content_type":"application/pdf","bytes":7}"#),
            (200, "text/plain", b"a\0b", r#"{"content_type":"text/plain","bytes":3}"#),
            (
                200,
                "x-application/hl7-v2+er7",
                b"\x0bMSH|\x1c",
                r#"{"content_type":"x-application/hl7-v2+er7","bytes":6}"#,
            ),
            (200, "text/hl7v2", b"\x0bMSH|\x1c", "\"\\u000bMSH|\\u001c\""),
            (
                200,
                "text/plain; charset=IBM850",
                b"caf\x82",
                r#"{"content_type":"text/plain; charset=IBM850","bytes":4}"#,
            ),
            (200, " application/zip ", b"PK\x03\x04", r#"{"content_type":"application/zip","bytes":4}"#),
            (
                200,
                "image/jpeg; charset=latin1",
                b"\xff\xd8",
                r#"{"content_type":"image/jpeg; charset=latin1","bytes":2}"#,
            ),
            // Too deep
            (200, "", &deep, "limit_exceeded: the response body nests deeper than 128 levels (`max_json_depth`)"),
            (200, "", &bomb, "limit_exceeded: the response body nests deeper than 128 levels (`max_json_depth`)"),
            (200, "text/plain", b"[not json]", "\"[not json]\""),
        ];
        for (status, content_type, bytes, expected) in table {
            assert_eq!(read(status, content_type, bytes), expected, "{status} {content_type} {}", bytes.escape_ascii());
        }
    }

    #[test]
    fn markup_is_read_in_the_encoding_that_it_names() {
        let table: [(&str, &[u8], &str); 12] = [
            (
                "text/xml",
                b"<?xml version=\"1.0\" encoding=\"windows-1251\"?><a>\xcf\xf0</a>",
                r#""<?xml version=\"1.0\" encoding=\"windows-1251\"?><a>Пр</a>""#,
            ),
            (
                "application/soap+xml",
                b"<?xml version='1.0' encoding = 'EUC-KR' standalone='no'?>\xb0\xa1",
                "\"<?xml version='1.0' encoding = 'EUC-KR' standalone='no'?>가\"",
            ),
            ("text/html", b"<meta charset=Shift_JIS>\x93\xfa\x96{", "\"<meta charset=Shift_JIS>日本\""),
            ("text/html", b"<meta name=x><META CHARSET='gbk' />\xd6\xd0", "\"<meta name=x><META CHARSET='gbk' />中\""),
            (
                "text/html; charset=utf-8",
                b"<meta http-equiv=content-type content='text/html; charset=iso-8859-2'>\xb1",
                "\"<meta http-equiv=content-type content='text/html; charset=iso-8859-2'>ą\"",
            ),
            // The content type comes before it, and so do a byte order mark and UTF-8.
            ("text/html; charset=cp1251", b"<meta charset=gbk>\xcf", "\"<meta charset=gbk>П\""),
            ("text/xml", "<?xml encoding='gbk'?>é".as_bytes(), "\"<?xml encoding='gbk'?>é\""),
            // What cannot be, what is not known, and what is no markup.
            ("text/xml", b"<?xml encoding='utf-16'?>\xe9", "\"<?xml encoding='utf-16'?>é\""),
            ("text/xml", b"<?xml encoding='utf-8'?>\xe9", "\"<?xml encoding='utf-8'?>é\""),
            ("text/html", b"<meta charset=none><p>\xe9", "\"<meta charset=none><p>é\""),
            ("text/plain", b"<meta charset=gbk>\xd6\xd0", "\"<meta charset=gbk>ÖÐ\""),
            ("text/xml", b"<metadata charset=gbk>\xd6\xd0", "\"<metadata charset=gbk>ÖÐ\""),
        ];
        for (content_type, bytes, expected) in table {
            assert_eq!(read(200, content_type, bytes), expected, "{content_type} {}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_content_type_is_kept_within_bounds() {
        let body = read_body(200, Some(&"a".repeat(1000)), b"\0", &Limits::default()).unwrap();
        assert_eq!(body.get("content_type").and_then(Json::as_str).map(str::len), Some(200));
    }
}
