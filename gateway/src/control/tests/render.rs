use super::super::{Topic, render};
use super::sample;

fn text(topic: Topic) -> String {
    render(topic, topic.report(sample().as_ref())).unwrap()
}

#[test]
fn ports() {
    let expected = r#"PORT      LINK   SPEED  MAC                IN      DEVICE
p0        up    10000M  02:00:00:00:00:00  routed  net_null0
up"link\  down  10000M  02:00:00:00:00:01  br0     net_null1

PORT      RX_PACKETS  RX_BYTES  TX_PACKETS  TX_BYTES
p0               100      6000         200     12000
up"link\         101      6001         201     12001

PORT      IMISSED  RX_NOMBUF  RX_ERRORS  TX_ERRORS  TX_FULL  RESETS
p0              1          2          3          4        5       7
up"link\        2          3          4          5        6       8
"#;
    assert_eq!(text(Topic::Ports), expected);
}

#[test]
fn workers_show_the_law() {
    let expected = "\
LCORE  POLLS   BUSY  CYCLES/PACKET  LONGEST  STALLS  HELD
    2   1000  25.0%            123    1.5ms       0     1

LCORE  BURSTS OF  0  1  2-3  4+
    2             7  5    3   1

LCORE   RX  ORIGINATED  REPLICATED  HANDED_IN   TX  LOCAL  DROPPED  HANDED_OUT  HELD  IMBALANCE
    2  201           0           3          0  200      0        3           0     1          0
";
    assert_eq!(text(Topic::Workers), expected);
}

#[test]
fn drops_leave_out_what_never_happened() {
    let expected = "\
REASON    DROPS
no_route      2
tx_full       1
total         3

PORT  REASON    DROPS
p0    no_route      2
p0    tx_full       1
";
    assert_eq!(text(Topic::Drops), expected);
}

#[test]
fn pools_name_who_holds_buffers() {
    let expected = "\
POOL     CAPACITY   FREE  CACHED  HELD BY
packets     16384  15359      17  devices 1024, gro 1

POOL     STAGE  PORT  LCORE  FRAMES
packets  gro    p0        2       1
";
    assert_eq!(text(Topic::Pools), expected);
}

#[test]
fn every_topic_has_a_text() {
    for topic in Topic::ALL {
        let text = text(*topic);
        assert!(text.ends_with('\n') && text.lines().count() >= 2, "{topic}: {text}");
    }
}

#[test]
fn a_report_of_another_version_is_an_error() {
    assert!(render(Topic::Ports, serde_json::json!([{ "name": "p0" }])).is_err());
    assert!(render(Topic::Drops, serde_json::Value::Null).is_err());
}
