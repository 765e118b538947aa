//! The options of a curl command line.

use super::{CurlError, expansions, options};

/// One piece of a body.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Data {
    pub(super) text: String,
    /// Whether it is to be encoded as a form's value (`--data-urlencode`).
    pub(super) encode: bool,
}

/// What a line says, its secrets too: it has no `Debug`. In the URL, the values of headers and the data, what a shell
/// would expand is [marked](expansions).
#[derive(Clone, Default)]
pub(super) struct Line {
    pub(super) url: String,
    pub(super) method: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) data: Vec<Data>,
    /// `--json`.
    pub(super) is_json: bool,
    /// `-G`: the data goes to the query.
    pub(super) as_query: bool,
    /// `-g`: brackets in the URL are text.
    pub(super) is_globoff: bool,
    /// `-u`.
    pub(super) user: Option<String>,
    /// Whether the user goes into a way to authenticate that there is not here: `--digest` and its like.
    pub(super) user_is_no_basic: bool,
    /// `--oauth2-bearer`.
    pub(super) bearer: Option<String>,
    pub(super) has_cookie: bool,
    /// Whether another request begins (`--next`).
    is_over: bool,
    pub(super) losses: Vec<String>,
}

/// Short options that take a value.
const SHORT_WITH_VALUE: &str = "AbcCdDeEFhHKmoPQrtTuUwxXyYz";

/// Those that take none.
const SHORT_FLAGS: &str = "#012346:aBfgGiIjJklLMnNOpqRsSvVZ";

impl Line {
    pub(super) fn parse(words: Vec<String>) -> Result<Self, CurlError> {
        let mut words = words.into_iter().peekable();
        // A prompt, or variables, may stand before it.
        while words.peek().is_some_and(|word| word == "$" || is_assignment(word)) {
            words.next();
        }
        if !words.next().is_some_and(|word| is_curl(&word)) {
            return Err(CurlError::new("is no curl command line: it does not begin with `curl`"));
        }
        let mut line = Self::default();
        let mut only_urls = false;
        while !line.is_over
            && let Some(word) = words.next()
        {
            if only_urls || !word.starts_with('-') || word == "-" {
                line.take_url(word);
            } else if word == "--" {
                only_urls = true;
            } else if let Some(name) = word.strip_prefix("--") {
                line.long(name, &mut words)?;
            } else {
                line.short(&word[1..], &mut words)?;
            }
        }
        if line.url.is_empty() {
            return Err(CurlError::new("the line has no URL"));
        }
        Ok(line)
    }

    fn take_url(&mut self, url: String) {
        if self.url.is_empty() {
            self.url = url;
            return;
        }
        let loss = match expansions::named(&url) {
            Some(named) => {
                format!("a shell puts something in place of {named} beside the URL: it is left out")
            }
            None => "of several URLs the first is taken".to_owned(),
        };
        if !self.losses.contains(&loss) {
            self.losses.push(loss);
        }
    }

    /// Short options stand together: `-sSLX POST`, `-XPOST`.
    fn short(&mut self, letters: &str, words: &mut impl Iterator<Item = String>) -> Result<(), CurlError> {
        let mut letters = letters;
        while let Some(letter) = letters.chars().next() {
            letters = letters.get(letter.len_utf8()..).unwrap_or_default();
            if SHORT_WITH_VALUE.contains(letter) {
                let value = if letters.is_empty() { words.next() } else { Some(letters.to_owned()) };
                let value = value.ok_or_else(|| CurlError::new(format!("-{letter} needs a value")))?;
                return self.option(long_name(letter), value);
            }
            if !SHORT_FLAGS.contains(letter) {
                return Err(CurlError::new(format!("curl has no option -{letter}")));
            }
            self.flag(long_name(letter));
            if self.is_over {
                break;
            }
        }
        Ok(())
    }

    fn long(&mut self, name: &str, words: &mut impl Iterator<Item = String>) -> Result<(), CurlError> {
        // An option whose value has variables in it is that option.
        let expanded = name.strip_prefix("expand-");
        let wanted = expanded.unwrap_or(name);
        // Nobody turns off what the same line turns on: it is off already.
        if wanted.strip_prefix("no-").and_then(options::find).is_some_and(|option| !option.takes_value) {
            return Ok(());
        }
        let option = options::find(wanted).ok_or_else(|| unknown(wanted))?;
        if expanded.is_some() {
            self.losses.push(format!("--expand-{}: variables are not put in", option.name));
        }
        if !option.takes_value {
            self.flag(option.name);
            return Ok(());
        }
        let value = words.next().ok_or_else(|| CurlError::new(format!("--{} needs a value", option.name)))?;
        self.option(option.name, value)
    }

    fn flag(&mut self, name: &str) {
        match name {
            "get" => self.as_query = true,
            "globoff" => self.is_globoff = true,
            "next" => {
                self.is_over = true;
                self.losses.push("of several requests the first is taken".to_owned());
            }
            "head" => self.method = Some("HEAD".to_owned()),
            "insecure" => self.losses.push("--insecure: certificates are always checked".to_owned()),
            "location" | "location-trusted" | "follow" => {
                self.losses.push("--location: redirects are followed within one origin only".to_owned());
            }
            "digest" | "ntlm" | "negotiate" => self.no_such_auth(name),
            _ => self.leave_out(name),
        }
    }

