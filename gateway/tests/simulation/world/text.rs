//! The configuration file of a world.

use core::fmt::Write;

use super::{AGEING_S, KNOWN_HOSTS, Mac, Settings, World, host_mac, host_v4, host_v6, port_mac};

impl World {
    pub(crate) fn text(&self, settings: &Settings) -> String {
        let mut text = settings.text();
        self.write(settings, &mut text).expect("writing to memory");
        text
    }

    fn write(&self, settings: &Settings, out: &mut String) -> core::fmt::Result {
        for (n, port) in self.ports.iter().enumerate() {
            writeln!(out, "[[port]]\nname = \"p{n}\"\ndevice = \"net_null{n}\"")?;
            writeln!(out, "mac = \"{}\"\nmtu = {}", mac(port_mac(n)), port.mtu)?;
            if let (Some(gro), _) = settings.ports[n] {
                writeln!(out, "gro = \"{gro}\"")?;
            }
            if port.bridge.is_none() {
                let (v4, v6) = (host_v4(n, 1), host_v6(n, 1));
                writeln!(out, "addresses = [\"{v4}/24\", \"{v6}/64\"]")?;
            }
        }
        for bridge in 0..2 {
            let members = self.members(bridge);
            if !members.is_empty() {
                let (ports, snooping) = (names(&members), self.snooping);
                writeln!(out, "[[bridge]]\nname = \"br{bridge}\"\nports = {ports}")?;
                writeln!(out, "snooping = {snooping}\nageing_s = {AGEING_S}")?;
            }
        }
        for group in &self.groups {
            let (bridge, ports) = (group.bridge, names(&group.ports));
            writeln!(out, "[[group]]\nbridge = \"br{bridge}\"\ngroup = \"{}\"", group.group)?;
            writeln!(out, "ports = {ports}")?;
        }
        for route in &self.routes {
            writeln!(out, "[[route]]\nprefix = \"{}/{}\"", route.net, route.len)?;
            match route.net {
                core::net::IpAddr::V4(_) => {
                    writeln!(out, "via = \"{}\"", host_v4(route.port, route.host))?;
                }
                core::net::IpAddr::V6(_) => {
                    writeln!(out, "via = \"{}\"", host_v6(route.port, route.host))?;
                }
            }
        }
        for port in self.routed() {
            for host in KNOWN_HOSTS {
                let mac = mac(host_mac(port, host));
                for address in [host_v4(port, host).to_string(), host_v6(port, host).to_string()] {
                    writeln!(out, "[[neighbor]]\naddress = \"{address}\"\nmac = \"{mac}\"")?;
                    writeln!(out, "port = \"p{port}\"")?;
                }
            }
        }
        for route in &self.multicast {
            writeln!(out, "[[multicast]]\ngroup = \"{}\"", route.group)?;
            if let Some(source) = route.source {
                writeln!(out, "source = \"{source}\"")?;
            }
            writeln!(out, "from = \"p{}\"\nto = {}", route.from, names(&route.to))?;
        }
        Ok(())
    }
}

impl Settings {
    fn text(&self) -> String {
        let lcores: Vec<_> = (0..self.workers).collect();
        format!(
            "[runtime]\nlcores = {lcores:?}\nburst = {}\ntx_buffer = {}\nhandoff = {}\n\
             copy_up_to = {}\nfdb_entries = 1024\n\
             [gro]\nmode = \"{}\"\nmax_segments = {}\nmax_hold_us = {}\nflows = 64\nadaptive = {}\n",
            self.burst,
            self.tx_buffer,
            self.handoff,
            self.copy_up_to,
            self.mode,
            self.max_segments,
            self.max_hold_us,
            self.adaptive
        )
    }
}

fn names(ports: &[usize]) -> String {
    let names: Vec<_> = ports.iter().map(|port| format!("\"p{port}\"")).collect();
    format!("[{}]", names.join(", "))
}

fn mac(mac: Mac) -> String {
    gateway::packet::MacAddr(mac).to_string()
}
