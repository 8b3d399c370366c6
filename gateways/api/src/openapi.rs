//! The OpenAPI 3.1 document, made of the table of endpoints and of the types that go over the wire.

use crate::gateway::Shared;
use crate::routes;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodFilter;
use axum::routing::{MethodRouter, on};
use bytes::Bytes;
use http::{HeaderValue, header};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};
use std::sync::{Arc, OnceLock};

type Describe = fn(&mut SchemaGenerator) -> Schema;

/// An endpoint: what answers it, and what there is to say about it.
pub(crate) struct Endpoint {
    pub(crate) path: &'static str,
    pub(crate) handler: MethodRouter<Arc<Shared>>,
    method: &'static str,
    tag: &'static str,
    summary: &'static str,
    query: Option<Describe>,
    /// Content type, and the schema where it is JSON.
    body: Option<(&'static str, Option<Describe>)>,
    status: u16,
    answer: Option<(&'static str, Option<Describe>)>,
    open: bool,
}

const JSON: &str = "application/json";

macro_rules! methods {
    ($($name:ident = $filter:ident $text:literal,)*) => {$(
        #[doc = concat!("An endpoint for ", stringify!($filter), ".")]
        pub(crate) fn $name<H, T>(path: &'static str, tag: &'static str, summary: &'static str, handler: H) -> Endpoint
        where
            H: Handler<T, Arc<Shared>>,
            T: 'static,
        {
            Endpoint {
                path,
                handler: on(MethodFilter::$filter, handler),
                method: $text,
                tag,
                summary,
                query: None,
                body: None,
                status: 200,
                answer: None,
                open: false,
            }
        }
    )*};
}

methods! {
    get = GET "get",
    put = PUT "put",
    post = POST "post",
    delete = DELETE "delete",
}

fn describe<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn described<T: JsonSchema>(_: &mut SchemaGenerator) -> Schema {
    // Parameters stand on their own, each with its schema.
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>()
}

impl Endpoint {
    /// Needs no signature.
    pub(crate) fn open(mut self) -> Self {
        self.open = true;
        self
    }

    pub(crate) fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(described::<T>);
        self
    }

    pub(crate) fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some((JSON, Some(describe::<T>)));
        self
    }

    pub(crate) fn takes_bytes(mut self) -> Self {
        self.body = Some(("application/octet-stream", None));
        self
    }

    pub(crate) fn takes_text(mut self) -> Self {
        self.body = Some(("text/plain", None));
        self
    }

    pub(crate) fn json<T: JsonSchema>(mut self) -> Self {
        self.answer = Some((JSON, Some(describe::<T>)));
        self
    }

    pub(crate) fn created<T: JsonSchema>(mut self) -> Self {
        self.status = 201;
        self.json::<T>()
    }

    pub(crate) fn any(mut self) -> Self {
        self.answer = Some((JSON, None));
        self
    }

    pub(crate) fn bytes(mut self, kind: &'static str) -> Self {
        self.answer = Some((kind, None));
        self
    }

    pub(crate) fn text(self) -> Self {
        self.bytes("text/plain")
    }

    /// Long work: a JSON line for each step.
    pub(crate) fn steps<T: JsonSchema>(mut self) -> Self {
        self.answer = Some((
            "application/x-ndjson",
            Some(describe::<stead_client::wire::Step<T>>),
        ));
        self
    }

    pub(crate) fn events<T: JsonSchema>(mut self) -> Self {
        self.answer = Some(("text/event-stream", Some(describe::<T>)));
        self
    }

    pub(crate) fn nothing(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// As the document has it: `{*key}` is `{key}` there.
    fn template(&self) -> String {
        self.path.replace("{*", "{")
    }

    fn operation(&self, generator: &mut SchemaGenerator) -> Value {
        let mut operation = json!({
            "operationId": self.id(),
            "summary": self.summary,
            "tags": [self.tag],
            "parameters": self.parameters(generator),
            "responses": {
                self.status.to_string(): self.response(generator),
                "default": { "$ref": "#/components/responses/Problem" },
            },
        });
        if let Some((kind, schema)) = self.body {
            operation["requestBody"] = json!({ "content": { kind: media(schema, generator) } });
        }
        if self.open {
            operation["security"] = json!([]);
        }
        operation
    }

    fn id(&self) -> String {
        let words = self.path.replace("/api/v1/", "");
        let words: Vec<_> = words
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        format!("{}_{}", self.method, words.join("_"))
    }

    fn parameters(&self, generator: &mut SchemaGenerator) -> Vec<Value> {
        let mut parameters: Vec<_> = self
            .path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| {
                let key = name.strip_prefix('*');
                let note = key.map_or("", |_| "A key; its slashes stay slashes.");
                let kind = if matches!(name, "position" | "number") {
                    "integer"
                } else {
                    "string"
                };
                json!({
                    "name": key.unwrap_or(name), "in": "path", "required": true,
                    "description": note, "schema": { "type": kind },
                })
            })
            .collect();
        let Some(query) = self.query else {
            return parameters;
        };
        let schema = query(generator).to_value();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            let mut schema = schema.clone();
            let text = schema["description"].as_str().unwrap_or_default().to_owned();
            if let Some(schema) = schema.as_object_mut() {
                schema.remove("description");
            }
            let needed = required.contains(&json!(name));
            parameters.push(json!({
                "name": name, "in": "query", "required": needed, "description": text, "schema": schema,
            }));
        }
        parameters
    }

