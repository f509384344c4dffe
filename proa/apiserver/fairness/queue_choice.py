"""The two choices of fair queuing, as plain functions: in which queue of its hand a request waits, and which queue is served next.

Source: KEP-1040, "Fair Queuing for Server Requests": requests are served as if all queues that have something to do advanced at the same
rate; the one whose oldest request would be finished first in that virtual world is next.
"""

from collections.abc import Collection, Sequence

from proa.apiserver.fairness.flow import Queue


def shortest(queues: Sequence[Queue], hand: Sequence[int], offset: int) -> Queue:
    """The queue of the hand with the least work waiting. Which one wins a tie rotates, so that overlapping hands do not always collide."""
    start = offset % len(hand)
    return min((queues[index] for index in (*hand[start:], *hand[:start])), key=lambda queue: queue.work)


def next_queue(waiting: Collection[Queue], last: int, count: int) -> Queue:
    """Among queues with waiting requests. After a tie, the others come first."""
    return min(waiting, key=lambda queue: (queue.next_dispatch_r + queue.waiting[0].work.total, (queue.index - last - 1) % count))
