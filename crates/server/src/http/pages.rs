//! Everything that is neither data nor ingest: the dashboard, the playground, the schema, and the two probes.

use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, REFERRER_POLICY, VARY,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};

use super::Service;
use super::answer::Problem;
use super::negotiate::{has_already, prefers_brotli, takes_gzip};
use crate::assets::{self, Asset, PLAYGROUND_POLICY};
use crate::dashboard::{self, Body, File};

/// Names that do not change with the content: a browser must ask again each time, so an upgrade shows at once.
const ASK_AGAIN: &str = "no-cache";
/// Names that carry a hash of the content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Of the hash in an `ETag`: 16 bytes.
const TAG_DIGITS: usize = 32;

/// `GET /`: the dashboard. Its state is in the query of the address, which the server need not know.
pub(super) async fn dashboard(request: HttpRequest) -> HttpResponse {
    file(dashboard::page(), request.headers())
}

/// `GET /assets/…`: what the dashboard loads.
pub(super) async fn dashboard_asset(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    file(dashboard::asset(&name), request.headers())
}

fn file(found: Option<File>, headers: &HeaderMap) -> HttpResponse {
    let Some(file) = found else { return Problem::NOT_FOUND.plain() };
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, file.content_type))
        .insert_header((CONTENT_SECURITY_POLICY, dashboard::POLICY))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((CACHE_CONTROL, if file.is_immutable() { FOR_EVER } else { ASK_AGAIN }));
    match file.body {
        Body::Plain(body) => tagged(&mut response, headers, body),
        Body::Packed { brotli, .. } if prefers_brotli(headers) => {
            response.append_header((VARY, "Accept-Encoding")).insert_header((CONTENT_ENCODING, "br"));
            tagged(&mut response, headers, brotli)
        }
        Body::Packed { gzip, .. } => {
            response.append_header((VARY, "Accept-Encoding"));
            gzipped(&mut response, headers, gzip)
        }
    }
}

/// `GET /playground` and what it loads.
pub(super) async fn playground(
    request: HttpRequest,
    file: Option<web::Path<String>>,
    service: web::Data<Service>,
) -> HttpResponse {
    let name = file.as_ref().map_or("", |file| file.as_str());
    // The page's links are relative to `/playground`, so `/playground/` is no page.
    let is_page = service.playground && !(file.is_some() && name.is_empty());
    let asset = if is_page { assets::playground(name) } else { None };
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
        .insert_header((CACHE_CONTROL, ASK_AGAIN));
    if asset.encoding.is_none() {
        return tagged(&mut response, headers, asset.body);
    }
    response.append_header((VARY, "Accept-Encoding"));
    gzipped(&mut response, headers, asset.body)
}

/// As it is for clients that take gzip, unpacked for others.
fn gzipped(response: &mut HttpResponseBuilder, headers: &HeaderMap, body: &'static [u8]) -> HttpResponse {
    if takes_gzip(headers) {
        response.insert_header((CONTENT_ENCODING, "gzip"));
        return tagged(response, headers, body);
    }
    match unpack(body) {
        Ok(body) => tagged(response, headers, body),
        Err(_) => Problem::INTERNAL.plain(),
    }
}

/// The body with a tag that only this very body has, so each content encoding has its own; 304 without it for a client
/// that has it already.
fn tagged<B>(response: &mut HttpResponseBuilder, headers: &HeaderMap, body: B) -> HttpResponse
where
    B: AsRef<[u8]> + MessageBody + 'static,
{
    let hash = blake3::hash(body.as_ref()).to_hex();
    let tag = format!("\"{}\"", hash.get(..TAG_DIGITS).unwrap_or(&hash));
    let known = has_already(headers, &tag);
    response.insert_header((ETAG, tag));
    if !known {
        return response.body(body);
    }
    let mut response = response.status(StatusCode::NOT_MODIFIED).finish();
    // They are about the body, which the client keeps with the headers that it came with (RFC 9110 §15.4.5).
    response.headers_mut().remove(CONTENT_TYPE);
    response.headers_mut().remove(CONTENT_ENCODING);
    response
}

/// Rare: every browser takes gzip.
fn unpack(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed), &mut plain)?;
    Ok(plain)
}

/// `GET /schema.graphql`; with `?federation` as a subgraph of a federated graph.
pub(super) async fn schema(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, "text/plain; charset=utf-8")).insert_header((CACHE_CONTROL, ASK_AGAIN));
    let federation = matches!(request.query_string(), "federation" | "federation=" | "federation=true");
    if federation {
        return tagged(&mut response, request.headers(), throng_graphql::federation_sdl());
    }
    tagged(&mut response, request.headers(), service.sdl.clone())
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
