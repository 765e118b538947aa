//! References to characters, as HTML has them: `&amp;`, `&#39;`.

use std::{collections::HashMap, sync::LazyLock};

use encoding_rs::WINDOWS_1252;

use crate::template::{budget::Meter, fault::Outcome};

/// The names of HTML 4 and `apos`, each before its character, and those of HTML 5 that begin with one that may end
/// anywhere.
const NAMES: &str = "\
    QUOT \" quot \" AMP & amp & apos ' LT < lt < GT > gt > nbsp \u{a0} iexcl ¡ cent ¢ pound £ curren ¤ yen ¥ \
    brvbar ¦ sect § uml ¨ COPY © copy © ordf ª laquo « not ¬ shy \u{ad} REG ® reg ® macr ¯ deg ° plusmn ± sup2 ² \
    sup3 ³ acute ´ micro µ para ¶ middot · cedil ¸ sup1 ¹ ordm º raquo » frac14 ¼ frac12 ½ frac34 ¾ iquest ¿ \
    Agrave À Aacute Á Acirc Â Atilde Ã Auml Ä Aring Å AElig Æ Ccedil Ç Egrave È Eacute É Ecirc Ê Euml Ë Igrave Ì \
    Iacute Í Icirc Î Iuml Ï ETH Ð Ntilde Ñ Ograve Ò Oacute Ó Ocirc Ô Otilde Õ Ouml Ö times × Oslash Ø Ugrave Ù \
    Uacute Ú Ucirc Û Uuml Ü Yacute Ý THORN Þ szlig ß agrave à aacute á acirc â atilde ã auml ä aring å aelig æ \
    ccedil ç egrave è eacute é ecirc ê euml ë igrave ì iacute í icirc î iuml ï eth ð ntilde ñ ograve ò oacute ó \
    ocirc ô otilde õ ouml ö divide ÷ oslash ø ugrave ù uacute ú ucirc û uuml ü yacute ý thorn þ yuml ÿ OElig Œ \
    oelig œ Scaron Š scaron š Yuml Ÿ fnof ƒ circ ˆ tilde ˜ Alpha Α Beta Β Gamma Γ Delta Δ Epsilon Ε Zeta Ζ Eta Η \
    Theta Θ Iota Ι Kappa Κ Lambda Λ Mu Μ Nu Ν Xi Ξ Omicron Ο Pi Π Rho Ρ Sigma Σ Tau Τ Upsilon Υ Phi Φ Chi Χ Psi Ψ \
    Omega Ω alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ mu μ nu ν xi ξ \
    omicron ο pi π rho ρ sigmaf ς sigma σ tau τ upsilon υ phi φ chi χ psi ψ omega ω thetasym ϑ upsih ϒ piv ϖ \
    ensp \u{2002} emsp \u{2003} thinsp \u{2009} zwnj \u{200c} zwj \u{200d} lrm \u{200e} rlm \u{200f} ndash – mdash — \
    lsquo ‘ rsquo ’ sbquo ‚ ldquo “ rdquo ” bdquo „ dagger † Dagger ‡ bull • hellip … permil ‰ prime ′ Prime ″ \
    lsaquo ‹ rsaquo › oline ‾ frasl ⁄ euro € image ℑ weierp ℘ real ℜ trade ™ alefsym ℵ larr ← uarr ↑ rarr → darr ↓ \
    harr ↔ crarr ↵ lArr ⇐ uArr ⇑ rArr ⇒ dArr ⇓ hArr ⇔ forall ∀ part ∂ exist ∃ empty ∅ nabla ∇ isin ∈ notin ∉ ni ∋ \
    prod ∏ sum ∑ minus − lowast ∗ radic √ prop ∝ infin ∞ ang ∠ and ∧ or ∨ cap ∩ cup ∪ int ∫ there4 ∴ sim ∼ cong ≅ \
    asymp ≈ ne ≠ equiv ≡ le ≤ ge ≥ sub ⊂ sup ⊃ nsub ⊄ sube ⊆ supe ⊇ oplus ⊕ otimes ⊗ perp ⊥ sdot ⋅ lceil ⌈ rceil ⌉ \
    lfloor ⌊ rfloor ⌋ loz ◊ spades ♠ clubs ♣ hearts ♥ diams ♦ lang ⟨ rang ⟩ \
    centerdot · copysr ℗ divideontimes ⋇ gtcc ⪧ gtcir ⩺ gtdot ⋗ gtlPar ⦕ gtquest ⩼ gtrapprox ⪆ gtrarr ⥸ gtrdot ⋗ \
    gtreqless ⋛ gtreqqless ⪌ gtrless ≷ gtrsim ≳ ltcc ⪦ ltcir ⩹ ltdot ⋖ lthree ⋋ ltimes ⋉ ltlarr ⥶ ltquest ⩻ ltrPar ⦖ \
    ltri ◃ ltrie ⊴ ltrif ◂ notinE ⋹\u{338} notindot ⋵\u{338} notinva ∉ notinvb ⋷ notinvc ⋶ notni ∌ notniva ∌ \
    notnivb ⋾ notnivc ⋽ parallel ∥ timesb ⊠ timesbar ⨱ timesd ⨰";

