//! The gateway's file for a case: port 0 is given, the others take what leaves.

use core::fmt::Write;
use std::path::Path;

use gateway::packet::MacAddr;

use crate::frames::{GATEWAY_MAC, GROUP_V6, RECEIVER_MAC, host_v4, host_v6};
use crate::frames::{route_v4, route_v6, write_pcap};
use crate::{Case, Journey};

/// What a case does not say of the gateway's file.
pub struct Topology<'a> {
    /// The device of port 0.
    pub input: &'a str,
    /// The devices of ports 1 and up: as many as the case has egress ports.
    pub outputs: &'a [String],
    /// CPUs of the workers.
    pub lcores: &'a [usize],
    /// Whether memory is of hugepages.
    pub hugepages: bool,
    /// How long a datagram may be held, microseconds.
    pub max_hold_us: u32,
}

/// Ports that take everything, for the egress ports of a case. They give nothing, but for a frame of
/// each station that is to be learned; `folder` is for the capture with those.
///
/// # Errors
/// When that cannot be written.
pub fn outputs(case: &Case, folder: &Path) -> anyhow::Result<Vec<String>> {
    if case.path != Journey::Station {
        return Ok((1..=case.egress_ports()).map(|n| format!("net_null{n},no-rx=1")).collect());
    }
    let path = folder.join(format!("stations-{}.pcap", case.vlan));
    write_pcap(&path, &case.stations())?;
    Ok(vec![format!("net_pcap1,rx_pcap={}", path.display())])
}

impl Topology<'_> {
    /// The file.
    pub fn write(&self, case: &Case) -> String {
        let mut text = self.settings(case);
        // Writing to a string cannot fail.
        let _ = self.ports(case, &mut text);
        let _ = self.tables(case, &mut text);
        let _ = filters(case, &mut text);
        text
    }

    fn settings(&self, case: &Case) -> String {
        // Replayed frames stay in buffers of the pool; what is in flight is little.
        let buffers = (case.frames * self.lcores.len() + 16384).next_power_of_two() - 1;
        format!(
            "[runtime]\nlcores = {:?}\nhugepages = {}\nmemory_mb = {}\npool_buffers = {buffers}\n\
             copy_up_to = {}\n[gro]\nmode = \"{}\"\nadaptive = {}\nmax_hold_us = {}\n",
            self.lcores,
            self.hugepages,
            // A buffer is 2432 bytes and the mempool's own; not all of what EAL has is in one piece.
            192 + buffers * 4 / 1024,
            case.copy_up_to,
            case.gro.name(),
            case.adaptive,
            self.max_hold_us,
        )
    }

    fn ports(&self, case: &Case, text: &mut String) -> core::fmt::Result {
        let bridged = matches!(case.path, Journey::Flood | Journey::Station);
        let devices = [self.input].into_iter().chain(self.outputs.iter().map(String::as_str));
        for (n, device) in devices.enumerate() {
            writeln!(text, "[[port]]\nname = \"p{n}\"\ndevice = \"{device}\"")?;
            if !bridged {
                let (v4, v6) = (host_v4(n, 1), host_v6(n, 1));
                writeln!(text, "mac = \"{}\"", mac(n))?;
                writeln!(text, "addresses = [\"{v4}/24\", \"{v6}/64\"]")?;
            }
        }
        if bridged {
            writeln!(
                text,
                "[[bridge]]\nname = \"br0\"\nports = [\"p0\", {}]",
                self.output_names()
            )?;
        }
        Ok(())
    }

    fn tables(&self, case: &Case, text: &mut String) -> core::fmt::Result {
        match case.path {
            Journey::Route => {
                let receiver = MacAddr(RECEIVER_MAC);
                for host in [host_v4(1, 2).to_string(), host_v6(1, 2).to_string()] {
                    writeln!(text, "[[neighbor]]\naddress = \"{host}\"\nmac = \"{receiver}\"")?;
                    writeln!(text, "port = \"p1\"")?;
                }
                routes(case, text)
            }
            Journey::Multicast => {
                let outs = self.output_names();
                let groups = (0..case.groups.max(1)).map(|n| case.group_v4(n).to_string());
                for group in groups.chain([GROUP_V6.to_string()]) {
                    writeln!(text, "[[multicast]]\ngroup = \"{group}\"\nfrom = \"p0\"")?;
                    writeln!(text, "to = [{outs}]")?;
                }
                Ok(())
            }
            Journey::Flood | Journey::Station => Ok(()),
        }
    }

    fn output_names(&self) -> String {
        let names: Vec<_> = (1..=self.outputs.len()).map(|n| format!("\"p{n}\"")).collect();
        names.join(", ")
    }
}

/// Rules for a documentation prefix (RFC 5737), where nothing goes.
fn filters(case: &Case, text: &mut String) -> core::fmt::Result {
    for port in 1..=case.filters {
        writeln!(text, "[[filter]]\nat = \"forward\"\naction = \"drop\"")?;
        writeln!(
            text,
            "match = {{ proto = \"udp\", dst = \"203.0.113.0/24\", dst_port = {port} }}"
        )?;
    }
    Ok(())
}

fn routes(case: &Case, text: &mut String) -> core::fmt::Result {
    if case.routes < 2 {
        return Ok(());
    }
    for n in 0..case.routes {
        if case.v6 {
            writeln!(
                text,
                "[[route]]\nprefix = \"{}/48\"\nvia = \"{}\"",
                route_v6(n),
                host_v6(1, 2)
            )?;
        } else {
            writeln!(
                text,
                "[[route]]\nprefix = \"{}/24\"\nvia = \"{}\"",
                route_v4(n),
                host_v4(1, 2)
            )?;
        }
    }
    Ok(())
}

fn mac(port: usize) -> MacAddr {
    let [a, b, c, d, e, f] = GATEWAY_MAC;
    MacAddr([a, b, c, d, e, f + port as u8])
}
