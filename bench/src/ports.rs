use gateway::dpdk::{Device, Eal, Error, Opened, Pool, Port, PortOptions};

/// Opens a port with a queue each way.
///
/// # Errors
/// As [`Port::open`].
pub fn open_port(
    eal: &Eal,
    device: &Device,
    pool: &Pool,
    multi_segment: bool,
) -> Result<Opened, Error> {
    let options = PortOptions {
        mac: None,
        mtu: 1500,
        rx_queues: 1,
        tx_queues: 1,
        descriptors: 1024,
        promiscuous: true,
        multi_segment,
    };
    Port::open(eal, device, pool, &options)
}
