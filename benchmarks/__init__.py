"""Our figures beside those of peers, measured in one run on the same PostgreSQL and RabbitMQ; printed, never asserted.

Every contender is a process of its own, that opens what it needs once and then runs rounds when it is told to. The
rounds of a pair alternate (A B A B …), so that whatever else the machine does meets both, and the ratio of each pair
of rounds is taken before the median is.
"""
