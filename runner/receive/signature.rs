//! Is a body PagerDuty's? HMAC-SHA256 over the raw bytes.
//!
//! Source: PagerDuty developer documentation, "Webhook Signatures": the header holds one
//! `v1=<hex>` per active secret, so any of ours may match any of theirs.

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use crate::limits;

/// Does any `v1=` entry of the header fit the body under any of the secrets? Compares in constant
/// time and ignores entries of other schemes.
pub fn is_genuine(header: &str, body: &[u8], secrets: &[SecretString]) -> bool {
    let given: Vec<[u8; 32]> = header
        .split(',')
        .take(limits::SIGNATURES_PER_REQUEST)
        .filter_map(|entry| from_hex(entry.trim().strip_prefix("v1=")?))
        .collect();
    secrets.iter().any(|secret| {
        // HMAC takes keys of any length, so this cannot fail.
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
            return false;
        };
        let mac = mac.chain_update(body);
        given.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    })
}

/// Is what was given one of the keys? Takes as long for every wrong one of a length: digests are
/// compared, in constant time.
pub fn is_key(given: &[u8], keys: &[SecretString]) -> bool {
    let digest = |text: &[u8]| {
        let mac = Hmac::<Sha256>::new_from_slice(b"key").ok()?;
        Some(mac.chain_update(text))
    };
    let Some(given) = digest(given) else { return false };
    keys.iter().filter_map(|key| digest(key.expose_secret().as_bytes())).fold(false, |is, key| {
        is | key.verify_slice(&given.clone().finalize().into_bytes()).is_ok()
    })
}

/// The header for a body, as PagerDuty writes it. For the stand-in, tests and load generator.
pub fn sign(body: &[u8], secret: &str) -> String {
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    let digits = mac.chain_update(body).finalize().into_bytes();
    let hex: String = digits
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect();
    format!("v1={hex}")
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"event":{"id":"1"}}"#;

    fn secrets(texts: &[&str]) -> Vec<SecretString> {
        texts.iter().map(|text| SecretString::from(*text)).collect()
    }

    #[test]
    fn the_known_answer() {
        // RFC 4231, test case 2.
        let known = "v1=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(sign(b"what do ya want for nothing?", "Jefe"), known);
    }

    #[test]
    fn any_secret_may_match_any_entry() {
        let good = sign(BODY, "new");
        assert!(is_genuine(&good, BODY, &secrets(&["new"])));
        assert!(is_genuine(&good, BODY, &secrets(&["old", "new"])));
        let rotating = format!("{},{good}", sign(BODY, "unknown"));
        assert!(is_genuine(&rotating, BODY, &secrets(&["new"])));
        assert!(is_genuine(&format!("v0=abc, {good}"), BODY, &secrets(&["new"])));
        assert!(is_genuine(&good.to_uppercase().replace("V1", "v1"), BODY, &secrets(&["new"])));
    }

    #[test]
    fn a_key_is_itself_and_nothing_else() {
        let keys = secrets(&["the first key of two", "the second key"]);
        assert!(is_key(b"the first key of two", &keys));
        assert!(is_key(b"the second key", &keys));
        for other in ["", "the second ke", "the second key ", "The second key"] {
            assert!(!is_key(other.as_bytes(), &keys), "{other}");
        }
        assert!(!is_key(b"", &[]));
    }

    #[test]
    fn everything_else_is_refused() {
        let good = sign(BODY, "new");
        assert!(!is_genuine(&good, b"{}", &secrets(&["new"])));
        assert!(!is_genuine(&good, BODY, &secrets(&["other"])));
        assert!(!is_genuine(&good, BODY, &[]));
        for bad in ["", "v1=", "v1=zz", &good[3..], &good[..60], &good.replace("v1", "v2")] {
            assert!(!is_genuine(bad, BODY, &secrets(&["new"])), "{bad}");
        }
        let late = format!("{}{good}", "v1=00,".repeat(limits::SIGNATURES_PER_REQUEST));
        assert!(!is_genuine(&late, BODY, &secrets(&["new"])));
    }
}
