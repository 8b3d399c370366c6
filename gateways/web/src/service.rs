//! Requests: pages and files, the session, and what goes on to the API.

use crate::assets::Assets;
use crate::follow::Following;
use crate::signin::Session;
use crate::{Answer, Web, boxed, guard, headers};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, COOKIE, HeaderValue, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use serde::{Deserialize, Serialize};
use stead_gateway::listen::{Body, Peer};
use stead_gateway::metrics::Answered;
use stead_gateway::{Code, codes};

/// The paths that are pages of the console. Which one is shown is the script's business.
const PAGES: &[&str] = &[
    "/", "/buckets", "/bucket", "/object", "/log", "/keys", "/cluster", "/health", "/guides",
];
/// The largest body of a sign-in, in bytes.
const SIGN_IN_BYTES: usize = 4096;
const HTML: &str = "text/html; charset=utf-8";

/// `POST /session`
#[derive(Deserialize)]
struct SignInRequest {
    token: String,
}

/// `GET /session`
#[derive(Serialize)]
struct SessionAnswer<'a> {
    user: &'a str,
    access_key: &'a str,
    administrator: bool,
    csrf: &'a str,
    expires_micros: i64,
    node: String,
    release: &'a str,
}

/// An error, in the form of the API's.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: String,
    next: &'a str,
}

