use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use serde_json::Value;

use super::super::{HttpServer, Topic};
use super::sample;
use super::sample::Sample;

/// Status line, headers and body.
struct Reply {
    status: String,
    head: String,
    body: String,
}

#[test]
fn metrics_are_open_metrics_and_complete() {
    let server = serve(true);
    let reply = get(&server, "/metrics");
    assert!(reply.status.contains("200"), "{}", reply.status);
    assert!(reply.head.contains("application/openmetrics-text; version=1.0.0"));
    let samples = open_metrics(&reply.body);
    for (name, value) in [
        (r#"gateway_port_rx_packets_total{port="p0"}"#, 100.0),
        (r#"gateway_port_tx_full_total{port="up\"link\\"}"#, 6.0),
        (r#"gateway_port_up{port="p0"}"#, 1.0),
        (r#"gateway_worker_busy_ratios{lcore="2"}"#, 0.25),
        (r#"gateway_worker_imbalance{lcore="2"}"#, 0.0),
        (r#"gateway_worker_burst_frames_bucket{le="3.0",lcore="2"}"#, 15.0),
        (r#"gateway_worker_burst_frames_bucket{le="+Inf",lcore="2"}"#, 16.0),
        (r#"gateway_gro_flushes_total{port="p0",reason="tail"}"#, 6.0),
        (r#"gateway_fanout_frames_total{way="private_header"}"#, 6.0),
        (r#"gateway_drops_total{reason="tagged"}"#, 0.0),
        (r#"gateway_pool_held{pool="packets",stage="devices"}"#, 1024.0),
        (r#"gateway_latency_seconds_bucket{le="0.000004096",from="p0",to="p1"}"#, 900.0),
        (r#"gateway_latency_seconds_count{from="p0",to="p1"}"#, 1000.0),
        (r#"gateway_latency_max_seconds{from="p0",to="p1"}"#, 5.1234e-5),
        (r#"gateway_filter_datagrams_total{rule="1",at="ingress",action="drop"}"#, 12.0),
        ("gateway_ready", 1.0),
    ] {
        assert_eq!(samples.get(name), Some(&value), "{name} in\n{}", reply.body);
    }
}

#[test]
fn health_follows_the_workers() {
    let (well, ill) = (serve(true), serve(false));
    for path in ["/live", "/ready"] {
        assert!(get(&well, path).status.contains("200"));
        let reply = get(&ill, path);
        assert!(reply.status.contains("503") && reply.body.contains("worker 2 does not poll"));
    }
}

#[test]
fn the_page_asks_for_reports_that_are_there() {
    let server = serve(true);
    let page = get(&server, "/");
    assert!(page.head.contains("text/html") && page.body.contains("<title>gateway</title>"));
    for topic in Topic::ALL {
        let reply = get(&server, &format!("/show/{topic}"));
        let report: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(report, topic.report(sample().as_ref()));
    }
    let asked = page.body.split("Promise.all([").nth(1).unwrap().split(']').next().unwrap();
    for name in asked.split(',') {
        let name = name.trim().trim_matches('"');
        assert!(name.parse::<Topic>().is_ok(), "{name}");
    }
}

#[test]
fn other_requests_are_refused() {
    let server = serve(true);
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    for (request, status) in [
        ("GET /nothing HTTP/1.1\r\n\r\n", "404"),
        ("GET /show/nothing HTTP/1.1\r\n\r\n", "404"),
        ("POST /metrics HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", "405"),
        ("nonsense\r\n\r\n", "400"),
        (&long, "431"),
    ] {
        let reply = converse(&server, request);
        assert!(reply.status.contains(status), "{request:.40}: {}", reply.status);
    }
    let head = converse(&server, "HEAD /live HTTP/1.1\r\n\r\n");
    assert!(head.status.contains("200") && head.body.is_empty());
}

#[test]
fn a_taken_address_is_named() {
    let server = serve(true);
    let error = HttpServer::serve(server.address(), sample()).err().expect("taken");
    assert!(error.to_string().contains(&format!("metrics = \"{}\"", server.address())), "{error}");
}

fn serve(live: bool) -> HttpServer {
    HttpServer::serve("127.0.0.1:0".parse().unwrap(), Arc::new(Sample { live })).unwrap()
}

fn get(server: &HttpServer, path: &str) -> Reply {
    converse(server, &format!("GET {path} HTTP/1.1\r\nHost: gateway\r\n\r\n"))
}

fn converse(server: &HttpServer, request: &str) -> Reply {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    // A server that refuses before it has read everything resets; the answer has come by then.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("a complete head");
    let (status, head) = head.split_once("\r\n").expect("a status line");
    assert!(status.starts_with("HTTP/1.1 "));
    Reply { status: status.into(), head: head.into(), body: body.into() }
}

/// Samples by name and labels. Panics on what OpenMetrics 1.0 forbids: a sample before its TYPE,
/// a counter without `_total`, a sample or family twice, a missing end.
fn open_metrics(text: &str) -> BTreeMap<String, f64> {
    let body = text.strip_suffix("# EOF\n").expect("the text ends with EOF");
    let (mut families, mut samples) = (HashSet::new(), BTreeMap::new());
    let mut family = (String::new(), String::new());
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect(line);
            assert!(families.insert(name.to_owned()), "{name} twice");
            family = (name.to_owned(), kind.to_owned());
        } else if let Some(rest) = line.strip_prefix("# ") {
            assert!(rest.starts_with("HELP ") || rest.starts_with("UNIT "), "{line}");
        } else {
            let (series, value) = line.rsplit_once(' ').expect(line);
            let name = series.split('{').next().unwrap();
            let suffix = name.strip_prefix(&family.0).expect(line);
            let allowed: &[&str] = match family.1.as_str() {
                "counter" => &["_total"],
                "gauge" => &[""],
                "histogram" => &["_sum", "_count", "_bucket"],
                other => panic!("{other}"),
            };
            assert!(allowed.contains(&suffix), "{line}");
            let value = value.parse().expect(line);
            assert!(samples.insert(series.to_owned(), value).is_none(), "{line} twice");
        }
    }
    samples
}
