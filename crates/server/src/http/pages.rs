//! Everything that is neither data nor ingest: the start page, the playground, the schema, and the two probes.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, REFERRER_POLICY, VARY,
};
use actix_web::{HttpRequest, HttpResponse, web};

use super::Service;
use super::answer::Problem;
use super::negotiate::takes_gzip;
use crate::assets::{self, Asset, PLAYGROUND_POLICY};

const START_PAGE: &str = include_str!("../../assets/start.html");
/// The start page has no script and loads nothing.
const START_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// `GET /`.
pub(super) async fn start() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, START_POLICY))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .body(START_PAGE)
}

/// `GET /playground` and what it loads.
pub(super) async fn playground(request: HttpRequest, file: Option<web::Path<String>>) -> HttpResponse {
    let name = file.as_ref().map_or("", |file| file.as_str());
    // The page's links are relative to `/playground`, so `/playground/` is no page.
    let asset = if file.is_some() && name.is_empty() { None } else { assets::playground(name) };
    match asset {
        Some(asset) => embedded(&asset, request.headers()),
        None => Problem::NOT_FOUND.plain(),
    }
}

fn embedded(asset: &Asset, headers: &HeaderMap) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, asset.content_type))
        .insert_header((CONTENT_SECURITY_POLICY, PLAYGROUND_POLICY))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        // The names do not change with the content, so a browser must ask again after an upgrade.
        .insert_header((CACHE_CONTROL, "no-cache"));
    match asset.encoding {
        None => response.body(asset.body),
        Some(encoding) if takes_gzip(headers) => response
            .insert_header((CONTENT_ENCODING, encoding))
            .append_header((VARY, "Accept-Encoding"))
            .body(asset.body),
        Some(_) => match unpack(asset.body) {
            Ok(body) => response.append_header((VARY, "Accept-Encoding")).body(body),
            Err(_) => Problem::INTERNAL.plain(),
        },
    }
}

/// Rare: every browser takes gzip.
fn unpack(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed), &mut plain)?;
    Ok(plain)
}

/// `GET /schema.graphql`.
pub(super) async fn schema(service: web::Data<Service>) -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; charset=utf-8")).body(service.sdl.clone())
}

/// `GET /healthz`: the process answers.
pub(super) async fn healthz() -> HttpResponse {
    probe(true)
}

/// `GET /readyz`: it takes requests; not while it stops.
pub(super) async fn readyz(service: web::Data<Service>) -> HttpResponse {
    probe(service.is_ready())
}

fn probe(good: bool) -> HttpResponse {
    let (mut response, text) =
        if good { (HttpResponse::Ok(), "ok\n") } else { (HttpResponse::ServiceUnavailable(), "stopping\n") };
    response
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(text)
}
