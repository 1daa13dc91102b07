//! `throng serve`: the store behind the gate, over HTTP, until a signal comes.

use std::net::SocketAddr;
use std::process::ExitCode;

use serde_json::json;
use throng_privacy::{DELTA, Policy, Protection};
use throng_store::Store;

use crate::authn::Authenticator;
use crate::config::Config;
use crate::failure::Failure;
use crate::http::{self, Service};
use crate::jwt::Verifier;
use crate::keys::{self, KeyRing};
use crate::output::{Output, note};
use crate::telemetry::Telemetry;
use crate::{logging, platform};

/// Serves the data directory.
pub(crate) fn serve(config: &Config, output: Output) -> Result<ExitCode, Failure> {
    let policy = config.policy()?;
    logging::start(&config.log);
    let store = platform::open(config)?;
    use_small_pages();
    run(config, store, policy, |addresses| announce(addresses, output))?;
    Ok(ExitCode::SUCCESS)
}

/// Serves a store until a signal comes; closes it at the end.
pub(super) fn run(
    config: &Config,
    store: Store,
    policy: Policy,
    announce: impl FnOnce(&[SocketAddr]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let keys = KeyRing::open(config.data.join(keys::FILE))?;
    let jwt = Verifier::open(&config.jwt)?;
    let telemetry = Telemetry::start(&config.telemetry)?;
    match policy.protection() {
        Protection::Noise => {
            let (rho, epsilon) = (policy.rho(), policy.epsilon());
            tracing::info!(
                rho,
                epsilon,
                delta = DELTA,
                "protection is \"noise\", for each viewer's day with each entity"
            );
        }
        Protection::Threshold => {
            tracing::warn!(
                "protection is \"threshold\": comparing answers can isolate people; docs/PRIVACY.md says how"
            );
        }
    }
    if !config.http.listen.ip().is_loopback() {
        tracing::warn!("tokens travel unencrypted: put a TLS proxy in front, and let it alone reach this port");
    }
    if keys.is_empty() && jwt.is_none() {
        note("No key works yet. Make one with: throng key create --role operator");
    }
    let schema = platform::schema(&store, config, policy)?;
    http::run(Service::new(store, schema, Authenticator::new(keys, jwt), telemetry, config)?, config, announce)
}

/// Tells the system to give this process memory by the small page. The allocator asks for pages of 2 MB, of which a question uses
/// a part each: filling them with zeros was two thirds of what the first questions after a start took. Opening a store and an
/// import fill all they ask for and are better off with large ones.
fn use_small_pages() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "huge pages stay");
    }
}

fn announce(addresses: &[SocketAddr], output: Output) -> Result<(), Failure> {
    let urls: Vec<_> = addresses.iter().map(|address| format!("http://{address}")).collect();
    let lines = urls.iter().map(|url| format!("{url}/  {url}/playground  {url}/graphql\n"));
    let text: String = std::iter::once("Throng serves until Ctrl-C:\n".to_owned()).chain(lines).collect();
    output.result(&text, &json!({ "listening": urls }))
}
