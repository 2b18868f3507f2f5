/* SPDX-License-Identifier: BSD-3-Clause */
/* Only with AddressSanitizer: pools whose buffers are poisoned while they are in, mbuf and data. A
 * write, a read or a second free after the last free then ends the program with a report, whoever
 * does it. There is no cache: every buffer that comes and goes passes here. Memory outside of a
 * buffer's mbuf and data, the cookies of RTE_LIBRTE_MEMPOOL_DEBUG, stays DPDK's.
 */
#include "shim.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>

#include <rte_ring.h>

/* pool_config points here once the pool is made and its mbufs are poisoned too. */
static const char made;

static void
poison(const struct rte_mempool *pool, void *const *objects, unsigned int count)
{
	/* rte_pktmbuf_init writes to every mbuf when all are in the pool. */
	size_t from = pool->pool_config == &made ? 0 : sizeof(struct rte_mbuf);

	for (unsigned int i = 0; i < count; i++)
		__asan_poison_memory_region((char *)objects[i] + from, pool->elt_size - from);
}

static void
unpoison(const struct rte_mempool *pool, void *const *objects, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		__asan_unpoison_memory_region(objects[i], pool->elt_size);
}

static int
poisoned_alloc(struct rte_mempool *pool)
{
	char name[RTE_RING_NAMESIZE];

	if (snprintf(name, sizeof(name), "P_%s", pool->name) >= (int)sizeof(name)) {
		rte_errno = ENAMETOOLONG;
		return -rte_errno;
	}
	pool->pool_data = rte_ring_create(name, rte_align32pow2(pool->size + 1), pool->socket_id, 0);
	return pool->pool_data == NULL ? -rte_errno : 0;
}

static void
poisoned_free(struct rte_mempool *pool)
{
	rte_ring_free(pool->pool_data);
}

static int
poisoned_enqueue(struct rte_mempool *pool, void *const *objects, unsigned int count)
{
	poison(pool, objects, count);
	return rte_ring_mp_enqueue_bulk(pool->pool_data, objects, count, NULL) == 0 ? -ENOBUFS : 0;
}

static int
poisoned_dequeue(struct rte_mempool *pool, void **objects, unsigned int count)
{
	if (rte_ring_mc_dequeue_bulk(pool->pool_data, objects, count, NULL) == 0)
		return -ENOBUFS;
	unpoison(pool, objects, count);
	return 0;
}

static unsigned int
poisoned_count(const struct rte_mempool *pool)
{
	return rte_ring_count(pool->pool_data);
}

static const struct rte_mempool_ops poisoned = {
	.name = "sys_poisoned",
	.alloc = poisoned_alloc,
	.free = poisoned_free,
	.enqueue = poisoned_enqueue,
	.dequeue = poisoned_dequeue,
	.get_count = poisoned_count,
};

RTE_MEMPOOL_REGISTER_OPS(poisoned);

static void
poison_mbuf(struct rte_mempool *pool, void *arg, void *object, unsigned int number)
{
	(void)arg, (void)number;
	poison(pool, &object, 1);
}

static void
unpoison_mbuf(struct rte_mempool *pool, void *arg, void *object, unsigned int number)
{
	(void)arg, (void)number;
	unpoison(pool, &object, 1);
}

/* rte_pktmbuf_pool_create_by_ops, with the mark of a pool that is made. */
struct rte_mempool *
sys_pktmbuf_pool_create(const char *name, unsigned int count, unsigned int cache, uint16_t room,
		int socket, int lifo)
{
	struct rte_mempool *pool;

	(void)cache, (void)lifo;
	pool = rte_pktmbuf_pool_create_by_ops(name, count, 0, 0, room, socket, poisoned.name);
	if (pool == NULL)
		return NULL;
	pool->pool_config = (void *)(uintptr_t)&made;
	rte_mempool_obj_iter(pool, poison_mbuf, NULL);
	return pool;
}

/* The memory goes back to DPDK's heap, which writes to it. */
void
sys_mempool_free(struct rte_mempool *pool)
{
	rte_mempool_obj_iter(pool, unpoison_mbuf, NULL);
	rte_mempool_free(pool);
}
#endif
