"""Hadoop Streaming mapper: a line of flights.csv -> day <tab> flights, cancelled, departed, minutes late, longest delay."""
import sys


def main() -> None:
    for line in sys.stdin:
        field = line.rstrip("\n").split(",")
        if field[0] == "year":  # the header comes once, in whichever split holds it
            continue
        day = f"{field[0]}-{int(field[1]):02d}-{int(field[2]):02d}"
        delay = field[5]
        if delay == "NA":
            print(f"{day}\t1,1,0,0,NA")
        else:
            print(f"{day}\t1,0,1,{delay},{delay}")


main()
