//! Where changes are posted. The URL is a secret: whoever has it may write to the channel behind it.

use std::fmt;
use std::time::Duration;

use url::Url;
use zeroize::Zeroizing;

use crate::aws::{PostError, post_json};
use crate::loopback::is_loopback;

/// How long one attempt may take in all.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The waits before the second, third and fourth attempt.
const RETRIES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// The largest URL, in bytes.
const MAX_URL: usize = 4_096;

/// A place that changes are posted to. It is never shown, in no form.
pub struct Webhook {
    url: Zeroizing<String>,
    is_loopback: bool,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook(…)")
    }
}

/// Why there is no webhook, or nothing was delivered. It never holds the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// It is no URL.
    #[error("the webhook is no URL: it begins with https:// and names a host")]
    NoUrl,
    /// Anybody on the way could read it.
    #[error("the webhook is not https, and anybody on the way could read it and use it")]
    Insecure,
    /// It answered, and did not take it.
    #[error("the webhook answered {0}")]
    Status(u16),
    /// It could not be reached.
    #[error("the webhook could not be reached: {0}")]
    Post(PostError),
}

impl Webhook {
    /// Takes an https URL; one of http only on loopback, or when `insecure` says that it may be.
    pub fn new(url: &str, insecure: bool) -> Result<Self, WebhookError> {
        let url = url.trim();
        let parsed = Url::parse(url).ok().filter(|_| url.len() <= MAX_URL).ok_or(WebhookError::NoUrl)?;
        parsed.host().ok_or(WebhookError::NoUrl)?;
        let is_loopback = is_loopback(url);
        match parsed.scheme() {
            "https" => {}
            "http" if is_loopback || insecure => {}
            "http" => return Err(WebhookError::Insecure),
            _ => return Err(WebhookError::NoUrl),
        }
        Ok(Self { url: Zeroizing::new(parsed.into()), is_loopback })
    }

    /// Posts a JSON document, and tries again up to three times when that may help.
    pub async fn post(&self, document: &str) -> Result<(), WebhookError> {
        let mut waits = RETRIES.into_iter();
        loop {
            let error = match post_json(&self.url, self.is_loopback, document, TIMEOUT).await {
                Ok(200..=299) => return Ok(()),
                Ok(status) => WebhookError::Status(status),
                Err(error) => WebhookError::Post(error),
            };
            // What was refused for what it is will be refused again.
            let final_answer =
                matches!(error, WebhookError::Status(status) if status < 500 && status != 429 && status != 408);
            match waits.next() {
                Some(wait) if !final_answer => tokio::time::sleep(wait).await,
                _ => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(url: &str, insecure: bool) -> Result<(), WebhookError> {
        Webhook::new(url, insecure).map(|webhook| assert_eq!(format!("{webhook:?}"), "Webhook(…)"))
    }

    #[test]
    fn only_what_nobody_on_the_way_can_read_is_taken() {
        for good in [
            "https://hooks.example/services/T/B/x",
            " https://h/\n",
            "http://127.0.0.1:9/x",
            "http://localhost/x",
            "http://[::1]:1",
        ] {
            assert_eq!(made(good, false), Ok(()), "{good}");
        }
        for insecure in ["http://hooks.example/x", "http://127.0.0.1.example/x", "http://10.0.0.1/x"] {
            assert_eq!(made(insecure, false), Err(WebhookError::Insecure), "{insecure}");
            assert_eq!(made(insecure, true), Ok(()), "{insecure}");
        }
        for bad in ["", "hooks.example/x", "file:///etc/passwd", "ftp://h/x", "https://"] {
            assert_eq!(made(bad, true), Err(WebhookError::NoUrl), "{bad}");
        }
    }

    #[test]
    fn errors_do_not_tell_the_url() {
        let secret = "T0K3N";
        for url in
            [format!("http://hooks.example/{secret}"), format!("nonsense {secret}"), format!("gopher://h/{secret}")]
        {
            let text =
                Webhook::new(&url, false).map_or_else(|error| format!("{error} {error:?}"), |_| secret.to_owned());
            assert!(!text.contains(secret), "{text}");
        }
    }
}
