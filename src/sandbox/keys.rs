//! Identifiers and secrets in the shapes that the providers give them, made from random numbers at run time.

use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::secret::Secret;

/// The operating system gave no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoRandom;

/// An identifier of AWS: a prefix (`AKIA`, `ASIA`, `AIDA`, `ACCA`) and 16 characters of base32 that hold the account.
///
/// The account takes bits 7 to 46 of the first six bytes (facts/credentials.md A.2, reversed). Bit 47 is set, as in all
/// keys since the account is in them, so the fifth character is never `I` or `J`; the other bits are random.
pub(super) fn aws_id(prefix: &str, account: &str) -> Result<String, NoRandom> {
    let mut bytes: [u8; 10] = random()?;
    let account: u64 = account.parse().unwrap_or_default();
    let packed = (1 << 47) | (account << 7) | u64::from(bytes[5] & 0x7f);
    bytes[..6].copy_from_slice(&packed.to_be_bytes()[2..]);
    Ok(format!("{prefix}{}", BASE32_NOPAD.encode(&bytes)))
}

/// The account inside an identifier made by [`aws_id`] or by AWS; `None` for another shape or an older key.
pub(super) fn account_of(id: &str) -> Option<String> {
    let bytes = BASE32_NOPAD.decode(id.get(4..20)?.as_bytes()).ok()?;
    let mut wide = [0; 8];
    wide[2..].copy_from_slice(bytes.get(..6)?);
    let packed = u64::from_be_bytes(wide);
    (id.len() == 20 && packed >> 47 == 1).then(|| format!("{:012}", (packed & 0x7fff_ffff_ff80) >> 7))
}

/// A secret access key: 40 characters of the base64 alphabet.
pub(super) fn aws_secret() -> Result<Secret, NoRandom> {
    Ok(Secret::from_vec(BASE64.encode(&random::<30>()?).into_bytes()))
}

/// A session token. The head is the one that the session tokens of AWS usually have.
pub(super) fn session_token() -> Result<Secret, NoRandom> {
    let head = concat!("IQoJb3Jp", "Z2luX2Vj");
    Ok(Secret::from_vec(format!("{head}{}", BASE64.encode(&random::<300>()?)).into_bytes()))
}

/// The public name and the whole value of a Bedrock long-term key: `ABSK` and, in base64, `USER-at-ACCOUNT:SECRET` with
/// a secret of 60 characters. A user's second key carries `+1` after the name.
pub(super) fn bedrock_key(user: &str, account: &str, others: usize) -> Result<(String, Secret), NoRandom> {
    let suffix = if others == 0 { String::new() } else { format!("+{others}") };
    let alias = format!("{user}{suffix}-at-{account}");
    let secret = BASE64.encode(&random::<45>()?);
    let value = format!("ABSK{}", BASE64.encode(format!("{alias}:{secret}").as_bytes()));
    Ok((alias, Secret::from_vec(value.into_bytes())))
}

/// An OpenAI-shaped key: `prefix`, `side` characters, the marker that all of them have, `side` characters.
pub(super) fn llm_key(prefix: &str, side: usize) -> Result<Secret, NoRandom> {
    let [left, right] = [random::<60>()?, random::<60>()?].map(|bytes| BASE64URL_NOPAD.encode(&bytes));
    let side = side.min(left.len());
    Ok(Secret::from_vec(format!("{prefix}{}T3BlbkFJ{}", &left[..side], &right[..side]).into_bytes()))
}

/// An identifier of the LLM provider: `prefix` and 24 letters and digits.
pub(super) fn llm_id(prefix: &str) -> Result<String, NoRandom> {
    Ok(format!("{prefix}{}", data_encoding::HEXLOWER.encode(&random::<12>()?)))
}

/// Whether two values are the same, in a time that does not tell where they differ: their tags under a fresh key are
/// compared instead of themselves.
pub(super) fn same(left: &[u8], right: &[u8]) -> bool {
    let Ok(bytes) = random::<32>() else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
    hmac::verify(&key, left, hmac::sign(&key, right).as_ref()).is_ok()
}

fn random<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{account_of, aws_id, aws_secret, bedrock_key, llm_key, same, session_token};

    #[test]
    fn the_account_is_inside_the_key_id() {
        for account in ["000000000001", "111122223333", "999999999999"] {
            let id = aws_id("AKIA", account).expect("random");
            assert_eq!(id.len(), 20);
            assert!(!id[4..].starts_with(['I', 'J']), "{id}");
            assert!(id[4..].bytes().all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b)), "{id}");
            assert_eq!(account_of(&id).as_deref(), Some(account));
        }
        // The public research key of facts/credentials.md A.2, split.
        assert_eq!(account_of(concat!("ASIAQNZGKI", "QY56JQ7WML")).as_deref(), Some("029608264753"));
        for wrong in ["", "AKIA", "AKIAé", concat!("AKIAIOSF", "ODNN7EXAMPLE"), "AKIA0000000000000000"] {
            assert_eq!(account_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_have_the_providers_lengths() {
        assert_eq!(aws_secret().expect("random").len(), 40);
        assert!(session_token().expect("random").len() > 100);
        // The console's name for its user and the console's total length.
        let (alias, value) = bedrock_key("BedrockAPIKey-ab12", "111122223333", 0).expect("random");
        assert_eq!(alias, "BedrockAPIKey-ab12-at-111122223333");
        assert_eq!(value.len(), 132);
        assert_eq!(llm_key("sk-proj-", 74).expect("random").len(), 164);
        assert_eq!(llm_key("sk-admin-", 58).expect("random").len(), 9 + 58 + 8 + 58);
    }

    #[test]
    fn same_means_equal() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd"));
        assert!(!same(b"abc", b"ab"));
    }
}
