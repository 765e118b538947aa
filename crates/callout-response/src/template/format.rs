//! Filling values into a pattern: `"%.2f"|format(x)` and `"{:,.2f}".format(x)`.

use callout_core::json::Json;

use super::{
    budget::Meter,
    fault::{Fail, Outcome},
    ops::Num,
    value::{Val, kind, text},
};

/// Wider fields, and more digits, are not formatted.
const MAX_WIDTH: usize = 1000;
const MAX_PRECISION: usize = 40;
/// A float is written with all its digits before they are cut: as much work as so many values.
const FLOAT_VALUES: usize = 100;

/// How one value is written.
#[derive(Clone, Debug, Default)]
struct Field {
    fill: Option<char>,
    /// `<`, `^`, `>`, or `=` for what is filled behind its sign.
    align: Option<char>,
    plus: Option<char>,
    /// Whether a base has its prefix, and a float its point and the zeros that `g` leaves out.
    alternate: bool,
    /// Whether it is filled with zeros, if not with another character.
    zero: bool,
    width: usize,
    group: bool,
    precision: Option<usize>,
    conversion: Option<char>,
}

impl Field {
    fn filling(&self) -> char {
        self.fill.unwrap_or(if self.zero { '0' } else { ' ' })
    }
}

/// The pattern with each `%…` replaced by the next value; `%(name)…` by a member of the first.
pub(super) fn printf(pattern: &str, args: &[Val], meter: &Meter) -> Outcome<Json> {
    let mut out = String::new();
    let mut next = args.iter();
    let mut rest = pattern;
    while let Some((before, spec)) = rest.split_once('%') {
        meter.write(before.len())?;
        out.push_str(before);
        if let Some(behind) = spec.strip_prefix('%') {
            out.push('%');
            rest = behind;
            continue;
        }
        let (name, spec) = match spec.strip_prefix('(').and_then(|spec| spec.split_once(')')) {
            Some((name, spec)) => (Some(name), spec),
            None => (None, spec),
        };
        let mut reader = Reader { rest: spec };
        let mut field = Field::default();
        while let Some(flag) = reader.one_of("-+ 0#") {
            match flag {
                '-' => field.align = Some('<'),
                '0' => field.zero = true,
                '#' => field.alternate = true,
                // A `+` wins, wherever it stands.
                ' ' => field.plus = field.plus.or(Some(' ')),
                sign => field.plus = Some(sign),
            }
        }
        field.width = reader.number(MAX_WIDTH)?.unwrap_or(0);
        field.precision = reader.precision()?;
        let conversion = reader.next().ok_or_else(|| Fail::new("the pattern ends inside a field"))?;
        if !"sdiufFeEgGxXoc".contains(conversion) {
            return Err(Fail::new(format!("unknown conversion {conversion:?} in the pattern")));
        }
        field.conversion = Some(match conversion {
            'i' | 'u' => 'd',
            other => other,
        });
        let value = match name {
            Some(name) => match args.first().map(|first| &first.json) {
                Some(Json::Object(members)) => super::ops::member(members, name, meter)?,
                _ => None,
            },
            None => next.next().map(|value| &value.json),
        };
        let value = value.ok_or_else(|| Fail::new("the pattern has more fields than there are values"))?;
        // Zeros stand before digits alone, and not behind them.
        field.zero &= field.align.is_none() && !matches!(conversion, 's' | 'c');
        put(&mut out, &field, value, if field.zero { '=' } else { '>' }, meter)?;
        rest = reader.rest;
    }
    meter.write(rest.len())?;
    out.push_str(rest);
    Ok(out.into())
}

/// The pattern with each `{}` replaced by the next value, each `{2}` by the third.
pub(super) fn braces(pattern: &str, args: &[Val], meter: &Meter) -> Outcome<Json> {
    let mut out = String::new();
    let mut next = 0_usize;
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, field) = rest.split_at(at);
        meter.write(before.len())?;
        out.push_str(before);
        if let Some(behind) = field.strip_prefix("{{").or_else(|| field.strip_prefix("}}")) {
            out.extend(field.chars().next());
            rest = behind;
            continue;
        }
        let inside = field.strip_prefix('{').and_then(|field| field.split_once('}'));
        let (inside, behind) = inside.ok_or_else(|| Fail::new("a brace in the pattern has no other half"))?;
        rest = behind;
        let (name, spec) = inside.split_once(':').unwrap_or((inside, ""));
        let position = if name.is_empty() {
            next += 1;
            next - 1
        } else {
            name.parse().map_err(|_| Fail::new("fields of a pattern are numbered: {0}, or have no name: {}"))?
        };
        let value = args.get(position).ok_or_else(|| Fail::new("the pattern has more fields than there are values"))?;
        let field = brace_field(spec)?;
        let align = match value.json {
            Json::Number(_) | Json::Bool(_) if field.zero => '=',
            Json::Number(_) | Json::Bool(_) => '>',
            _ => '<',
        };
        put(&mut out, &field, &value.json, align, meter)?;
    }
    meter.write(rest.len())?;
    out.push_str(rest);
    Ok(out.into())
}

