#!/usr/bin/env python3
"""NDR and PDR by the search of RFC 2544 26.1, with TRex in stateless mode.

    python3 ndr.py --server 127.0.0.1 --size 64 --train 16 --loss 0
    python3 ndr.py --self-test        tests the search against a device that is a function
"""

import argparse
import os
import sys


def search(trial, loss, resolution, top=100.0):
    """The highest rate (percent of line rate) that passes, and the trials it took.

    `trial(rate)` returns (sent, received). The rate is None when even the lowest loses more.
    """
    trials = 0

    def passes(rate):
        nonlocal trials
        trials += 1
        sent, received = trial(rate)
        return sent > 0 and (sent - received) / sent <= loss

    low, high = resolution, top
    if passes(high):
        return high, trials
    if not passes(low):
        return None, trials
    while high - low > resolution:
        middle = (low + high) / 2
        if passes(middle):
            low = middle
        else:
            high = middle
    return low, trials


def self_test():
    for limit in (3.0, 37.5, 99.0):
        found, trials = search(lambda rate: (rate * 1e6, min(rate, limit) * 1e6), 0.0, 0.5)
        assert found <= limit and limit - found <= 0.5, (limit, found)
        assert trials <= 10, trials
    assert search(lambda rate: (rate, rate), 0.0, 0.5)[0] == 100.0
    assert search(lambda rate: (rate, 0), 0.0, 0.5)[0] is None
    found, _ = search(lambda rate: (rate * 1e6, min(rate, 50.0) * 1e6), 0.1, 0.1)
    assert abs(found - 50 / 0.9) < 0.2, found
    print("the search is right")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", default="127.0.0.1")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--train", type=int, default=16)
    parser.add_argument("--flows", type=int, default=4096)
    parser.add_argument("--loss", type=float, default=0.0, help="share that may be lost: 0 is the NDR")
    parser.add_argument("--resolution", type=float, default=0.5, help="percent of line rate")
    parser.add_argument("--seconds", type=float, default=10, help="of a trial; RFC 2544 24: 60")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return self_test()

    from trex_stl_lib.api import STLClient, STLProfile

    profile = os.path.join(os.path.dirname(os.path.abspath(__file__)), "udp_trains.py")
    client = STLClient(server=args.server)
    client.connect()
    try:
        client.reset(ports=[0, 1])
        streams = STLProfile.load_py(profile, size=args.size, train=args.train, flows=args.flows)
        client.add_streams(streams.get_streams(), ports=[0])

        def trial(rate):
            client.clear_stats()
            client.start(ports=[0], mult=f"{rate}%", duration=args.seconds)
            client.wait_on_traffic(ports=[0])
            stats = client.get_stats()
            sent, received = stats[0]["opackets"], stats[1]["ipackets"]
            print(f"{rate:6.2f} % of line rate: {sent} sent, {received} received", flush=True)
            return sent, received

        found, trials = search(trial, args.loss, args.resolution)
        print(f"highest rate with at most {args.loss} lost: {found} % of line rate, {trials} trials")
    finally:
        client.disconnect()
    return None


if __name__ == "__main__":
    sys.exit(main())
