//! The bodies that templates are rendered over.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Body {
    Small,
    /// One string of 10 MB.
    Text,
    /// 200,000 numbers.
    Numbers,
    /// 20,000 objects.
    Objects,
    /// 100,000 members.
    Members,
    /// A million members, as many as 10 MB hold, and beside each other at the top.
    Wide,
    /// Ten members with names of 1 MB each.
    LongNames,
    /// Numbers of a million digits.
    Digits,
    /// Numbers that take long to read: halfway between two floats but for the last digits.
    Halves,
    /// 10,000 whole numbers of 39 digits.
    Longest,
    /// 60,000 numbers of 309 digits, written short.
    Large,
    /// Letters that are three in upper case.
    Greek,
    /// Letters that it takes long to tell from other characters.
    Thai,
    /// Digits of which that is so.
    ThaiDigits,
    /// 1,300,000 words of one letter, and 1.1 MB of blanks.
    Words,
    /// 128 levels.
    Deep,
}

impl Body {
    pub(crate) fn text(self) -> String {
        let list = |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(",");
        match self {
            Self::Small => r#"{"a": {"b": [1, 2, 3]}, "s": "text"}"#.to_owned(),
            Self::Text => format!("{{\"s\": \"{}\", \"a\": [1]}}", "ab \\u00e9,".repeat(10 << 17)),
            Self::Numbers => {
                format!("{{\"a\": [{}], \"s\": \"x\"}}", list(200_000, &|at| ((at * 7919) % 200_000).to_string()))
            }
            Self::Objects => {
                let object =
                    |at: usize| format!(r#"{{"id": {at}, "k": "key {}", "v": {{"w": [{at}]}}}}"#, (at * 7919) % 20_000);
                format!("{{\"a\": [{}], \"s\": \"x\"}}", list(20_000, &object))
            }
            Self::Members => {
                format!("{{\"a\": {{{}}}, \"s\": \"x\"}}", list(100_000, &|at| format!("\"key {at}\": {at}")))
            }
            Self::Wide => format!("{{{}, \"s\": \"x\"}}", list(1_000_000, &|at| format!("\"{at}\":1"))),
            Self::LongNames => {
                let name = "a".repeat(1_000_000);
                format!("{{\"a\": {{{}}}, \"s\": \"{name}0\"}}", list(10, &|at| format!("\"{name}{at}\": {at}")))
            }
            Self::Digits => {
                let digits = "123456789".repeat(111_111);
                format!(
                    "{{\"n\": {digits}, \"f\": 0.{digits}, \"z\": 0.{}1, \"s\": \"{digits}\", \"a\": [1]}}",
                    "0".repeat(1_000_000)
                )
            }
            Self::Halves => format!(
                "{{\"a\": [{}], \"b\": [{}], \"c\": [{}], \"t\": [{}]}}",
                list(3_000, &|_| "9007199254740993.0000001".to_owned()),
                list(10_000, &|_| "1.000000000000000126855606e+300".to_owned()),
                list(10_000, &|_| "1.000000000000000107949552e-300".to_owned()),
                list(10_000, &|_| "\"1.000000000000000107949552e-300\"".to_owned()),
            ),
            Self::Longest => format!("{{\"a\": [{}]}}", list(10_000, &|at| (i128::MAX - at as i128).to_string())),
            Self::Large => format!("{{\"a\": [{}]}}", list(60_000, &|_| "1.7976931348623157e308".to_owned())),
            Self::Greek => format!("{{\"s\": \"{}\"}}", "ΐ".repeat(3_800_000)),
            Self::Thai => format!("{{\"s\": \"{}\"}}", "ก".repeat(2_533_333)),
            Self::ThaiDigits => format!("{{\"s\": \"{}\"}}", "๐".repeat(2_533_333)),
            Self::Words => {
                format!("{{\"s\": \"{}\", \"b\": \"{}\"}}", "a ".repeat(1_300_000), " ".repeat(1_100_000))
            }
            Self::Deep => format!("{{\"a\": {}{}, \"s\": \"x\"}}", "[".repeat(127), "]".repeat(127)),
        }
    }
}