/// `[[fill]align][sign][#][0][width][,][.precision][conversion]`
fn brace_field(spec: &str) -> Outcome<Field> {
    let mut field = Field::default();
    let mut reader = Reader { rest: spec };
    let mut chars = spec.chars();
    if let (Some(fill), Some(align @ ('<' | '>' | '^' | '='))) = (chars.next(), chars.next()) {
        (field.fill, field.align) = (Some(fill), Some(align));
        reader.rest = chars.as_str();
    } else {
        field.align = reader.one_of("<>^=");
    }
    field.plus = reader.one_of("+- ").filter(|sign| *sign != '-');
    field.alternate = reader.one_of("#").is_some();
    field.zero = reader.one_of("0").is_some();
    field.width = reader.number(MAX_WIDTH)?.unwrap_or(0);
    field.group = reader.one_of(",").is_some();
    field.precision = reader.precision()?;
    field.conversion = reader.one_of("sdfFeEgGxXob%");
    if reader.rest.is_empty() { Ok(field) } else { Err(Fail::new("a field of the pattern is not understood")) }
}

struct Reader<'s> {
    rest: &'s str,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let found = chars.next();
        self.rest = chars.as_str();
        found
    }

    fn one_of(&mut self, wanted: &str) -> Option<char> {
        let found = self.rest.chars().next().filter(|found| wanted.contains(*found))?;
        self.next();
        Some(found)
    }

    fn number(&mut self, max: usize) -> Outcome<Option<usize>> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        if number.is_empty() {
            return Ok(None);
        }
        let too_large = || Fail::new(format!("a field of the pattern is wider than {max}"));
        number.parse().ok().filter(|number| *number <= max).map(Some).ok_or_else(too_large)
    }

    fn precision(&mut self) -> Outcome<Option<usize>> {
        match self.one_of(".") {
            Some(_) => Ok(Some(self.number(MAX_PRECISION)?.unwrap_or(0))),
            None => Ok(None),
        }
    }
}

/// Writes one value, aligned in this way if the field does not say how.
fn put(out: &mut String, field: &Field, value: &Json, align: char, meter: &Meter) -> Outcome<()> {
    let align = field.align.unwrap_or(align);
    let is_number = match value {
        Json::Number(_) => align == '=' || field.precision.is_some(),
        Json::Bool(_) => align == '=',
        _ => false,
    };
    let (sign, digits) = match (field.conversion, value) {
        (None, _) if is_number || field.group || field.plus.is_some() || field.alternate => {
            signed(value, field, align, meter)?
        }
        // What is written as a text has no sign, whatever it was.
        (None | Some('s'), _) => {
            let whole = text(value, meter)?;
            // Cut before it is copied: what is charged is what is left.
            let end = field.precision.and_then(|max| whole.char_indices().nth(max)).map_or(whole.len(), |(end, _)| end);
            (String::new(), whole[..end].to_owned())
        }
        (Some('c'), Json::String(text)) => (String::new(), text.chars().take(1).collect()),
        _ => signed(value, field, align, meter)?,
    };
    let missing = field.width.saturating_sub(sign.chars().count() + digits.chars().count());
    meter.write(sign.len() + digits.len() + missing * 4)?;
    let (left, inside) = match align {
        '<' => (0, 0),
        '^' => (missing / 2, 0),
        '=' => (0, missing),
        _ => (missing, 0),
    };
    let fill = |out: &mut String, count: usize| out.extend(std::iter::repeat_n(field.filling(), count));
    fill(out, left);
    out.push_str(&sign);
    fill(out, inside);
    out.push_str(&digits);
    fill(out, missing - left - inside);
    Ok(())
}

