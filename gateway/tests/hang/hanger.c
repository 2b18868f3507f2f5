/* SPDX-License-Identifier: BSD-3-Clause */
/* A device gone wrong, for tests/netns_hang.rs: loaded before DPDK (LD_PRELOAD), it lets the first
 * transmit queue of net_null9 take so many frames and no more, until the port is started again.
 * DPDK's public functions only. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#include <rte_ethdev.h>

enum { TAKES = 300 };

static bool restarted;

static uint16_t
hang(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t count, void *arg)
{
	static uint16_t taken;

	(void)port, (void)queue, (void)frames, (void)arg;
	if (restarted)
		return count;
	count = RTE_MIN(count, (uint16_t)(TAKES - taken));
	taken += count;
	return count;
}

int
rte_eth_dev_start(uint16_t port)
{
	static bool started;
	int (*start)(uint16_t) = (int (*)(uint16_t))dlsym(RTLD_NEXT, "rte_eth_dev_start");
	char name[RTE_ETH_NAME_MAX_LEN];

	if (rte_eth_dev_get_name_by_port(port, name) == 0 && strcmp(name, "net_null9") == 0) {
		restarted = started;
		if (!started)
			rte_eth_add_tx_callback(port, 0, hang, NULL);
		started = true;
	}
	return start(port);
}
