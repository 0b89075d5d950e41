//! DSSE envelopes: a payload, its type, and signatures over both. Source: secure-systems-lab/dsse, envelope.md and
//! protocol.md v1.0.2. The payload comes out only with the names of the trust roots that signed it: verify, then read.

use std::collections::BTreeMap;

use data_encoding::{BASE64, BASE64URL};
use serde::{Deserialize, Serialize};

use super::{AttestError, Signer, key_id, verify};

/// Name → public key, from the operator's settings. A key that is not listed proves nothing.
pub type TrustRoots = BTreeMap<String, String>;

/// A signed payload as it lies on disk. Fields that are not known are passed over, as the standard asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Signature {
    /// A hint; anyone can write it.
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// A payload that trust roots have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its type, which is signed too.
    pub payload_type: String,
    /// The bytes that the signatures cover.
    pub payload: Vec<u8>,
    /// The names of those who signed.
    pub signers: Vec<String>,
}

/// What is signed: the type and the payload with their lengths, so that neither can pass for the other.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// Both alphabets are allowed, and padding is required.
fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.as_bytes()).or_else(|_| BASE64URL.decode(text.as_bytes())).ok()
}

/// Where JSON is not as it should be; never what stands there.
pub(super) fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {} is not as it should be", error.line(), error.column())
}

impl Envelope {
    /// Signs a payload.
    pub fn seal(payload_type: &str, payload: &[u8], signer: &Signer) -> Self {
        let sig = signer.sign(&pre_authentication(payload_type, payload));
        let keyid = key_id(&signer.public()).unwrap_or_default();
        let signatures = vec![Signature { keyid, sig }];
        Self { payload_type: payload_type.to_owned(), payload: BASE64.encode(payload), signatures }
    }

    /// Reads one as JSON.
    ///
    /// # Errors
    /// [`AttestError::Envelope`].
    pub fn parse(text: &[u8]) -> Result<Self, AttestError> {
        serde_json::from_slice(text).map_err(|error| AttestError::Envelope(place(&error)))
    }

    /// The payload, when at least one trust root has signed it.
    ///
    /// # Errors
    /// [`AttestError::NoRoots`], [`AttestError::Root`], [`AttestError::Untrusted`], [`AttestError::Envelope`].
    pub fn open(&self, roots: &TrustRoots) -> Result<Opened, AttestError> {
        if roots.is_empty() {
            return Err(AttestError::NoRoots);
        }
        let payload = decoded(&self.payload).ok_or_else(|| AttestError::Envelope("its payload is not base64".to_owned()))?;
        let message = pre_authentication(&self.payload_type, &payload);
        let mut signers = Vec::new();
        for (name, public) in roots {
            let mut signed = false;
            for signature in &self.signatures {
                let sig = decoded(&signature.sig).map(|sig| BASE64.encode(&sig)).unwrap_or_default();
                signed |= verify(public, &message, &sig).map_err(|_| AttestError::Root(name.clone()))?;
            }
            signers.extend(signed.then(|| name.clone()));
        }
        if signers.is_empty() {
            let ids: Vec<&str> = self.signatures.iter().map(|signature| signature.keyid.as_str()).collect();
            return Err(AttestError::Untrusted(if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }));
        }
        Ok(Opened { payload_type: self.payload_type.clone(), payload, signers })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::pem;
    use super::super::{AttestError, Signer, key_id};
    use super::{Envelope, TrustRoots, pre_authentication};

    fn signer(seed: u8) -> Signer {
        Signer::from_pem(&pem(seed)).expect("a key")
    }

    fn roots(all: &[(&str, u8)]) -> TrustRoots {
        all.iter().map(|(name, seed)| ((*name).to_owned(), signer(*seed).public())).collect()
    }

    #[test]
    fn the_standards_own_vector() {
        // protocol.md, "Test Vectors".
        let bytes = pre_authentication("http://example.com/HelloWorld", b"hello world");
        assert_eq!(bytes, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn only_a_trust_root_opens_it_and_says_its_name() {
        let envelope = Envelope::seal("t", b"payload", &signer(1));
        let opened = envelope.open(&roots(&[("kim", 2), ("lee", 1)])).expect("lee signed");
        assert_eq!((opened.payload.as_slice(), opened.signers.as_slice()), (b"payload".as_slice(), &["lee".to_owned()][..]));
        let other = envelope.open(&roots(&[("kim", 2)])).expect_err("nobody who is trusted");
        let id = key_id(&signer(1).public()).expect("an id");
        assert_eq!(other, AttestError::Untrusted(id.clone()));
        assert!(other.to_string().contains(&id) && other.to_string().contains("proves nothing"), "{other}");
        assert_eq!(envelope.open(&TrustRoots::new()), Err(AttestError::NoRoots));
        let broken = TrustRoots::from([("kim".to_owned(), "AAAA".to_owned())]);
        assert_eq!(envelope.open(&broken), Err(AttestError::Root("kim".to_owned())));
    }

    #[test]
    fn neither_payload_nor_type_nor_key_id_can_be_changed_to_effect() {
        let envelope = Envelope::seal("t", b"payload", &signer(1));
        let trusted = roots(&[("lee", 1)]);
        let json = serde_json::to_string(&envelope).expect("JSON");
        assert!(json.contains("\"payloadType\":\"t\""), "{json}");
        for (from, to) in [("cGF5bG9hZA==", "cGF5bG9hZB=="), ("cGF5bG9hZA==", "b3RoZXI="), ("\"t\"", "\"u\"")] {
            assert!(json.contains(from));
            let forged = Envelope::parse(json.replacen(from, to, 1).as_bytes()).expect("JSON");
            assert!(forged.open(&trusted).is_err(), "{to}");
        }
        // A key id that lies changes nothing: the keys are tried.
        let lie = json.replace(&envelope.signatures[0].keyid, "0000");
        assert!(Envelope::parse(lie.as_bytes()).expect("JSON").open(&trusted).is_ok());
        assert!(matches!(Envelope::parse(b"{}"), Err(AttestError::Envelope(_))));
        let unsigned = Envelope { signatures: Vec::new(), ..envelope };
        assert_eq!(unsigned.open(&trusted), Err(AttestError::Untrusted("none".to_owned())));
    }

    #[test]
    fn a_key_is_named_as_others_name_it() {
        // `openssl pkey -pubout -outform DER | sha256sum` says the same of either spelling.
        let raw = signer(1).public();
        let spki = [super::super::SPKI.as_slice(), &data_encoding::BASE64.decode(raw.as_bytes()).expect("base64")].concat();
        assert_eq!(key_id(&raw), key_id(&data_encoding::BASE64.encode(&spki)));
        assert_eq!(key_id(&raw).expect("an id").len(), 64);
    }
}
