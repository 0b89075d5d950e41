//! Where role credentials are asked for, and which way requests go.

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use super::{Routes, gives_roles};
use crate::net::testing::{Server, http};

#[test]
fn role_credentials_are_given_out_at_these_addresses_alone() {
    for (uri, wanted) in [
        ("http://169.254.169.254/latest/api/token", true),
        ("http://169.254.170.2/v2/credentials/x", true),
        ("http://169.254.170.23/v1/credentials", true),
        ("http://[fd00:ec2::254]/latest/meta-data", true),
        ("http://[fd00:ec2::23]/v1/credentials", true),
        ("http://127.0.0.1:8080/creds", true),
        ("http://localhost:8080/creds", true),
        ("https://sts.us-east-1.amazonaws.com/", false),
        ("https://169.254.169.254.example.com/", false),
        ("http://10.0.0.1/", false),
        ("http://[fd00:ec3::1]/", false),
        ("", false),
    ] {
        assert_eq!(gives_roles(uri), wanted, "{uri}");
    }
}

#[tokio::test]
async fn role_credentials_are_not_asked_for_through_a_proxy() {
    let saying = |body: &'static str| {
        Server::talking(move |peer| {
            peer.hear();
            peer.say(&http("200 OK", "", body));
        })
    };
    let (proxy, own) = (saying("proxy"), saying("own"));
    let build = |config| SharedHttpConnector::new(Connector::builder().proxy_config(config).build_http());
    let through = ProxyConfig::all(proxy.url()).expect("a proxy");
    let routes = Routes { usual: build(through), direct: build(ProxyConfig::disabled()) };
    let get = |url: &str| HttpRequest::get(url).expect("a request");
    assert!(routes.call(get(&format!("{}/creds", own.url()))).await.is_ok());
    assert_eq!((own.visits(), proxy.visits()), (1, 0));
    assert!(routes.call(get("http://sts.example/")).await.is_ok());
    assert_eq!((own.visits(), proxy.visits()), (1, 1));
}