    fn response(&self, generator: &mut SchemaGenerator) -> Value {
        match self.answer {
            None => json!({ "description": "Done" }),
            Some((kind, schema)) => json!({
                "description": self.summary,
                "content": { kind: media(schema, generator) },
            }),
        }
    }
}

fn media(schema: Option<Describe>, generator: &mut SchemaGenerator) -> Value {
    match schema {
        Some(schema) => json!({ "schema": schema(generator) }),
        None => json!({}),
    }
}

/// The whole document.
pub(crate) fn build() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for endpoint in routes::endpoints() {
        let operation = endpoint.operation(&mut generator);
        paths.entry(endpoint.template()).or_insert_with(|| json!({}))[endpoint.method] = operation;
    }
    let problem = generator.subschema_for::<stead_client::wire::Problem>();
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Stead",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Stead's own HTTP API. Errors are problem documents (RFC 9457) with Stead's codes; \
                lists come in pages (`cursor`, `limit`, `next`).",
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, { "tokenInUrl": [] }, { "signature": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": { "Problem": {
                "description": "What failed, why, and what to do",
                "content": { "application/problem+json": { "schema": problem } },
            } },
            "securitySchemes": {
                "token": {
                    "type": "http", "scheme": "bearer",
                    "description": "From POST /api/v1/tokens",
                },
                "tokenInUrl": {
                    "type": "apiKey", "in": "query", "name": "token",
                    "description": "The same, for GET and HEAD where no header can be set",
                },
                "signature": {
                    "type": "apiKey", "in": "header", "name": "Authorization",
                    "description": "AWS Signature Version 4, service and region `stead`",
                },
            },
        },
    })
}

/// `GET /api/v1/openapi.json`
pub(crate) async fn document() -> Response {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    // A document of strings: JSON can hold it.
    let text = TEXT.get_or_init(|| serde_json::to_vec(&build()).unwrap_or_default().into());
    let mut response = text.clone().into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_document_has_what_the_router_has() {
        let document = build();
        let mut told = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                told.insert((path.clone(), method.clone()));
            }
        }
        let endpoints = routes::endpoints();
        let routed: BTreeSet<_> = endpoints
            .iter()
            .map(|endpoint| (endpoint.template(), endpoint.method.to_owned()))
            .collect();
        assert_eq!(told, routed);
        assert_eq!(routed.len(), endpoints.len(), "an endpoint stands there twice");
    }

    #[test]
    fn every_reference_has_its_schema_and_every_operation_its_own_name() {
        let document = build();
        let text = document.to_string();
        let mut names = BTreeSet::new();
        for part in text.split("\"$ref\":\"").skip(1) {
            let pointer = part.split('"').next().unwrap().trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
        for part in text.split("\"operationId\":\"").skip(1) {
            assert!(names.insert(part.split('"').next().unwrap()), "{part:.40}");
        }
    }
}
