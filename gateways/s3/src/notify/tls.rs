//! TLS to a webhook: its certificate is checked against the system's authorities, or those that it names.
//!
//! The files are read for each connection, so that authorities which were renewed need no restart. A webhook
//! whose certificate is not good is not spoken to; there is no way to turn that off.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use stead_gateway::blocking;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Where systems keep the authorities that they trust; the first that is there counts.
const SYSTEM: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Speaks TLS over a connection to `host`, with the authorities of `ca` instead of the system's where it is given.
pub async fn connect(
    stream: TcpStream,
    host: &str,
    ca: Option<PathBuf>,
) -> Result<TlsStream<TcpStream>, String> {
    let name =
        ServerName::try_from(host.to_owned()).map_err(|_| format!("{host} cannot be in a certificate"))?;
    let roots = blocking(move || authorities(ca.as_deref())).await?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| format!("TLS: {why}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let shaken = timeout(
        HANDSHAKE,
        TlsConnector::from(Arc::new(config)).connect(name, stream),
    )
    .await;
    shaken
        .map_err(|_| format!("{host} does not finish the TLS handshake in time"))?
        .map_err(|why| format!("TLS with {host}: {why}"))
}

/// The certificates of a file, or of the system's.
fn authorities(ca: Option<&Path>) -> Result<RootCertStore, String> {
    let system = || SYSTEM.iter().map(Path::new).find(|file| file.is_file());
    let file = ca.or_else(system).ok_or_else(|| {
        "there is no file of trusted authorities: install the package ca-certificates, or name a file as ca".to_owned()
    })?;
    let shown = file.display();
    let read = CertificateDer::pem_file_iter(file).map_err(|why| format!("{shown}: {why}"))?;
    let mut roots = RootCertStore::empty();
    for certificate in read {
        let certificate = certificate.map_err(|why| format!("{shown}: {why}"))?;
        // Systems have some that are too old to be understood; those are trusted by nobody.
        let _ = roots.add(certificate);
    }
    match roots.is_empty() {
        true => Err(format!("there is no certificate in {shown}")),
        false => Ok(roots),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, KeyPair};
    use rustls::ServerConfig;
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    fn authority() -> (Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params.self_signed(&key).unwrap(), key)
    }

    /// One connection to a server that has a certificate for `name` by that authority.
    async fn said(
        name: &str,
        host: &str,
        by: &(Certificate, KeyPair),
        ca: Option<PathBuf>,
    ) -> Result<String, String> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &by.0, &by.1).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = async {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not like the certificate goes away.
            if let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await {
                let _ = stream.write_all(b"hello").await;
                let _ = stream.shutdown().await;
            }
        };
        let client = async {
            let mut stream = connect(TcpStream::connect(address).await.unwrap(), host, ca).await?;
            let mut text = String::new();
            stream
                .read_to_string(&mut text)
                .await
                .map_err(|why| why.to_string())?;
            Ok(text)
        };
        tokio::join!(server, client).1
    }

    #[tokio::test]
    async fn certificates_are_checked() {
        let (good, other) = (authority(), authority());
        let dir = std::env::temp_dir().join(format!("stead-tls-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("ca.pem");
        std::fs::write(&file, good.0.pem()).unwrap();
        let ca = || Some(file.clone());
        assert_eq!(
            said("hook.test", "hook.test", &good, ca()).await.unwrap(),
            "hello"
        );
        assert_eq!(
            said("127.0.0.1", "127.0.0.1", &good, ca()).await.unwrap(),
            "hello"
        );
        let name = said("hook.test", "other.test", &good, ca()).await.unwrap_err();
        assert!(name.contains("not valid for name"), "{name}");
        let stranger = said("hook.test", "hook.test", &other, ca()).await.unwrap_err();
        assert!(stranger.contains("invalid peer certificate"), "{stranger}");
        let unknown = said("hook.test", "hook.test", &good, None).await.unwrap_err();
        assert!(
            unknown.contains("certificate") || unknown.contains("authorities"),
            "{unknown}"
        );
        std::fs::write(&file, "nothing").unwrap();
        let empty = said("hook.test", "hook.test", &good, ca()).await.unwrap_err();
        assert!(empty.contains("no certificate"), "{empty}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
