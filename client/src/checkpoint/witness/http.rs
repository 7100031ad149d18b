//! One HTTP request to a witness, with limits on everything that comes back.

use std::time::{Duration, Instant};

use ureq::http::Uri;
use ureq::{Agent, Error};

use crate::checkpoint::answer::{WitnessProblem, WitnessReply};

/// Cosignatures are a few hundred bytes each, post-quantum ones a few thousand.
const MOST: u64 = 64 << 10;

pub(super) struct Post {
    agent: Agent,
    url: String,
}

/// Whether witnesses can be asked there.
pub(super) fn check(url: &str) -> Result<(), &'static str> {
    let uri: Uri = url.parse().map_err(|_| "it is no URL")?;
    match uri.scheme_str() {
        Some("http" | "https") => {}
        _ => return Err("it does not begin with http:// or https://"),
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err("it has no host");
    }
    // What stands there may be a password, and addresses are shown.
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("it holds a user's name or a password");
    }
    if uri.query().is_some() || url.contains('#') {
        return Err("it has more than a path");
    }
    Ok(())
}

impl Post {
    pub(super) fn new(prefix: &str) -> Self {
        let config = Agent::config_builder()
            // A checkpoint goes where it was sent, and nowhere else.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("counterfoil/", env!("CARGO_PKG_VERSION")))
            .build();
        let url = format!("{}/add-checkpoint", prefix.trim_end_matches('/'));
        Self { agent: config.into(), url }
    }

    /// Blocks, until this moment at the latest.
    pub(super) fn send(&self, body: &str, until: Instant) -> Result<WitnessReply, WitnessProblem> {
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let request = self.agent.post(&self.url).config().timeout_global(Some(left)).build();
        let request = request.content_type("text/plain; charset=utf-8");
        let mut response = request.send(body).map_err(problem)?;
        let content_type = response.headers().get("content-type");
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = content_type.to_owned();
        let read = response.body_mut().with_config().limit(MOST).read_to_vec();
        let body = read.map_err(problem)?;
        Ok(WitnessReply { status: response.status().as_u16(), content_type, body })
    }
}

fn problem(error: Error) -> WitnessProblem {
    match error {
        Error::BodyExceedsLimit(_) => WitnessProblem::TooLarge,
        error => WitnessProblem::Unreachable { cause: error.to_string() },
    }
}
