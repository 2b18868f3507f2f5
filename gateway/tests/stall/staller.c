/* SPDX-License-Identifier: BSD-3-Clause */
/* A driver gone wrong, for tests/stall.rs: loaded into the gateway by eal_args, it does not return from
 * a receive call while there is a file STALL_WHILE. DPDK's public functions only. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_ethdev.h>

static uint16_t
stall(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t count, uint16_t most,
	void *file)
{
	(void)port, (void)queue, (void)frames, (void)most;
	while (access(file, F_OK) == 0)
		usleep(1000);
	return count;
}

/* Until the port has its queues. */
static void *
wait_for_port(void *file)
{
	while (rte_eth_add_rx_callback(0, 0, stall, file) == NULL)
		usleep(1000);
	return file;
}

RTE_INIT(staller)
{
	char *file = getenv("STALL_WHILE");
	pthread_t thread;

	if (file != NULL && pthread_create(&thread, NULL, wait_for_port, file) == 0)
		pthread_detach(thread);
}
