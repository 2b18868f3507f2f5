/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What bindgen cannot see: static inlines in burst size, thread-locals, bit-fields, and the places
 * of the struct rte_mbuf members that Rust reads and writes by itself. Declarations only; no logic.
 *
 * Offsets come from the headers at hand, so one source fits every DPDK: field paths inside struct
 * rte_mbuf moved into anonymous unions over the releases, the offsets stayed.
 */
#ifndef DPDK_SYS_SHIM_H
#define DPDK_SYS_SHIM_H

#include <stddef.h>
#include <stdio.h>

#include <linux/filter.h>
#include <linux/if_packet.h>

#include <rte_config.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_version.h>

enum dpdk_sys_mbuf_offset {
	MBUF_BUF_ADDR = offsetof(struct rte_mbuf, buf_addr),
	MBUF_DATA_OFF = offsetof(struct rte_mbuf, data_off),
	MBUF_REFCNT = offsetof(struct rte_mbuf, refcnt),
	MBUF_NB_SEGS = offsetof(struct rte_mbuf, nb_segs),
	MBUF_PORT = offsetof(struct rte_mbuf, port),
	MBUF_OL_FLAGS = offsetof(struct rte_mbuf, ol_flags),
	MBUF_PKT_LEN = offsetof(struct rte_mbuf, pkt_len),
	MBUF_DATA_LEN = offsetof(struct rte_mbuf, data_len),
	MBUF_BUF_LEN = offsetof(struct rte_mbuf, buf_len),
	MBUF_POOL = offsetof(struct rte_mbuf, pool),
	MBUF_HASH = offsetof(struct rte_mbuf, hash),
	MBUF_NEXT = offsetof(struct rte_mbuf, next),
	MBUF_TX_OFFLOAD = offsetof(struct rte_mbuf, tx_offload),
	MBUF_SIZE = sizeof(struct rte_mbuf),
};

enum dpdk_sys_limits {
	PKTMBUF_HEADROOM = RTE_PKTMBUF_HEADROOM,
	MAX_ETHPORTS = RTE_MAX_ETHPORTS,
	MAX_LCORE = RTE_MAX_LCORE,
};

/* rte_ethdev.h */
uint16_t sys_eth_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count);
uint16_t sys_eth_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count);
/* rte_eth_link_get_nowait; struct rte_eth_link is bit-fields whose form differs by release. */
int sys_eth_link(uint16_t port, int *up, uint32_t *megabits_per_s);

/* rte_mbuf.h */
struct rte_mbuf *sys_pktmbuf_alloc(struct rte_mempool *pool);
int sys_pktmbuf_alloc_bulk(struct rte_mempool *pool, struct rte_mbuf **mbufs, unsigned int count);
void sys_pktmbuf_free(struct rte_mbuf *mbuf);
void sys_pktmbuf_attach(struct rte_mbuf *indirect, struct rte_mbuf *mbuf);
uint16_t sys_mbuf_refcnt_read(const struct rte_mbuf *mbuf);
uint16_t sys_mbuf_refcnt_update(struct rte_mbuf *mbuf, int16_t value);
struct rte_mbuf *sys_pktmbuf_prefree_seg(struct rte_mbuf *mbuf);
uint16_t sys_pktmbuf_data_room_size(struct rte_mempool *pool);
/* As rte_pktmbuf_pool_create and rte_mempool_free; with AddressSanitizer buffers that are in the
 * pool are poisoned (poison.c). */
struct rte_mempool *sys_pktmbuf_pool_create(const char *name, unsigned int count, unsigned int cache,
		uint16_t room, int socket, int lifo);
void sys_mempool_free(struct rte_mempool *pool);

/* rte_mempool.h: what lies in a pool, past its caches and with them. */
int sys_mempool_backing_get(struct rte_mempool *pool, void **objects, unsigned int count);
int sys_mempool_backing_put(struct rte_mempool *pool, void *const *objects, unsigned int count);
void sys_mempool_put(struct rte_mempool *pool, void *const *objects, unsigned int count);
unsigned int sys_mempool_cache(const struct rte_mempool *pool, unsigned int lcore, void *const **objects);

/* Thread-locals: bindgen would turn them into plain statics, which link and then crash. */
int sys_errno(void);
unsigned int sys_lcore_id(void);

/* rte_cycles.h */
uint64_t sys_tsc(void);

#endif
