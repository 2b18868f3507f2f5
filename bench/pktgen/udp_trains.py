"""TRex stateless profile: UDP in trains, flows in turn.

    start -f udp_trains.py -t size=64,train=16,flows=4096 -m 10%

The field engine moves the source port on after every `train` datagrams. Latency is measured by a second, slow stream with a packet group id.
"""

from trex_stl_lib.api import (
    Ether, IP, UDP, STLFlowLatencyStats, STLPktBuilder, STLScVmRaw, STLStream, STLTXCont,
    STLVmFixIpv4, STLVmFlowVar, STLVmWrMaskFlowVar,
)

LATENCY_PPS = 1000
ETHERNET_IP_UDP_FCS = 14 + 20 + 8 + 4


def packet(size, flows, train, dport):
    base = Ether() / IP(src="198.18.0.2", dst="198.18.1.2") / UDP(sport=1024, dport=dport, chksum=0)
    payload = max(22, size - ETHERNET_IP_UDP_FCS) * b"x"
    # A counter over all datagrams: its bits above the place in the train are the flow, and that is
    # added to nothing else than the source port.
    count = STLVmFlowVar("n", min_value=0, max_value=flows * train - 1, size=4, op="inc")
    shift = train.bit_length() - 1
    flow = STLVmWrMaskFlowVar("n", pkt_offset=34, pkt_cast_size=2, mask=0xFFFF, shift=-shift)
    vm = STLScVmRaw([count, flow, STLVmFixIpv4(offset="IP")])
    return STLPktBuilder(pkt=base / payload, vm=vm)


class UdpTrains:
    def get_streams(self, direction=0, size=64, train=16, flows=4096, **_):
        if train & (train - 1):
            raise ValueError("train is a power of two: the field engine shifts")
        load = STLStream(packet=packet(size, flows, train, 4000), mode=STLTXCont(percentage=100))
        probe = STLStream(
            packet=packet(max(size, 80), 1, 1, 4001),
            mode=STLTXCont(pps=LATENCY_PPS),
            flow_stats=STLFlowLatencyStats(pg_id=7),
        )
        return [load, probe]


def register():
    return UdpTrains()