/// A number's sign, with the prefix of its base, and its digits.
fn signed(value: &Json, field: &Field, align: char, meter: &Meter) -> Outcome<(String, String)> {
    let conversion = field.conversion.unwrap_or(' ');
    meter.visit(FLOAT_VALUES)?;
    let number = Num::of(value, meter)?
        .ok_or_else(|| Fail::new(format!("a number was to be formatted, and there is {}", kind(value))))?;
    meter.calculate(number.digits_to_write(field.precision.unwrap_or(0)))?;
    let negative = match number {
        Num::Int(number) => number < 0,
        // Of what is nearer to zero nothing is left, and no sign.
        Num::Float(number) if conversion == 'd' => number <= -1.0,
        Num::Float(number) => number.is_sign_negative(),
    };
    let mut sign = match field.plus {
        _ if negative => "-".to_owned(),
        Some(sign) => sign.to_string(),
        None => String::new(),
    };
    let precision = field.precision.unwrap_or(6);
    let mut digits = match (conversion, number) {
        // Whole whatever the precision, where Python fails: an API may well write 5 for 5.0 now and then.
        ('d' | ' ', Num::Int(number)) => number.unsigned_abs().to_string(),
        ('d', Num::Float(number)) => format!("{:.0}", number.trunc().abs()),
        (' ', Num::Float(number)) if field.precision.is_some() => {
            general(number.abs(), precision.max(1), 'g', true, field.alternate)
        }
        (' ', Num::Float(_)) => number.into_json()?.to_string().trim_start_matches('-').to_owned(),
        ('x' | 'X' | 'o' | 'b', Num::Int(number)) => {
            let number = number.unsigned_abs();
            let (prefix, text) = match conversion {
                'x' => ("0x", format!("{number:x}")),
                'X' => ("0X", format!("{number:X}")),
                'o' => ("0o", format!("{number:o}")),
                _ => ("0b", format!("{number:b}")),
            };
            if field.alternate {
                sign.push_str(prefix);
            }
            text
        }
        ('x' | 'X' | 'o' | 'b' | 'c', _) => return Err(Fail::new("only a whole number can be written so")),
        ('e' | 'E', _) => exponent(number.as_f64().abs(), precision, conversion),
        ('g' | 'G', _) => general(number.as_f64().abs(), precision.max(1), conversion, false, field.alternate),
        ('%', _) => format!("{:.precision$}%", number.as_f64().abs() * 100.0),
        _ => fixed(value, number, precision),
    };
    if let ('d' | 'x' | 'X' | 'o' | 'b', Some(least)) = (conversion, field.precision) {
        digits = format!("{digits:0>least$}");
    }
    let is_whole = matches!((conversion, number), ('d' | 'x' | 'X' | 'o' | 'b', _) | (' ', Num::Int(_)));
    if field.alternate && !is_whole {
        digits = pointed(&digits);
    }
    if field.group {
        let zeros = align == '=' && field.filling() == '0';
        digits = grouped(&digits, if zeros { field.width.saturating_sub(sign.len()) } else { 0 });
    }
    Ok((sign, digits))
}

/// Whole numbers keep their digits, however many.
fn fixed(value: &Json, number: Num, precision: usize) -> String {
    match (number, value) {
        (Num::Int(number), _) if precision == 0 => number.unsigned_abs().to_string(),
        (Num::Int(number), _) => format!("{}.{}", number.unsigned_abs(), "0".repeat(precision)),
        (Num::Float(number), _) => format!("{:.precision$}", number.abs()),
    }
}

fn exponent(number: f64, precision: usize, conversion: char) -> String {
    let text = format!("{number:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{mantissa}{conversion}{sign}{exponent:0>2}")
}

/// So many digits, in the shorter of two forms. What `is_float` keeps a decimal, and room for it; who `keeps_zeros` has as
/// many digits as can be.
fn general(number: f64, precision: usize, conversion: char, is_float: bool, keeps_zeros: bool) -> String {
    // Of the number as it is rounded: 999.99 in three digits is 1e+03.
    let rounded = format!("{number:.places$e}", places = precision - 1);
    let magnitude: i32 = rounded.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let trimmed = |text: String| {
        if keeps_zeros || !text.contains('.') {
            return text;
        }
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    if magnitude < -4 || magnitude >= precision as i32 - i32::from(is_float) {
        let letter = if conversion == 'G' { 'E' } else { 'e' };
        let text = exponent(number, precision - 1, letter);
        return match text.split_once(letter) {
            Some((mantissa, exponent)) => format!("{}{letter}{exponent}", trimmed(mantissa.to_owned())),
            None => text,
        };
    }
    let places = usize::try_from(precision as i32 - 1 - magnitude).unwrap_or(0);
    let text = trimmed(format!("{number:.places$}"));
    if is_float && !text.contains('.') { format!("{text}.0") } else { text }
}

/// With a point, also where nothing is behind it.
fn pointed(digits: &str) -> String {
    let (whole, rest) = digits.split_at(digits.bytes().take_while(u8::is_ascii_digit).count());
    if rest.starts_with('.') { digits.to_owned() } else { format!("{whole}.{rest}") }
}

/// With commas between each three digits of what is whole, and zeros before it up to so many characters.
fn grouped(digits: &str, least: usize) -> String {
    let (whole, rest) = digits.split_at(digits.bytes().take_while(u8::is_ascii_digit).count());
    let mut count = whole.len();
    while count + count.saturating_sub(1) / 3 + rest.len() < least {
        count += 1;
    }
    let mut grouped = String::with_capacity(count + count / 3 + rest.len());
    for (at, digit) in format!("{whole:0>count$}").chars().enumerate() {
        if at > 0 && (count - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped.push_str(rest);
    grouped
}
