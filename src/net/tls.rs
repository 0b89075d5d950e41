//! TLS for what is not HTTP: databases, brokers and mail servers.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;

use super::NetError;

/// What the other end must show before anything is said to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A certificate of its name that this machine trusts, as for https.
    Certificate,
    /// Nothing: whoever only listens hears nothing, whoever stands in between hears all. For protocols whose addresses ask
    /// for just that (libpq's `sslmode=require`), and only where what follows does not give the password away.
    None,
}

/// Whom this process trusts: what the machine trusts, and the operator's own certificate authorities.
pub(super) struct Trust {
    own: Vec<CertificateDer<'static>>,
    pem: Vec<u8>,
    proven: OnceLock<Option<Arc<ClientConfig>>>,
    unproven: OnceLock<Option<Arc<ClientConfig>>>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({} of the operator's)", self.own.len())
    }
}

impl Trust {
    /// Reads the operator's authorities, certificates in PEM.
    ///
    /// # Errors
    /// When there is no certificate in it, or one that cannot be read.
    pub(super) fn new(pem: Option<&[u8]>) -> Result<Self, NetError> {
        let pem = pem.unwrap_or_default().to_vec();
        let own: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let own = own.ok().filter(|own| pem.is_empty() || !own.is_empty());
        let own =
            own.ok_or_else(|| NetError::Setting("the CA file holds no certificate that can be read (PEM)".to_owned()))?;
        Ok(Self { own, pem, proven: OnceLock::new(), unproven: OnceLock::new() })
    }

    /// The operator's own.
    pub(super) fn extra(&self) -> &[CertificateDer<'static>] {
        &self.own
    }

    /// The same in PEM.
    pub(super) fn pem(&self) -> Option<&[u8]> {
        (!self.pem.is_empty()).then_some(&*self.pem)
    }

    /// The client's side of TLS. None when this machine has no certificates to trust.
    pub(super) fn config(&self, proof: Proof) -> Option<Arc<ClientConfig>> {
        match proof {
            Proof::Certificate => self.proven.get_or_init(|| proven(&self.own)).clone(),
            Proof::None => self.unproven.get_or_init(unproven).clone(),
        }
    }
}

fn proven(own: &[CertificateDer<'static>]) -> Option<Arc<ClientConfig>> {
    let provider = CryptoProvider::get_default()?;
    let verifier = Verifier::new_with_extra_roots(own.iter().cloned(), Arc::clone(provider)).ok()?;
    // As rustls-platform-verifier's own `with_platform_verifier` does it, which takes no roots.
    let builder = ClientConfig::builder().dangerous().with_custom_certificate_verifier(Arc::new(verifier));
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