static NAMED: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let mut words = NAMES.split(' ');
    std::iter::from_fn(|| Some((words.next()?, words.next()?))).collect()
});

/// The longest name that may stand without its semicolon.
const LONGEST_OPEN: usize = 6;

/// The text with characters in place of references. What refers to nothing stays.
pub(super) fn resolved(text: &str, meter: &Meter) -> Outcome<String> {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        // A name is looked up several times where it has no end.
        meter.visit(2)?;
        let (before, reference) = rest.split_at(at);
        meter.write(before.len())?;
        resolved.push_str(before);
        let reference = reference.strip_prefix('&').unwrap_or_default();
        if let Some((character, behind)) = reference.strip_prefix('#').and_then(numbered) {
            resolved.extend(character);
            rest = behind;
        } else if let Some((character, behind)) = named(reference) {
            resolved.push_str(character);
            rest = behind;
        } else {
            resolved.push('&');
            rest = reference;
        }
    }
    meter.write(rest.len())?;
    resolved.push_str(rest);
    Ok(resolved)
}

/// The character of a number, which may have none, and what is behind.
fn numbered(text: &str) -> Option<(Option<char>, &str)> {
    let (text, radix) = text.strip_prefix(['x', 'X']).map_or((text, 10), |text| (text, 16));
    let (digits, behind) = text.split_at(text.chars().take_while(|digit| digit.is_digit(radix)).count());
    if digits.is_empty() {
        return None;
    }
    // What is too large for a number is too large for a character.
    let number = u32::from_str_radix(digits, radix).unwrap_or(u32::MAX);
    Some((character(number), behind.strip_prefix(';').unwrap_or(behind)))
}

/// As browsers do: the second half of Latin 1 is Windows's, and what is no character at all is left out.
fn character(number: u32) -> Option<char> {
    match (u8::try_from(number), char::from_u32(number)) {
        (_, None) | (Ok(0), _) => Some(char::REPLACEMENT_CHARACTER),
        (Ok(byte @ 0x80..=0x9f), _) => WINDOWS_1252.decode_without_bom_handling(&[byte]).0.chars().next(),
        (Ok(0x1..=0x8 | 0xb | 0xe..=0x1f | 0x7f), _) => None,
        (Err(_), _) if matches!(number, 0xfdd0..=0xfdef) || number & 0xfffe == 0xfffe => None,
        (_, found) => found,
    }
}

/// The character of a name, and what is behind.
fn named(text: &str) -> Option<(&'static str, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (name, behind) = text.split_at(length);
    if let (Some(character), Some(behind)) = (NAMED.get(name), behind.strip_prefix(';')) {
        return Some((*character, behind));
    }
    // The names of Latin 1's characters may end anywhere.
    (0..=length.min(LONGEST_OPEN)).rev().find_map(|end| {
        let (name, behind) = text.split_at(end);
        let character = NAMED.get(name).filter(|character| **character <= "\u{ff}" && name != "apos")?;
        Some((*character, behind))
    })
}
