/// A device as written in the file, taken apart: a PCI address or a DPDK virtual device, and its
/// arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Device<'a> {
    /// Up to the first comma: `0000:03:00.0` or `net_pcap0`.
    pub name: &'a str,
    arguments: &'a str,
    is_pci: bool,
}

/// RTE_DEV_NAME_MAX_LEN is 64 with its zero byte (rte_dev.h).
const NAME_BYTES: usize = 63;

impl<'a> Device<'a> {
    /// `None` if it is neither of both.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (name, arguments) = text.split_once(',').unwrap_or((text, ""));
        let is_pci = is_pci_address(name);
        let known = is_pci || is_virtual(name);
        let printable = !text.chars().any(char::is_control) && name.len() <= NAME_BYTES;
        (known && printable).then_some(Self { name, arguments, is_pci })
    }

    /// The PCI address in full, in lower case, if it has one.
    pub fn pci_address(&self) -> Option<String> {
        let name = self.name.to_ascii_lowercase();
        let domain = if name.matches(':').count() == 1 { "0000:" } else { "" };
        self.is_pci.then(|| format!("{domain}{name}"))
    }

    /// What two spellings of one device have in common.
    pub fn identity(&self) -> String {
        self.pci_address().unwrap_or_else(|| self.name.to_owned())
    }

    /// Whether this driver makes it: `net_ring` makes `net_ring0`; `eth_` is an alias of `net_`.
    pub fn is(&self, driver: &str) -> bool {
        let alias = |name: &'a str| name.strip_prefix("net_").or(name.strip_prefix("eth_"));
        let driver = driver.strip_prefix("net_").unwrap_or(driver);
        let number = alias(self.name).and_then(|name| name.strip_prefix(driver));
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// The value of the first argument of this name.
    pub fn argument(&self, name: &str) -> Option<&'a str> {
        let pairs = self.arguments.split(',').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The interface behind a packet socket: two on one would both get every frame.
    pub fn packet_socket(&self) -> Option<&'a str> {
        if self.is("net_af_packet") { self.argument("iface") } else { None }
    }

    /// How many buffers its driver can keep of each queue pair: 0, but for one that frees none of those
    /// in its rings when it closes.
    pub fn buffers_kept(&self) -> usize {
        // drivers/net/af_xdp/rte_eth_af_xdp.c: the fill ring is of twice ETH_AF_XDP_DFLT_NUM_DESCS
        // (2048), the transmit and completion rings of one each; xdp_umem_destroy asks none of them.
        const AF_XDP_RINGS: usize = 4 * 2048;
        if self.is("net_af_xdp") { AF_XDP_RINGS } else { 0 }
    }

    /// The kernel interface it works through, which must be there before the port is opened.
    pub fn interface(&self) -> Option<&'a str> {
        let through = ["net_af_packet", "net_af_xdp", "net_pcap"].iter().any(|kind| self.is(kind));
        if through { self.argument("iface") } else { None }
    }
}

/// `[DDDD:]BB:DD.F`, as rte_pci_addr_parse reads it.
fn is_pci_address(name: &str) -> bool {
    let Some((rest, function)) = name.rsplit_once('.') else { return false };
    let fields: Vec<_> = rest.split(':').collect();
    let widths: &[usize] = if fields.len() == 3 { &[4, 2, 2] } else { &[2, 2] };
    let hex = |field: &str| field.bytes().all(|byte| byte.is_ascii_hexdigit());
    let slot = fields.last().and_then(|slot| u8::from_str_radix(slot, 16).ok());
    fields.len() == widths.len()
        && fields.iter().zip(widths).all(|(field, width)| field.len() == *width && hex(field))
        && slot.is_some_and(|slot| slot < 32)
        && matches!(function.as_bytes(), [b'0'..=b'7'])
}

/// A driver's name and a number, as `net_pcap0`: drivers register as `net_*`, with aliases `eth_*`
/// and `virtio_user` (RTE_PMD_REGISTER_VDEV, RTE_PMD_REGISTER_ALIAS).
fn is_virtual(name: &str) -> bool {
    let driver = ["net_", "eth_", "virtio_user"].iter().find_map(|kind| name.strip_prefix(kind));
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    driver.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_device_has_one_identity() {
        for same in ["0000:03:00.0", "03:00.0", "0000:03:00.0,max_rx=1"] {
            assert_eq!(Device::parse(same).unwrap().identity(), "0000:03:00.0", "{same}");
        }
        assert_eq!(Device::parse("0000:AF:1F.7").unwrap().identity(), "0000:af:1f.7");
        assert_eq!(Device::parse("net_pcap0,rx_pcap=a b").unwrap().identity(), "net_pcap0");
        assert_eq!(Device::parse("virtio_user0,path=/x").unwrap().identity(), "virtio_user0");
    }

    #[test]
    fn what_is_no_device() {
        for text in
            ["", "eth0", "0000:03:20.0", "0000:03:00.8", "net_", "net_ pcap", "03:00", "3:0.0"]
        {
            assert_eq!(Device::parse(text), None, "{text}");
        }
        assert_eq!(Device::parse("net_null0,x=\n"), None);
    }

    #[test]
    fn parts_of_a_device() {
        let device = Device::parse("net_af_packet1,iface=eth1,qpairs=2").unwrap();
        assert!(device.is("net_af_packet") && !device.is("net_af") && !device.is("net_af_xdp"));
        assert_eq!(device.argument("qpairs"), Some("2"));
        assert_eq!((device.packet_socket(), device.interface()), (Some("eth1"), Some("eth1")));
        let device = Device::parse("eth_af_xdp0,iface=eth2").unwrap();
        assert_eq!((device.packet_socket(), device.interface()), (None, Some("eth2")));
        let device = Device::parse("net_pcap0,rx_pcap=in.pcap").unwrap();
        assert_eq!((device.interface(), device.argument("rx_pcap")), (None, Some("in.pcap")));
    }
}