    fn option(&mut self, name: &str, value: String) -> Result<(), CurlError> {
        match name {
            "request" => self.method = Some(expansions::plain(&value)),
            "header" => self.header(&value),
            "data" | "data-ascii" | "data-binary" | "json" | "data-urlencode" if names_a_file(name, &value) => {
                return Err(CurlError::new(format!(
                    "--{name} reads a file: write what is in it in place of {:.100}",
                    expansions::plain(&value)
                )));
            }
            // Line ends are taken out of what is read from a file alone.
            "data" | "data-ascii" | "data-raw" | "data-binary" => self.data.push(Data { text: value, encode: false }),
            "data-urlencode" => self.data.push(Data { text: value, encode: true }),
            "json" => {
                self.is_json = true;
                self.data.push(Data { text: value, encode: false });
            }
            "user" => self.user = Some(value),
            "oauth2-bearer" => self.bearer = Some(value),
            "url" => self.take_url(value),
            "user-agent" => self.headers.push(("User-Agent".to_owned(), value)),
            "referer" => self.headers.push(("Referer".to_owned(), value)),
            "cookie" => self.has_cookie = true,
            "form" | "form-string" => {
                return Err(CurlError::new("a multipart body (-F) cannot be sent by an endpoint"));
            }
            "aws-sigv4" => self.no_such_auth(name),
            "upload-file" => return Err(CurlError::new("a file (-T) cannot be sent by an endpoint")),
            "url-query" => self.losses.push("--url-query is not read: write the query into the URL".to_owned()),
            // One number is where it begins.
            "range" => {
                let end = if value.contains('-') { "" } else { "-" };
                self.headers.push(("Range".to_owned(), format!("bytes={value}{end}")));
            }
            _ => self.leave_out(name),
        }
        Ok(())
    }

    fn leave_out(&mut self, option: &str) {
        let Some(advice) = advice(option) else { return };
        let loss = format!("--{option} is left out{advice}");
        if !self.losses.contains(&loss) {
            self.losses.push(loss);
        }
    }

    fn no_such_auth(&mut self, option: &str) {
        self.user_is_no_basic = true;
        self.losses.push(format!("--{option}: there is no such way to authenticate"));
    }

    fn header(&mut self, text: &str) {
        let (name, value) = match (text.split_once(':'), text.strip_suffix(';')) {
            (Some((name, value)), _) => (name.trim(), value.trim()),
            (None, Some(name)) => (name.trim(), ""),
            (None, None) => {
                self.losses.push("a header that is none is left out".to_owned());
                return;
            }
        };
        // A name without a value takes curl's own header away.
        if value.is_empty() && text.contains(':') {
            return;
        }
        self.losses.extend(expansions::loss("the name of a header", name));
        self.headers.push((expansions::plain(name), value.to_owned()));
    }
}

/// What to do without an option that an endpoint has nothing for. `None` of one that changes neither what is sent nor
/// where.
fn advice(option: &str) -> Option<&'static str> {
    Some(match option {
        "cert" | "key" => ": `callout call` takes a client's certificate and key by --client-identity",
        "cacert" | "capath" => ": `callout call` takes certificates to trust by --ca",
        "proxy" | "proxy1.0" => ": `callout call` takes a proxy by --proxy",
        "preproxy" | "socks4" | "socks4a" | "socks5" | "socks5-hostname" => ": there are no SOCKS proxies",
        "config" => ", for no file is read: write its options into the line",
        "netrc" | "netrc-file" | "netrc-optional" => ", for no file is read: write the user as -u",
        "etag-compare" => ", for no file is read: write the ETag as a header If-None-Match",
        "time-cond" => ": write it as a header If-Modified-Since",
        "continue-at" => ": write it as --range",
        "request-target" => ": the path of the URL is sent",
        "path-as-is" => ": what `..` in the path leads to is sent",
        "connect-to" | "resolve" | "unix-socket" | "abstract-unix-socket" => ": the host of the URL is called",
        _ => return None,
    })
}

/// curl refuses what it does not know, and nobody knows whether a value stands behind it.
fn unknown(name: &str) -> CurlError {
    let (name, has_value) = name.split_once('=').map_or((name, false), |(name, _)| (name, true));
    match options::find(name).filter(|_| has_value) {
        // The value may be a secret.
        Some(option) if option.takes_value => {
            CurlError::new(format!("curl takes `--{0} VALUE`, not `--{0}=VALUE`", option.name))
        }
        Some(option) => CurlError::new(format!("curl takes no value with --{}", option.name)),
        None => CurlError::new(format!("curl has no option --{:.50}", expansions::plain(name))),
    }
}

/// Whether a word calls the program.
pub(super) fn is_curl(word: &str) -> bool {
    word == "curl" || word == "curl.exe" || (word.ends_with("/curl") && !is_assignment(word))
}

/// Whether a word before a command sets a variable.
fn is_assignment(word: &str) -> bool {
    let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(is_of_a_name))
}

/// Whether the value names a file. `--data-urlencode` has its own way, `name@file`, and is cut at its `=` first.
fn names_a_file(option: &str, value: &str) -> bool {
    if option == "data-urlencode" {
        return value.contains('@') && !value.contains('=');
    }
    value.starts_with('@')
}

const fn long_name(letter: char) -> &'static str {
    match letter {
        'X' => "request",
        'H' => "header",
        'd' => "data",
        'u' => "user",
        'b' => "cookie",
        'A' => "user-agent",
        'e' => "referer",
        'F' => "form",
        'T' => "upload-file",
        'C' => "continue-at",
        'E' => "cert",
        'K' => "config",
        'n' => "netrc",
        'r' => "range",
        'x' => "proxy",
        'z' => "time-cond",
        'G' => "get",
        'g' => "globoff",
        'I' => "head",
        'k' => "insecure",
        'L' => "location",
        ':' => "next",
        _ => "",
    }
}
