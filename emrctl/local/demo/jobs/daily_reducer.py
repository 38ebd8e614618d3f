"""Hadoop Streaming reducer and combiner: adds up the values of a day; the last value is a maximum."""
import sys
from itertools import groupby


def add(values) -> str:
    """Sum of the first four numbers, maximum of the fifth (NA = no flight departed)."""
    total, longest = [0, 0, 0, 0], None
    for value in values:
        parts = value.split(",")
        total = [a + int(b) for a, b in zip(total, parts)]
        if parts[4] != "NA":
            longest = int(parts[4]) if longest is None else max(longest, int(parts[4]))
    return ",".join(map(str, total)) + f",{'NA' if longest is None else longest}"


def main() -> None:
    pairs = (line.rstrip("\n").split("\t", 1) for line in sys.stdin)
    for day, group in groupby(pairs, key=lambda pair: pair[0]):
        print(f"{day}\t{add(value for _, value in group)}")


main()
