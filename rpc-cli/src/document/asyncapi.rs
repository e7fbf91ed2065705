//! A service as an AsyncAPI 3 document: a channel for its requests, one for the replies, an operation for each method.

use rpc_runtime::discovery::{MethodInfo, ServiceInfo};
use serde_json::{Map, Value, json};

use super::types;

pub(crate) fn document(service: &ServiceInfo) -> Value {
    let (mut requests, mut replies, mut operations) = (Map::new(), Map::new(), Map::new());
    for method in &service.methods {
        requests.insert(method.name.clone(), request(method));
        let mut answers = vec![("result", result(method))];
        answers.extend(error(method).map(|error| ("error", error)));
        answers.push(("fault", fault()));
        let mut named = Vec::new();
        if !method.oneway {
            for (kind, message) in answers {
                let name = format!("{}-{kind}", method.name);
                named.push(json!({"$ref": format!("#/channels/replies/messages/{name}")}));
                replies.insert(name, message);
            }
        }
        operations.insert(method.name.clone(), operation(method, &named));
    }
    let address = match service.exchange.as_str() {
        "" => service.queue.clone(),
        _ => format!("{}.*", service.queue),
    };
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": service.name,
            "version": service.version.unwrap_or(1).to_string(),
            "description": service.doc,
        },
        "defaultContentType": "application/json",
        "channels": {
            "requests": {
                "address": address,
                "messages": requests,
                "bindings": {"amqp": binding(service)},
            },
            "replies": {
                "address": null,
                "description": "The caller's callback queue, which its request names in reply_to.",
                "messages": replies,
            },
        },
        "operations": operations,
    })
}

fn binding(service: &ServiceInfo) -> Value {
    if service.exchange.is_empty() {
        let queue = json!({"name": service.queue, "durable": true, "exclusive": false, "autoDelete": false});
        json!({"is": "queue", "queue": queue, "bindingVersion": "0.3.0"})
    } else {
        let exchange = json!({"name": service.exchange, "type": "topic", "durable": true, "autoDelete": false});
        json!({"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"})
    }
}

fn operation(method: &MethodInfo, replies: &[Value]) -> Value {
    let mut operation = json!({
        "action": "receive",
        "summary": method.doc.lines().next().unwrap_or_default(),
        "description": method.doc,
        "channel": {"$ref": "#/channels/requests"},
        "messages": [{"$ref": format!("#/channels/requests/messages/{}", method.name)}],
    });
    if let Some(operation) = operation.as_object_mut()
        && !replies.is_empty()
    {
        let reply = json!({
            "address": {"location": "$message.header#/reply_to"},
            "channel": {"$ref": "#/channels/replies"},
            "messages": replies,
        });
        operation.insert("reply".to_owned(), reply);
    }
    operation
}

fn request(method: &MethodInfo) -> Value {
    let arguments = method.arguments.iter();
    let properties: Map<String, Value> = arguments
        .clone()
        .map(|one| (one.name.clone(), types::sent_or_derived(one.schema.as_ref(), &one.ty)))
        .collect();
    let required: Vec<&str> = arguments
        .filter(|one| !one.ty.trim_start().starts_with("Option<"))
        .map(|one| one.name.as_str())
        .collect();
    json!({
        "name": method.name,
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {
                "type": {"const": method.name},
                "reply_to": {"type": "string"},
                "correlation_id": {"type": "string"},
            },
        },
        "payload": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        },
        "correlationId": {"location": "$message.header#/correlation_id"},
    })
}

fn answer(kind: &str, payload: &Value) -> Value {
    json!({
        "name": kind,
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {"type": {"const": kind}, "correlation_id": {"type": "string"}},
        },
        "payload": payload,
        "correlationId": {"location": "$message.header#/correlation_id"},
    })
}

fn result(method: &MethodInfo) -> Value {
    let (value, _) = types::result(&method.returns);
    answer("result", &types::sent_or_derived(method.result_schema.as_ref(), value))
}

fn error(method: &MethodInfo) -> Option<Value> {
    let (_, error) = types::result(&method.returns);
    error.map(|ty| answer("error", &types::sent_or_derived(method.error_schema.as_ref(), ty)))
}

/// A fault: the reason is in its headers, and again in its body for readers that ignore headers.
fn fault() -> Value {
    let text = json!({"type": "string"});
    let reason = json!({"type": "object", "properties": {"fault": text, "message": text}});
    json!({
        "name": "fault",
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {
                "type": {"const": "fault"},
                "rpc-fault": {"type": "string"},
                "rpc-message": {"type": "string"},
                "correlation_id": {"type": "string"},
            },
        },
        "payload": {"type": "object", "properties": {"err": reason}},
        "correlationId": {"location": "$message.header#/correlation_id"},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_an_operation() {
        let document = document(&crate::document::sample());
        assert_eq!(document["info"]["version"], json!("2"));
        assert_eq!(document["channels"]["requests"]["address"], json!("Fibonacci.v2"));
        let request = &document["channels"]["requests"]["messages"]["fib"]["payload"];
        assert_eq!(request["required"], json!(["n"]));
        assert_eq!(request["properties"]["n"], json!({"type": "integer", "minimum": 0}));
        let replies = &document["operations"]["fib"]["reply"]["messages"];
        assert_eq!(replies.as_array().map(Vec::len), Some(3), "result, error, fault");
        assert!(document["operations"]["reset"].get("reply").is_none(), "one-way");
    }

    #[test]
    fn every_reference_resolves() {
        let document = document(&crate::document::sample());
        let mut references = Vec::new();
        gather(&document, &mut references);
        assert!(references.len() > 6);
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    fn gather(value: &Value, references: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                references.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| gather(member, references));
            }
            Value::Array(items) => items.iter().for_each(|item| gather(item, references)),
            _ => {}
        }
    }
}
