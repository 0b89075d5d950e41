//! TLS for what is not HTTP: databases, brokers and mail servers.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt;

/// What the other end must show before anything is said to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A certificate of its name that this machine trusts, as for https.
    Certificate,
    /// Nothing: whoever only listens hears nothing, whoever stands in between hears all. For protocols whose addresses ask
    /// for just that (libpq's `sslmode=require`), and only where what follows does not give the password away.
    None,
}

/// The client's side of TLS. None when this machine has no certificates to trust.
pub(super) fn config(proof: Proof) -> Option<Arc<ClientConfig>> {
    static PROVEN: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    static UNPROVEN: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    match proof {
        Proof::Certificate => PROVEN.get_or_init(proven).clone(),
        Proof::None => UNPROVEN.get_or_init(unproven).clone(),
    }
}

fn proven() -> Option<Arc<ClientConfig>> {
    let builder = ClientConfig::builder().with_platform_verifier().ok()?;
    Some(Arc::new(builder.with_no_client_auth()))
}

fn unproven() -> Option<Arc<ClientConfig>> {
    let provider = CryptoProvider::get_default()?;
    let builder =
        ClientConfig::builder().dangerous().with_custom_certificate_verifier(Arc::new(Anyone(Arc::clone(provider))));
    Some(Arc::new(builder.with_no_client_auth()))
}

/// Takes any certificate, but still wants the handshake signed with its key.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
