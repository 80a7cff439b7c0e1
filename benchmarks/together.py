"""Several writers at once, and how long they took."""

import threading
from collections.abc import Callable
from time import perf_counter


def at_once(writers: int, write: Callable[[int], None]) -> float:
    """Run `write(0)`, `write(1)`, … in as many threads (greenlets, where threads are patched); seconds until all ended.

    Raises what a writer raised.
    """
    faults: list[Exception] = []

    def attempt(number: int) -> None:
        try:
            write(number)
        except Exception as fault:  # noqa: BLE001  raised below, in the thread that waits
            faults.append(fault)

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(writers)]
    start = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = perf_counter() - start
    if faults:
        raise faults[0]
    return seconds
