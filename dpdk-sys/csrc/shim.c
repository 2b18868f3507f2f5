/* SPDX-License-Identifier: BSD-3-Clause */
#include "shim.h"

#include <rte_cycles.h>

uint16_t
sys_eth_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	return rte_eth_rx_burst(port, queue, mbufs, count);
}

uint16_t
sys_eth_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	return rte_eth_tx_burst(port, queue, mbufs, count);
}

int
sys_eth_link(uint16_t port, int *up, uint32_t *megabits_per_s)
{
	struct rte_eth_link link = { 0 };
	int ret = rte_eth_link_get_nowait(port, &link);

	*up = link.link_status == RTE_ETH_LINK_UP;
	*megabits_per_s = link.link_speed;
	return ret;
}

struct rte_mbuf *
sys_pktmbuf_alloc(struct rte_mempool *pool)
{
	return rte_pktmbuf_alloc(pool);
}

int
sys_pktmbuf_alloc_bulk(struct rte_mempool *pool, struct rte_mbuf **mbufs, unsigned int count)
{
	return rte_pktmbuf_alloc_bulk(pool, mbufs, count);
}

void
sys_pktmbuf_free(struct rte_mbuf *mbuf)
{
	rte_pktmbuf_free(mbuf);
}

void
sys_pktmbuf_attach(struct rte_mbuf *indirect, struct rte_mbuf *mbuf)
{
	rte_pktmbuf_attach(indirect, mbuf);
}

uint16_t
sys_mbuf_refcnt_read(const struct rte_mbuf *mbuf)
{
	return rte_mbuf_refcnt_read(mbuf);
}

uint16_t
sys_mbuf_refcnt_update(struct rte_mbuf *mbuf, int16_t value)
{
	return rte_mbuf_refcnt_update(mbuf, value);
}

struct rte_mbuf *
sys_pktmbuf_prefree_seg(struct rte_mbuf *mbuf)
{
	return rte_pktmbuf_prefree_seg(mbuf);
}

uint16_t
sys_pktmbuf_data_room_size(struct rte_mempool *pool)
{
	return rte_pktmbuf_data_room_size(pool);
}

#ifndef __SANITIZE_ADDRESS__
struct rte_mempool *
sys_pktmbuf_pool_create(const char *name, unsigned int count, unsigned int cache, uint16_t room,
		int socket, int lifo)
{
	struct rte_mempool *pool = NULL;

	/* No lock, so no thread that was preempted is waited for. A DPDK without it has the ring. */
	if (lifo)
		pool = rte_pktmbuf_pool_create_by_ops(name, count, cache, 0, room, socket, "lf_stack");
	if (pool == NULL)
		pool = rte_pktmbuf_pool_create(name, count, cache, 0, room, socket);
	return pool;
}

void
sys_mempool_free(struct rte_mempool *pool)
{
	rte_mempool_free(pool);
}
#endif

int
sys_mempool_backing_get(struct rte_mempool *pool, void **objects, unsigned int count)
{
	return rte_mempool_ops_dequeue_bulk(pool, objects, count);
}

int
sys_mempool_backing_put(struct rte_mempool *pool, void *const *objects, unsigned int count)
{
	return rte_mempool_ops_enqueue_bulk(pool, objects, count);
}

void
sys_mempool_put(struct rte_mempool *pool, void *const *objects, unsigned int count)
{
	rte_mempool_put_bulk(pool, objects, count);
}

unsigned int
sys_mempool_cache(const struct rte_mempool *pool, unsigned int lcore, void *const **objects)
{
	const struct rte_mempool_cache *cache;

	if (pool->cache_size == 0 || lcore >= RTE_MAX_LCORE)
		return 0;
	cache = &pool->local_cache[lcore];
	*objects = (void *const *)cache->objs;
	return cache->len;
}

int
sys_errno(void)
{
	return rte_errno;
}

unsigned int
sys_lcore_id(void)
{
	return rte_lcore_id();
}

uint64_t
sys_tsc(void)
{
	return rte_rdtsc();
}