fn answer(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Answer> {
    let mut response = Response::new(boxed(Full::new(body.into())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn problem(status: StatusCode, code: Code, detail: &str, next: &str) -> Response<Answer> {
    let page = codes::page(code);
    let body = Problem {
        r#type: format!("urn:stead:{code}"),
        title: page.map_or("", |page| page.title),
        status: status.as_u16(),
        detail,
        code: code.to_string(),
        next,
    };
    // Plain fields always have a JSON form.
    answer(
        status,
        "application/problem+json",
        serde_json::to_vec(&body).unwrap_or_default(),
    )
}

fn redirect(to: &'static str) -> Response<Answer> {
    let mut response = answer(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "");
    response
        .headers_mut()
        .insert(LOCATION, HeaderValue::from_static(to));
    response
}

fn not_signed_in() -> Response<Answer> {
    problem(
        StatusCode::UNAUTHORIZED,
        codes::UNSIGNED,
        "this browser is not signed in, or no longer",
        "run `stead console` for a new link",
    )
}

impl Web {
    /// Answers one request.
    pub(crate) async fn answer(&self, peer: Peer, request: Request<Body>) -> Response<Answer> {
        let context = &self.0.context;
        let began = context.clock.instant();
        let (parts, body) = request.into_parts();
        // What goes on to the API is counted there.
        let counted = !parts.uri.path().starts_with("/api/");
        let mut response = match guard::host(&parts) {
            Some(host) if guard::is_ours(host, &self.0.options.hosts) => self.route(peer, parts, body).await,
            _ => answer(
                StatusCode::MISDIRECTED_REQUEST,
                "text/plain; charset=utf-8",
                "This host name is not the console's. Open it by its address, or name the host in stead.toml: \
                 [web] hosts = [\"…\"].\n",
            ),
        };
        headers::always(response.headers_mut());
        if counted {
            context.metrics.answered(Answered {
                gateway: "web",
                operation: "Page",
                status: response.status().as_u16(),
                took: context.clock.instant().saturating_duration_since(began),
            });
        }
        response
    }

    async fn route(&self, peer: Peer, parts: Parts, body: Body) -> Response<Answer> {
        let path = parts.uri.path();
        if path == "/session" {
            return self.session(parts, body).await;
        }
        if path.starts_with("/api/") {
            return self.api(peer, parts, body).await;
        }
        if !guard::is_safe(&parts.method) {
            return problem(
                StatusCode::METHOD_NOT_ALLOWED,
                codes::INVALID,
                "a page is only read",
                "use GET",
            );
        }
        self.page(&parts)
    }

    /// Pages and files. All but the pages themselves is the same for everybody, and in the source.
    fn page(&self, parts: &Parts) -> Response<Answer> {
        let (path, assets) = (parts.uri.path(), &self.0.assets);
        if PAGES.contains(&path) {
            return match self.session_of(parts) {
                Some(_) => answer(StatusCode::OK, HTML, assets.index()),
                None => redirect("/signin"),
            };
        }
        if path == "/signin" {
            return answer(StatusCode::OK, HTML, assets.sign_in());
        }
        let kept = match path {
            "/icon.svg" => Some(("image/svg+xml", Assets::icon(), "public, max-age=86400")),
            path => assets
                .find(path)
                .map(|(kind, text)| (kind, text, "public, max-age=31536000, immutable")),
        };
        let Some((kind, text, keep)) = kept else {
            return answer(
                StatusCode::NOT_FOUND,
                "text/plain; charset=utf-8",
                "There is no such page. The console begins at /.\n",
            );
        };
        let mut response = answer(StatusCode::OK, kind, text);
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static(keep));
        response
    }

    fn session_of(&self, parts: &Parts) -> Option<Session> {
        let session = self
            .0
            .doors
            .session(guard::cookie(&parts.headers, &self.0.cookie)?)?;
        // A revoked key's sessions are over.
        self.identity(&session.who)?;
        Some(session)
    }

    /// `/session`: sign-in, who this is, sign-out.
    async fn session(&self, parts: Parts, body: Body) -> Response<Answer> {
        if !guard::is_same_origin(&parts) {
            return foreign();
        }
        match parts.method {
            Method::POST => self.sign_in(&parts, body).await,
            Method::GET => self.who(&parts),
            Method::DELETE => self.sign_out(&parts),
            _ => problem(
                StatusCode::METHOD_NOT_ALLOWED,
                codes::INVALID,
                "a session is begun, asked for or ended",
                "use POST, GET or DELETE",
            ),
        }
    }

    async fn sign_in(&self, parts: &Parts, body: Body) -> Response<Answer> {
        // JSON cannot be sent by a form of another page without a question that is not answered here.
        let json = parts
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        let bytes = match Limited::new(body, SIGN_IN_BYTES).collect().await {
            Ok(whole) if json => whole.to_bytes(),
            _ => Bytes::new(),
        };
        let entered = serde_json::from_slice::<SignInRequest>(&bytes)
            .ok()
            .and_then(|request| self.0.doors.enter(&request.token));
        let Some(entered) = entered else {
            tracing::info!("a sign-in with a link that is used, expired or wrong");
            return problem(
                StatusCode::FORBIDDEN,
                codes::EXPIRED,
                "this link was used already, or has expired",
                "run `stead console` for a new one",
            );
        };
        // Whoever signs in anew leaves the session of before.
        if let Some(before) = guard::cookie(&parts.headers, &self.0.cookie) {
            self.0.doors.leave(before);
        }
        let mut response = answer(StatusCode::OK, "application/json", "{}");
        self.set_cookie(&mut response, &entered.id, None);
        response
    }

    /// Not `Secure`: the console is reached without TLS on loopback, where some browsers would drop it.
    fn set_cookie(&self, response: &mut Response<Answer>, value: &str, age: Option<u32>) {
        let age = age.map(|age| format!("; Max-Age={age}")).unwrap_or_default();
        let text = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Strict{age}",
            self.0.cookie
        );
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(SET_COOKIE, value);
        }
    }

    fn who(&self, parts: &Parts) -> Response<Answer> {
        let session = self.session_of(parts);
        let known = session.and_then(|session| Some((self.identity(&session.who)?, session)));
        let Some((identity, session)) = known else {
            // Not being signed in is an answer here, no error.
            return answer(StatusCode::OK, "application/json", "{}");
        };
        let body = SessionAnswer {
            user: &identity.principal.0,
            access_key: &identity.access_key,
            administrator: identity.may_administer(),
            csrf: &session.csrf,
            expires_micros: session.expires_micros,
            node: self.0.context.node.to_string(),
            release: env!("CARGO_PKG_VERSION"),
        };
        answer(
            StatusCode::OK,
            "application/json",
            serde_json::to_vec(&body).unwrap_or_default(),
        )
    }

    fn sign_out(&self, parts: &Parts) -> Response<Answer> {
        let Some(session) = self.session_of(parts) else {
            return not_signed_in();
        };
        if !guard::has_token(&parts.headers, &session.csrf) {
            return foreign();
        }
        if let Some(id) = guard::cookie(&parts.headers, &self.0.cookie) {
            self.0.doors.leave(id);
        }
        let mut response = answer(StatusCode::OK, "application/json", "{}");
        self.set_cookie(&mut response, "", Some(0));
        response
    }

    /// On to the API, in the name of whoever signed in.
    async fn api(&self, peer: Peer, mut parts: Parts, body: Body) -> Response<Answer> {
        let Some(session) = self.session_of(&parts) else {
            return not_signed_in();
        };
        let Some(identity) = self.identity(&session.who) else {
            return not_signed_in();
        };
        let trusted = guard::is_safe(&parts.method) || guard::has_token(&parts.headers, &session.csrf);
        if !trusted || !guard::is_same_origin(&parts) {
            return foreign();
        }
        // The cookie and whatever else vouches for somebody stay here.
        parts.headers.remove(COOKIE);
        parts.headers.remove(AUTHORIZATION);
        parts.headers.remove(guard::CSRF);
        let uri = parts.uri.clone();
        let mut response = self
            .0
            .backend
            .call(identity, peer, Request::from_parts(parts, body))
            .await;
        let streams = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        headers::data(response.headers_mut(), &uri);
        if streams {
            response = response.map(|body| boxed(Following::new(body, session.alive)));
        }
        response
    }
}

fn foreign() -> Response<Answer> {
    problem(
        StatusCode::FORBIDDEN,
        codes::ACCESS_DENIED,
        "this request does not come from a page of this console",
        "reload the page and try again",
    )
}
