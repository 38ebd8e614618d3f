"""A terminal that shows one text after the other in place, and takes keys."""
from __future__ import annotations

import os
import select
import signal
import sys
import termios
import threading
import tty

# The other screen of a terminal, without its cursor; and back.
ENTER, LEAVE, HOME, TO_END, CLEAR_LINE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l", "\x1b[H", "\x1b[J", "\x1b[K"
KEYS = "q quit   s sort by the next column   r reverse   / filter, Enter to keep it"


class Screen:
    """``show(look)`` draws what ``view.text(look)`` gives; keys change the view, and q ends this process's run as Ctrl-C does."""

    def __init__(self, view):
        self.view, self.look, self.typing, self.lock, self.done = view, None, False, threading.Lock(), threading.Event()

    def __enter__(self):
        self.before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        sys.stdout.write(ENTER + HOME + "Waits for the first figures.")
        sys.stdout.flush()
        self.keys = threading.Thread(target=self._keys, daemon=True)
        self.keys.start()
        return self

    def __exit__(self, *_error) -> None:
        self.done.set()
        self.keys.join(1)
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self.before)
        sys.stdout.write(LEAVE)
        sys.stdout.flush()

    def show(self, look: dict) -> None:
        """Draw another look."""
        self.look = look
        self._draw()

    def _draw(self) -> None:
        if self.look is None:
            return
        with self.lock:
            size = os.get_terminal_size(sys.stdout.fileno())
            lines = self.view.text(self.look).split("\n")[:size.lines - 2]
            last = f"filter: {self.view.filter}_" if self.typing else KEYS
            drawn = [line[:size.columns] + CLEAR_LINE for line in [*lines, "", last]]
            sys.stdout.write(HOME + "\r\n".join(drawn) + TO_END)
            sys.stdout.flush()

    def _keys(self) -> None:
        while not self.done.is_set():
            if not select.select([sys.stdin], [], [], 0.2)[0]:
                continue
            key = os.read(sys.stdin.fileno(), 32).decode(errors="ignore")
            if self.typing:
                self._type(key)
            elif key == "q":
                os.kill(os.getpid(), signal.SIGINT)
                return
            elif key == "s":
                self.view.next_sort()
            elif key == "r":
                self.view.backwards = not self.view.backwards
            elif key == "/":
                self.typing, self.view.filter = True, ""
            self._draw()

    def _type(self, key: str) -> None:
        if key in ("\n", "\r"):
            self.typing = False
        elif key in ("\x7f", "\b"):
            self.view.filter = self.view.filter[:-1]
        elif key.isprintable():
            self.view.filter += key
