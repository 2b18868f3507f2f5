# Gives the kernel multicast routes, SOURCE,GROUP,PORT+PORT…, and keeps them until stdin ends:
# struct vifctl, mfcctl (linux/mroute.h), mif6ctl, mf6cctl (linux/mroute6.h).
import socket, struct, sys

INIT, ADD_VIF, ADD_MFC = 200, 202, 204
ports = [socket.if_nametoindex(f"p{number}") for number in range(4)]

v4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
v6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
v4.setsockopt(socket.IPPROTO_IP, INIT, 1)
v6.setsockopt(socket.IPPROTO_IPV6, INIT, 1)
for vif, index in enumerate(ports):
    by_index, threshold = 8, 1
    v4.setsockopt(socket.IPPROTO_IP, ADD_VIF,
                  struct.pack("@HBBIi4s", vif, by_index, threshold, 0, index, bytes(4)))
    v6.setsockopt(socket.IPPROTO_IPV6, ADD_VIF, struct.pack("@HBBHI", vif, 0, threshold, index, 0))


def sockaddr(address):
    return struct.pack("@HHI16sI", socket.AF_INET6, 0, 0, socket.inet_pton(socket.AF_INET6, address), 0)


for word in sys.argv[1:]:
    source, group, to = word.split(",")
    to = [int(port) for port in to.split("+")]
    if ":" in group:
        ports_set = struct.pack("@8I", sum(1 << port for port in to), *[0] * 7)
        route = sockaddr(source) + sockaddr(group) + struct.pack("@Hxx", 0) + ports_set
        v6.setsockopt(socket.IPPROTO_IPV6, ADD_MFC, route)
    else:
        thresholds = bytes(1 if port in to else 0 for port in range(32))
        route = struct.pack("@4s4sH32sIIIi", socket.inet_aton(source), socket.inet_aton(group), 0,
                            thresholds, 0, 0, 0, 0)
        v4.setsockopt(socket.IPPROTO_IP, ADD_MFC, route)
print("ready", flush=True)
sys.stdin.read()
