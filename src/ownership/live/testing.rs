//! For tests: the real IAM client over canned answers in IAM's wire format (query protocol, XML), shaped as in the API
//! reference.

use std::sync::{Arc, Mutex};

use aws_sdk_iam::Client;
use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

/// What the answers are: status and whole body, by the body of the request.
type Script = Arc<dyn Fn(&str) -> (u16, String) + Send + Sync>;

/// Answers by script, and remembers what was asked.
#[derive(Clone)]
pub(super) struct Wire {
    script: Script,
    asked: Arc<Mutex<Vec<String>>>,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let (status, text) = (self.script)(&body);
        self.asked.lock().expect("lock").push(body);
        let status = StatusCode::try_from(status).expect("status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(text))))
    }
}

impl Wire {
    /// Answers as `script` has it.
    pub(super) fn saying(script: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script), asked: Arc::default() }
    }

    /// Answers by action; anything else is refused.
    pub(super) fn by_action(answers: &[(&'static str, &str)]) -> Self {
        let answers: Vec<_> = answers.iter().map(|(name, inner)| (*name, (*inner).to_owned())).collect();
        Self::saying(move |body| {
            let action = body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default();
            match answers.iter().find(|(name, _)| *name == action) {
                Some((name, inner)) => (200, result(name, inner)),
                None => refused(),
            }
        })
    }

    /// A client that ends here.
    pub(super) fn client(&self) -> Client {
        let connector = SharedHttpConnector::new(self.clone());
        let config = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("responder", "not a secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        #[expect(clippy::disallowed_methods, reason = "this client ends at the canned answers above")]
        Client::from_conf(config)
    }

    /// The bodies of what was asked.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("lock").clone()
    }
}

/// An answer to an action.
pub(super) fn result(action: &str, inner: &str) -> String {
    format!("<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>")
}

/// No.
pub(super) fn refused() -> (u16, String) {
    let error = "<Error><Code>AccessDenied</Code><Message>no, secret-looking-text</Message></Error>";
    (403, format!("<ErrorResponse>{error}</ErrorResponse>"))
}

/// Waits for a future.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime").block_on(future)
}
