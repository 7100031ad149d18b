//! Base64 in its one form (RFC 4648 §4): padded, and no bit set that is not used.

use core::fmt;

/// The three bytes of a group of four characters, of which `len` count: 1 to 3.
fn group_bytes(group: &[u8; 4], len: usize) -> Option<[u8; 3]> {
    let mut bits = 0_u32;
    for (place, &character) in group.iter().enumerate() {
        let value = match character {
            b'=' if place > len => 0,
            _ if place > len => return None,
            b'A'..=b'Z' => character.wrapping_sub(b'A'),
            b'a'..=b'z' => character.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => character.wrapping_sub(b'0').wrapping_add(52),
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
    }
    let [_, bytes @ ..] = bits.to_be_bytes();
    // What is written behind the last byte that counts would be lost.
    bytes.iter().skip(len).all(|&unused| unused == 0).then_some(bytes)
}

/// How many of a group's bytes count, by its padding.
const fn group_len(group: &[u8; 4]) -> usize {
    match group {
        [_, _, b'=', b'='] => 1,
        [_, _, _, b'='] => 2,
        _ => 3,
    }
}

/// How many bytes the text stands for, if it is in the one form.
pub(super) fn len(text: &str) -> Option<usize> {
    let (groups, []) = text.as_bytes().as_chunks::<4>() else { return None };
    let mut len = 0_usize;
    for group in groups {
        // Nothing follows padding.
        if !len.is_multiple_of(3) {
            return None;
        }
        let count = group_len(group);
        group_bytes(group, count)?;
        len = len.saturating_add(count);
    }
    Some(len)
}

/// The bytes, if they are exactly `N`.
pub(super) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (groups, []) = text.as_bytes().as_chunks::<4>() else { return None };
    if groups.len() != N.div_ceil(3) {
        return None;
    }
    let mut out = [0; N];
    for (group, out) in groups.iter().zip(out.chunks_mut(3)) {
        let bytes = group_bytes(group, out.len())?;
        out.iter_mut().zip(bytes).for_each(|(out, byte)| *out = byte);
    }
    Some(out)
}

/// The first four bytes of text in the one form, if there are so many.
pub(super) fn first_four(text: &str) -> Option<[u8; 4]> {
    let ([first, second, ..], _) = text.as_bytes().as_chunks::<4>() else { return None };
    let [a, b, c] = group_bytes(first, 3)?;
    let [d, ..] = group_bytes(second, group_len(second))?;
    Some([a, b, c, d])
}

/// The four characters of a group of one to three bytes.
fn group_text(bytes: &[u8]) -> [u8; 4] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut padded = [0; 3];
    padded.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    let [a, b, c] = padded;
    let places = [a >> 2, a << 4 | b >> 4, b << 2 | c >> 6, c];
    let mut text = [b'='; 4];
    for (character, place) in text.iter_mut().zip(places).take(bytes.len().saturating_add(1)) {
        // Six bits: always one of the digits.
        *character = DIGITS.get(usize::from(place & 0x3f)).copied().unwrap_or(b'=');
    }
    text
}

/// Writes them.
pub(super) fn write(bytes: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    bytes.chunks(3).try_for_each(|bytes| {
        let text = group_text(bytes);
        f.write_str(core::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    })
}

/// The text of a hash.
pub(super) fn hash_text(hash: &[u8; 32]) -> [u8; 44] {
    let mut text = [0; 44];
    let (groups, _) = text.as_chunks_mut::<4>();
    for (group, bytes) in groups.iter_mut().zip(hash.chunks(3)) {
        *group = group_text(bytes);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_has_its_one_text() {
        // RFC 4648 §10.
        let vectors = ["", "f", "fo", "foo", "foob", "fooba", "foobar"];
        let texts = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        for (bytes, text) in vectors.iter().zip(texts) {
            let mut written = String::new();
            assert!(write(bytes.as_bytes(), &mut written).is_ok());
            assert_eq!(written, text);
            assert_eq!(len(text), Some(bytes.len()));
        }
        assert_eq!(decode("Zm9vYg=="), Some(*b"foob"));
        assert_eq!(decode("Zm9vYmE="), Some(*b"fooba"));
        assert_eq!(decode("Zm9vYmFy"), Some(*b"foobar"));
        assert_eq!(decode::<5>("Zm9vYmFy"), None);
        assert_eq!(decode::<4>("Zm9vYmE="), None);
    }

    #[test]
    fn another_text_for_the_same_bytes_is_refused() {
        for text in [
            "Zh==", "Zg=", "Zg", "Zm9=", "Zm8", "Zg==Zg==", "Zg==\n", " Zg==", "Z===", "====",
            "Zm-_", "Zm9v\n",
        ] {
            assert_eq!(len(text), None, "{text:?}");
        }
        assert_eq!(decode::<1>("Zh=="), None);
        assert_eq!(decode::<2>("Zm9="), None);
        assert_eq!(decode::<1>("Zg=="), Some(*b"f"));
    }

    #[test]
    fn the_key_id_is_the_first_four_bytes() {
        assert_eq!(first_four("Zm9vYg=="), Some(*b"foob"));
        assert_eq!(first_four("Zm9vYmFy"), Some(*b"foob"));
        assert_eq!(first_four("Zm9v"), None);
    }
}
