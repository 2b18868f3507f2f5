//! What a new file changes, line by line, and what of it a running gateway can take over at once.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::Config;
use crate::packet::PortId;

/// One difference between two configurations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// As an operator reads it: `[[port]] p0 mtu: 1500 -> 1400`, `+ [[route]] …`.
    pub text: String,
    /// Why it needs a restart; `None`: it does not.
    pub restart: Option<&'static str>,
}

impl Config {
    /// What `wanted` changes, in the order of the reference. `opened` is the configuration the
    /// gateway was started with, by which its ports are open.
    pub fn changes(&self, wanted: &Self, opened: &Self) -> Vec<Change> {
        let (old, new) = (table(self), table(wanted));
        let mut changes = Vec::new();
        for section in ["runtime", "gro", "control"] {
            let (old, new) = (section_of(&old, section), section_of(&new, section));
            let restart = |key: &str| match (section, key) {
                ("gro", "mode" | "max_hold_us" | "adaptive") => None,
                ("gro", _) => Some("sizes a table"),
                ("control", _) => Some("the control side listens there"),
                _ => Some("workers and memory are set up at start"),
            };
            keys(&format!("[{section}]"), &old, &new, restart, &mut changes);
        }
        named("port", &old, &new, |port, key| port_key(port, key, wanted, opened), &mut changes);
        if names(&old, "port") != names(&new, "port") && sorted(&old) == sorted(&new) {
            let restart = Some("ports are opened at start");
            changes.push(Change { text: "[[port]] in another order".into(), restart });
        }
        if self.shadow_names() != wanted.shadow_names() {
            let text = format!(
                "shadows: {} -> {}",
                self.shadow_names().join(" "),
                wanted.shadow_names().join(" ")
            );
            changes.push(Change { text, restart: Some("shadows are made at start") });
        }
        let snooped = |name: &str| self.is_snooped(name) || wanted.is_snooped(name);
        named(
            "bridge",
            &old,
            &new,
            |name, key| match key {
                "ports" | "querier" | "fast_leave" | "max_groups" | "max_groups_per_port"
                    if snooped(name) =>
                {
                    Some("its shadow is made at start")
                }
                _ => None,
            },
            &mut changes,
        );
        for (index, port) in wanted.ports.iter().enumerate() {
            let id = PortId(index as u16);
            if self.is_bridged(id) != wanted.is_bridged(id)
                && names(&old, "port") == names(&new, "port")
            {
                let becomes = if wanted.is_bridged(id) { "bridged" } else { "routed" };
                let text = format!("[[port]] {} becomes {becomes}", port.name);
                changes.push(Change { text, restart: Some("it is opened in another way") });
            }
        }
        for section in ["group", "listener", "route", "neighbor", "multicast", "filter"] {
            listed(section, &old, &new, &mut changes);
        }
        changes
    }

    fn shadow_names(&self) -> Vec<&str> {
        let shadows = self.ports.iter().filter(|port| port.shadow.is_some());
        shadows.map(|port| port.name.as_str()).collect()
    }

    fn is_snooped(&self, name: &str) -> bool {
        self.bridges.iter().any(|bridge| bridge.name == name && bridge.is_snooped_by_kernel())
    }

    fn is_bridged(&self, port: PortId) -> bool {
        self.bridges.iter().any(|bridge| bridge.ports.contains(&port))
    }
}

/// Whether a key of a port can change while it is open.
fn port_key(port: &str, key: &str, wanted: &Config, opened: &Config) -> Option<&'static str> {
    let mtu = |config: &Config| config.ports.iter().find(|p| p.name == port).map(|p| p.mtu);
    let has_shadow = opened.ports.iter().any(|p| p.name == port && p.host);
    match key {
        "addresses" if has_shadow => Some("its shadow has them: use ip address"),
        "addresses" | "gro" => None,
        "mtu" if mtu(wanted) <= mtu(opened) => None,
        "mtu" => Some("the port was opened with a smaller one"),
        _ => Some("ports are opened at start"),
    }
}

fn table(config: &Config) -> Table {
    // Every type of the file has a TOML form.
    Table::try_from(config).unwrap_or_default()
}

fn section_of(file: &Table, section: &str) -> Table {
    file.get(section).and_then(Value::as_table).cloned().unwrap_or_default()
}

fn entries<'a>(file: &'a Table, section: &str) -> Vec<&'a Table> {
    let list = file.get(section).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_table).collect()
}

fn names<'a>(file: &'a Table, section: &str) -> Vec<&'a str> {
    let entries = entries(file, section).into_iter();
    entries.filter_map(|entry| entry.get("name").and_then(Value::as_str)).collect()
}

fn sorted(file: &Table) -> BTreeSet<&str> {
    names(file, "port").into_iter().collect()
}

/// Keys that differ.
fn keys(
    heading: &str,
    old: &Table,
    new: &Table,
    restart: impl Fn(&str) -> Option<&'static str>,
    changes: &mut Vec<Change>,
) {
    let all: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for key in all.into_iter().filter(|key| old.get(*key) != new.get(*key)) {
        let show = |value: Option<&Value>| value.map_or("default".to_owned(), Value::to_string);
        let (was, is) = (show(old.get(key)), show(new.get(key)));
        let text = format!("{heading} {key}: {was} -> {is}");
        changes.push(Change { text, restart: restart(key) });
    }
}

