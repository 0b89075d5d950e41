//! Azure Storage account keys: the account's kind is asked for, with a Shared Key signature. The key itself is not sent. It changes
//! nothing and shows no data; Azure counts it among "other operations", ten thousand of which cost less than a cent.
//!
//! Sources: Azure Storage REST reference: "Authorize with Shared Key", "Get Account Information", "Common REST API error codes", "Blob service
//! error codes" (<https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-shared-key>). Signatures were compared with
//! what Azurite (Microsoft's own emulator, npm) takes; Azure itself was never asked.

use data_encoding::BASE64;
use jiff::Timestamp;
use ring::hmac;
use url::Url;
use zeroize::Zeroizing;

use crate::model::{Clock, Credential, Identity, Liveness, SystemClock};
use crate::net::{Answer, Header, Method, Net, Request};

const VERSION: &str = "2021-08-06";
const QUERY: &str = "comp=properties&restype=account";
/// Where accounts are, by cloud.
const CLOUDS: [&str; 3] = ["core.windows.net", "core.chinacloudapi.cn", "core.usgovcloudapi.net"];

/// What the answers mean.
pub(super) const ANSWERS: &[(&str, &str)] = &[
    ("live", "the account tells its kind for what the key has signed"),
    ("limited", "AuthorizationPermissionMismatch or AccountIsDisabled: the signature holds, and no more is allowed"),
    ("dead", "AuthenticationFailed, and the signature is not what the account's keys give: both were made anew since"),
    (
        "unknown",
        "the account lets nobody in from here, or takes no keys at all, or is not there; or the clocks differ, or another answer",
    ),
];

pub(super) async fn check(net: &Net, credential: &Credential) -> Liveness {
    let (account, url) = match place(net, credential) {
        Ok(place) => place,
        Err(why) => return Liveness::NotChecked(Some(why)),
    };
    let Some(request) = request(credential, (&account, url), SystemClock.now()) else {
        return Liveness::Unknown("its key is no base64".to_owned());
    };
    match net.ask(&request).await {
        Ok(answer) => judge(&answer, &account),
        Err(error) => Liveness::Unknown(error.to_string()),
    }
}

/// The account, and what is asked: at the host that stands beside the key, or else in the public cloud.
pub(super) fn place(net: &Net, credential: &Credential) -> Result<(String, Url), String> {
    let text = |name: &str| credential.part(name).and_then(|part| part.value.expose_str()).map(str::to_ascii_lowercase);
    let host = text("host");
    let of_host = host.as_deref().and_then(|host| host.split('.').next()).map(str::to_owned);
    let account = text("account").or(of_host).ok_or("its account stands nowhere near it")?;
    if !(3..=24).contains(&account.len()) || !account.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        return Err("its account is no name of one".to_owned());
    }
    let cloud = CLOUDS.iter().find(|cloud| host.as_deref().is_some_and(|host| host.ends_with(*cloud)));
    let origin = match net.endpoint("azure-storage") {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => format!("https://{account}.blob.{}", cloud.unwrap_or(&CLOUDS[0])),
    };
    let url = Url::parse(&format!("{origin}/?{QUERY}")).map_err(|_| "its address cannot be written".to_owned())?;
    Ok((account, url))
}

fn request(credential: &Credential, (account, url): (&str, Url), now: Timestamp) -> Option<Request> {
    let key = credential.part("key")?.value.expose_str()?;
    let key = Zeroizing::new(BASE64.decode(key.as_bytes()).ok()?);
    let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), to_sign(account, url.path(), &date).as_bytes());
    let login = Zeroizing::new(format!("SharedKey {account}:{}", BASE64.encode(signature.as_ref())));
    let header =
        |name: &str, value: &str| Header { name: name.to_owned(), value: Zeroizing::new(value.as_bytes().to_vec()) };
    let headers = vec![header("x-ms-date", &date), header("x-ms-version", VERSION), header("authorization", &login)];
    Some(Request { method: Method::Get, url, headers, body: None })
}

/// What is signed: the method, eleven empty standard headers, those of `x-ms-`, and the resource with its query in order.
fn to_sign(account: &str, path: &str, date: &str) -> String {
    format!(
        "GET{}x-ms-date:{date}\nx-ms-version:{VERSION}\n/{account}{path}\ncomp:properties\nrestype:account",
        "\n".repeat(12)
    )
}

fn judge(answer: &Answer, account: &str) -> Liveness {
    let body = String::from_utf8_lossy(&answer.body);
    let header = answer.headers.get("x-ms-error-code").and_then(|code| code.to_str().ok());
    let in_body = || body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    let code = header.or_else(in_body).unwrap_or_default();
    let unknown = |why: &str| Liveness::Unknown(why.to_owned());
    let limited = |why: &str| Liveness::Limited(identity(account), why.to_owned());
    match (answer.status, code) {
        (200, _) if answer.headers.contains_key("x-ms-account-kind") => Liveness::Live(identity(account)),
        (403, "AuthorizationPermissionMismatch") => limited("the signature holds, but it may not ask that"),
        (403 | 409, "AccountIsDisabled") => limited("the signature holds, but the account is disabled"),
        (403, "AuthenticationFailed") if body.contains("MAC signature") => {
            Liveness::Dead("neither of the account's keys is this one".to_owned())
        }
        (403, "AuthenticationFailed") if body.contains("date header") => {
            unknown("Azure finds the time wrong; is this machine's clock right?")
        }
        (403, "KeyBasedAuthenticationNotPermitted") => unknown("the account takes no keys; whether this is one is not said"),
        (403, "AuthorizationFailure") => unknown("the account lets nobody in from here"),
        (429 | 503, _) => unknown("Azure is limiting the rate"),
        (status, _) => Liveness::Unknown(format!("HTTP {status}: not what Azure Storage is known to say of a key")),
    }
}

