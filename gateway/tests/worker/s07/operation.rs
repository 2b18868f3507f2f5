use gateway::forward::{PortFacts, Tables};
use gateway::packet::{DropReason, MacAddr};

use super::{alike, burst, with_form};
use crate::frames::stream;
use crate::harness::{Gateway, bridge, parse};

const HOLD: &str = "max_hold_us = 10000\n";

/// GRO holds in two forms; with coalescing off the transmit buffer does.
#[test]
fn s07_30_a_stop_with_packets_held_sends_them() {
    alike(|form| {
        let mut gateway = Gateway::new(&(with_form(&bridge(2, ""), form) + HOLD));
        let port = gateway.ports[1].clone();
        port.limit_tx(Some(0));
        burst(&mut gateway, &stream(10, 1316));
        assert_eq!(gateway.totals().ledger.held, 10);
        port.limit_tx(None);
        let totals = gateway.finish();
        assert_eq!(port.take_sent(), stream(10, 1316));
        (totals.ledger.tx, totals.ledger.dropped)
    });
}

#[test]
fn s07_30_a_stop_at_a_blocked_port_counts_what_was_held() {
    for form in super::FORMS {
        let mut gateway = Gateway::new(&(with_form(&bridge(2, ""), form) + HOLD));
        gateway.ports[1].limit_tx(Some(3));
        burst(&mut gateway, &stream(10, 1316));
        let totals = gateway.finish();
        assert_eq!(totals.ledger.tx, 3, "{form}");
        assert_eq!(totals.drops[DropReason::Shutdown.index()], 7, "{form}");
    }
}

#[test]
fn s07_30_a_lost_link_drops_what_was_held_for_it_and_no_more() {
    for form in super::FORMS {
        let mut gateway = Gateway::new(&(with_form(&bridge(3, ""), form) + HOLD));
        gateway.ports[1].limit_tx(Some(0));
        burst(&mut gateway, &stream(10, 1316));
        gateway.set_link(1, false);
        for worker in &mut gateway.assembly.workers {
            worker.release_held(gateway.now);
        }
        gateway.run();
        let sent = gateway.sent();
        assert_eq!((sent[1].len(), &sent[2]), (0, &stream(10, 1316)), "{form}");
        assert_eq!(gateway.drops(DropReason::LinkDown), 10, "{form}");
        gateway.finish();
    }
}

/// A reload that takes a port out of the bridge: what is held was decided on before it.
#[test]
fn s07_30_a_reload_with_packets_held_lets_them_go_by_the_old_tables() {
    for form in ["list", "merge"] {
        let text = with_form(&bridge(3, ""), form) + HOLD;
        let mut gateway = Gateway::new(&text);
        burst(&mut gateway, &stream(10, 1316));
        assert_eq!((gateway.totals().ledger.held, gateway.sent()[2].len()), (10, 0), "{form}");
        let without = parse(&text.replace(", \"p2\"]", "]"));
        let facts = [0, 1, 2].map(|n| PortFacts { mac: MacAddr([2, 0, 0, 0, 0, n]) });
        let tables = std::sync::Arc::clone(&gateway.assembly.tables);
        tables.publish(Tables::rebuild(&without, &facts, 7, &tables.current()));
        gateway.poll();
        assert_eq!(gateway.sent()[2], stream(10, 1316), "{form}");
        burst(&mut gateway, &stream(10, 1316));
        for worker in &mut gateway.assembly.workers {
            worker.release_held(gateway.now);
        }
        let sent = gateway.sent();
        assert_eq!((&sent[1], sent[2].len()), (&stream(10, 1316), 0), "{form}");
        gateway.finish();
    }
}