/// Sections whose entries have names.
fn named(
    section: &str,
    old: &Table,
    new: &Table,
    restart: impl Fn(&str, &str) -> Option<&'static str>,
    changes: &mut Vec<Change>,
) {
    let by_name = |file| -> BTreeMap<_, _> {
        names(file, section).into_iter().zip(entries(file, section)).collect()
    };
    let (was, is): (BTreeMap<&str, &Table>, BTreeMap<&str, &Table>) = (by_name(old), by_name(new));
    let all: BTreeSet<&str> = was.keys().chain(is.keys()).copied().collect();
    let whole = (section == "port").then_some("ports are opened at start");
    for name in all {
        let heading = format!("[[{section}]] {name}");
        let (sign, restart_whole) = match (was.get(name), is.get(name)) {
            (Some(old), Some(new)) => {
                keys(&heading, old, new, |key| restart(name, key), changes);
                continue;
            }
            (None, _) => ("+", whole),
            (_, None) => ("-", whole),
        };
        changes.push(Change { text: format!("{sign} {heading}"), restart: restart_whole });
    }
}

/// Sections whose entries are known by what they say.
fn listed(section: &str, old: &Table, new: &Table, changes: &mut Vec<Change>) {
    let (was, is) = (entries(old, section), entries(new, section));
    let mut left = is.clone();
    let mut push = |text| changes.push(Change { text, restart: None });
    for entry in &was {
        match left.iter().position(|other| other == entry) {
            Some(same) => drop(left.remove(same)),
            None => push(format!("- [[{section}]] {}", one_line(entry))),
        }
    }
    left.iter().for_each(|entry| push(format!("+ [[{section}]] {}", one_line(entry))));
    if left.is_empty() && was.len() == is.len() && was != is {
        push(format!("[[{section}]] in another order"));
    }
}

fn one_line(entry: &Table) -> String {
    let keys: Vec<_> = entry.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    keys.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn file(text: &str) -> Config {
        let ports = "[[port]]\nname = \"a\"\ndevice = \"net_null0\"\naddresses = [\"10.1.0.1/24\"]\n\
                     [[port]]\nname = \"b\"\ndevice = \"net_null1\"\n\
                     [[port]]\nname = \"c\"\ndevice = \"net_null2\"\n";
        parse("test", &format!("{ports}{text}")).unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn diff(old: &str, new: &str) -> Vec<(String, bool)> {
        let old = file(old);
        let changes = old.changes(&file(new), &old);
        changes.into_iter().map(|change| (change.text, change.restart.is_none())).collect()
    }

    #[test]
    fn nothing_differs_from_itself() {
        assert_eq!(diff("", "[gro]\nmode = \"list\"\n"), []);
    }

    #[test]
    fn what_is_hot_and_what_is_not() {
        let route = "[[route]]\nprefix = \"10.9.0.0/16\"\nvia = \"10.1.0.2\"\n";
        let added = "+ [[route]] prefix = \"10.9.0.0/16\", via = \"10.1.0.2\"".to_owned();
        assert_eq!(diff("", route), [(added.clone(), true)]);
        assert_eq!(diff(route, ""), [(added.replace('+', "-"), true)]);
        let bridge = "[[bridge]]\nname = \"br0\"\nports = [\"b\", \"c\"]\n";
        let aged = format!("{bridge}ageing_s = 10\n");
        assert_eq!(diff(bridge, &aged), [("[[bridge]] br0 ageing_s: 300 -> 10".into(), true)]);
        let burst = ("[runtime] burst: 64 -> 32".to_owned(), false);
        assert_eq!(diff("", "[runtime]\nburst = 32\n"), [burst]);
        let off = "[gro]\nmode = \"off\"\nflows = 64\n";
        let flows = ("[gro] flows: 1024 -> 64".to_owned(), false);
        assert_eq!(diff("", off), [flows, ("[gro] mode: \"list\" -> \"off\"".into(), true)]);
        let joined = diff("", bridge);
        assert_eq!(joined[0], ("+ [[bridge]] br0".to_owned(), true));
        assert_eq!(joined[1], ("[[port]] b becomes bridged".to_owned(), false));
    }

    #[test]
    fn an_mtu_may_come_back_to_what_the_port_was_opened_with() {
        let with = |mtu: u16| {
            let mut config = file("");
            config.ports[0].mtu = mtu;
            config
        };
        let restart = |now: u16, to: u16| with(now).changes(&with(to), &with(1500))[0].restart;
        assert_eq!(restart(1500, 1400), None);
        assert_eq!(restart(1400, 1500), None);
        assert!(restart(1400, 1501).is_some());
    }

    #[test]
    fn ports_in_another_order_are_other_ports() {
        let old = file("");
        let mut new = old.clone();
        new.ports.swap(1, 2);
        let changes = old.changes(&new, &old);
        assert_eq!(changes.len(), 1);
        assert!(changes[0].restart.is_some(), "{changes:?}");
    }
}
