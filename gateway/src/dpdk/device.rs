use core::fmt;
use core::str::FromStr;

use super::Error;

/// A device as configured: a PCI address or a virtual device, and its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    text: String,
    name_len: usize,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Pci,
    Virtual,
}

impl Device {
    /// As configured.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What DPDK calls it: the text up to the first comma.
    pub fn name(&self) -> &str {
        &self.text[..self.name_len]
    }

    /// Whether it is a PCI device.
    pub fn is_pci(&self) -> bool {
        self.kind == Kind::Pci
    }

    /// Whether the driver of this name makes it: "ring" makes "net_ring0" and, by the old alias,
    /// "eth_ring0".
    pub fn is(&self, driver: &str) -> bool {
        let name = self.name().strip_prefix("net_").or(self.name().strip_prefix("eth_"));
        let suffix = name.and_then(|name| name.strip_prefix(driver));
        suffix.is_some_and(|suffix| !suffix.starts_with('_'))
    }

    /// The value of the first argument with this key.
    pub fn argument(&self, key: &str) -> Option<&str> {
        let arguments = self.text[self.name_len..].split(',');
        arguments.filter_map(|pair| pair.split_once('=')).find(|(k, _)| *k == key).map(|(_, v)| v)
    }

    /// The kernel interface it works through, which must exist before it is opened.
    pub fn interface(&self) -> Option<&str> {
        let keys: &[&str] = if self.is("af_packet") || self.is("af_xdp") {
            &["iface"]
        } else if self.is("pcap") {
            &["iface", "rx_iface", "tx_iface", "rx_iface_in"]
        } else {
            &[]
        };
        keys.iter().find_map(|key| self.argument(key))
    }

    /// With one more argument.
    #[must_use]
    pub(super) fn with_argument(&self, key: &str, value: impl fmt::Display) -> Self {
        Self { text: format!("{},{key}={value}", self.text), ..self.clone() }
    }
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let name = text.split(',').next().unwrap_or_default();
        let kind = if is_pci_address(name) {
            Kind::Pci
        } else if is_virtual(name) {
            Kind::Virtual
        } else {
            return Err(Error::DeviceName { device: text.to_owned() });
        };
        Ok(Self { text: text.to_owned(), name_len: name.len(), kind })
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `[DDDD:]BB:DD.F`
fn is_pci_address(name: &str) -> bool {
    let Some((rest, function)) = name.rsplit_once('.') else { return false };
    let fields: Vec<_> = rest.split(':').collect();
    let widths: &[usize] = if fields.len() == 3 { &[4, 2, 2] } else { &[2, 2] };
    let hex = |field: &str| field.bytes().all(|b| b.is_ascii_hexdigit());
    fields.len() == widths.len()
        && fields.iter().zip(widths).all(|(field, width)| field.len() == *width && hex(field))
        && matches!(function.as_bytes(), [b'0'..=b'7'])
}

/// A driver's name and a number or suffix: `net_ring0`.
fn is_virtual(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.contains('_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_device() {
        let device: Device = "net_af_packet0,iface=veth0,qpairs=2".parse().unwrap();
        assert_eq!(device.name(), "net_af_packet0");
        assert_eq!(device.interface(), Some("veth0"));
        assert_eq!(device.argument("qpairs"), Some("2"));
        assert!(device.is("af_packet") && !device.is("af") && !device.is_pci());
        let device: Device = "net_pcap3,rx_pcap=in.pcap,tx_pcap=out.pcap".parse().unwrap();
        assert_eq!(device.interface(), None);
        for address in ["0000:03:00.0", "03:00.1", "0000:03:00.0,arg=1"] {
            assert!(address.parse::<Device>().unwrap().is_pci(), "{address}");
        }
    }

    #[test]
    fn what_is_no_device_is_refused() {
        for text in ["", "eth0", "0000:03:00", "0000:03:00.8", "net null0", "3:00.0", ",iface=x"] {
            assert!(text.parse::<Device>().is_err(), "{text}");
        }
    }
}
