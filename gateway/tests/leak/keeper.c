/* SPDX-License-Identifier: BSD-3-Clause */
/* A driver gone wrong, for tests/leak.rs: loaded into the gateway by eal_args, it takes a reference
 * to three frames that port 1 sends and never gives it up. DPDK's public functions only. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

enum { PORT = 1, EVERY = 7, KEPT = 3 };

static uint16_t
keep(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t count, void *arg)
{
	static unsigned int seen, kept;

	(void)port, (void)queue, (void)arg;
	for (uint16_t i = 0; i < count && kept < KEPT; i++) {
		if (++seen % EVERY != 0)
			continue;
		rte_mbuf_refcnt_update(frames[i], 1);
		if (++kept == KEPT)
			fprintf(stderr, "keeper: kept %u frames\n", kept);
	}
	return count;
}

/* Until the port has its queues. */
static void *
wait_for_port(void *arg)
{
	while (rte_eth_add_tx_callback(PORT, 0, keep, NULL) == NULL)
		usleep(1000);
	return arg;
}

RTE_INIT(keeper)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, wait_for_port, NULL) == 0)
		pthread_detach(thread);
}