fn identity(account: &str) -> Identity {
    let mut identity = Identity::default();
    identity.set("account", account);
    identity
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::super::scripted::{Server, credential};
    use super::{check, place, request, to_sign};
    use crate::model::Liveness;
    use crate::net::testing::http;
    use crate::net::{Net, Settings};

    fn key() -> String {
        BASE64.encode(&[7; 64])
    }

    fn net(endpoint: Option<&str>) -> Net {
        let endpoints = endpoint.map(|url| ("azure-storage".to_owned(), url.parse().expect("a URL"))).into_iter().collect();
        Net::new(Settings { endpoints, ..Settings::default() }).expect("clients")
    }

    #[test]
    fn what_is_signed_is_as_documented() {
        // The example of "Authorize with Shared Key", with this query and version.
        let expected = "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2021-08-06\n\
                        /myaccount/\ncomp:properties\nrestype:account";
        assert_eq!(to_sign("myaccount", "/", "Fri, 26 Jun 2015 23:39:12 GMT"), expected);
    }

    #[test]
    fn it_is_asked_where_the_account_is_and_the_key_is_not_sent() {
        let key = key();
        let asked = |parts: &[(&str, &str)]| place(&net(None), &credential(parts)).map(|(_, url)| url.to_string());
        for (parts, expected) in [
            (&[("account", "Acme1")][..], "https://acme1.blob.core.windows.net/?comp=properties&restype=account"),
            (
                &[("host", "acme1.queue.core.chinacloudapi.cn")],
                "https://acme1.blob.core.chinacloudapi.cn/?comp=properties&restype=account",
            ),
            (&[("host", "acme1.evil.example")], "https://acme1.blob.core.windows.net/?comp=properties&restype=account"),
        ] {
            assert_eq!(asked(parts).as_deref(), Ok(expected));
        }
        for parts in [&[][..], &[("account", "a/b")], &[("account", "evil.example")]] {
            assert!(asked(parts).is_err(), "{parts:?}");
        }
        let own = credential(&[("key", &key), ("account", "acme1")]);
        let (account, url) = place(&net(None), &own).expect("a place");
        let request = request(&own, (&account, url), jiff::Timestamp::UNIX_EPOCH).expect("a request");
        let headers: Vec<String> = request
            .headers
            .iter()
            .map(|header| format!("{}: {}", header.name, String::from_utf8_lossy(&header.value)))
            .collect();
        assert_eq!(headers[0], "x-ms-date: Thu, 01 Jan 1970 00:00:00 GMT");
        assert!(headers[2].starts_with("authorization: SharedKey acme1:") && !headers.concat().contains(&key[..40]));
    }

    #[tokio::test]
    async fn every_documented_answer_and_others() {
        let error = |code: &str, detail: &str| {
            format!(
                "<?xml version=\"1.0\"?><Error><Code>{code}</Code><AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail></Error>"
            )
        };
        let mac = "The MAC signature found in the HTTP request 'x' is not the same as any computed signature.";
        for (status, body, state) in [
            ("200 OK\r\nx-ms-account-kind: StorageV2", String::new(), "live"),
            ("200 OK", "<html>sign in</html>".to_owned(), "unknown"),
            ("403 x", error("AuthenticationFailed", mac), "dead"),
            ("403 x", error("AuthenticationFailed", "Request date header too old: 'x'"), "unknown"),
            ("403 x", error("AuthenticationFailed", "something else"), "unknown"),
            ("403 x", error("AuthorizationPermissionMismatch", ""), "limited"),
            ("403 x", error("KeyBasedAuthenticationNotPermitted", ""), "unknown"),
            ("403 x", error("AuthorizationFailure", ""), "unknown"),
            ("409 x", error("AccountIsDisabled", ""), "limited"),
            ("404 x", error("ResourceNotFound", ""), "unknown"),
        ] {
            let server = Server::answering(&[&http(status, "", &body)]);
            let own = credential(&[("key", &key()), ("account", "acme1")]);
            let said = check(&net(Some(&server.url())), &own).await;
            assert_eq!(said.state(), state, "{body}: {said:?}");
            assert!(server.has_heard("GET /?comp=properties&restype=account HTTP/1.1"));
        }
        let broken = credential(&[("key", "not base64!"), ("account", "acme1")]);
        assert!(matches!(check(&net(None), &broken).await, Liveness::Unknown(_)));
        assert!(matches!(check(&net(None), &credential(&[("key", &key())])).await, Liveness::NotChecked(Some(_))));
    }
}
