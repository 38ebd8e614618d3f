"""What beacons do on their nodes: how they say that they serve, and what has to hold around their restarts."""
from __future__ import annotations

import configparser

from ..hadoop_http import Daemon
from .turns import Turn

CONF = "/etc/emr/beacon/beacon.ini"


class Beacon(Daemon):
    """Any one of them that answers is asked about all."""

    NAME, STATE = "beacon", "/state"


DAEMON = Beacon


def summary(address):
    """What it says of itself; None when it does not answer."""
    return Beacon(address).look("/state")


details = summary


def lacking(_address, told, _members, _log):
    """'' when it serves."""
    return "" if told else "the beacon does not answer"


def at_work(address):
    """Its notes, in the shape of YARN's applications; None when it does not answer."""
    told = summary(address)
    return None if told is None else [{"id": "notes", "name": told["greeting"], "user": "beacon", "queue": "", "state": "KEPT", "progress": 100.0,
                                       "allocatedMB": 0, "allocatedVCores": told["notes"], "elapsedTime": 0, "applicationType": "BEACON"}]


def _served(answer):
    return ("greeting" in answer, f"{answer.get('notes')} notes")


class BeaconTurn(Turn):
    """Somebody else can be asked while it is away, and it has its notes again afterwards."""

    def before(self):
        self.wait(f"the beacon of {self.here} cannot be stopped now", self._peers)

    def leave(self):
        self._beacon().ask("/note/farewell", "PUT", data=self.here.encode())

    def after(self, _begun):
        self.wait(f"the beacon of {self.here} was restarted", lambda: "" if self._beacon().look("/state") else "it does not answer")

    def _beacon(self):
        return Daemon(f"http://{self.here}:{self.component['ports']['http']}", name="beacon")

    def _peers(self):
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(CONF)
        away = [peer for peer in parser["server"]["peers"].split() if not Daemon(f"http://{peer}").look("/state")]
        return f"nobody answers at {', '.join(away)}" if away else ""


READERS = {"served": _served}
TURNS = {"beacon": BeaconTurn}
