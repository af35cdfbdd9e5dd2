"""The keyboard of a terminal that shows a dashboard."""

import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_LOCAL_MODES = 3
_INPUT_MODES = 0


@contextmanager
def silenced(stream: TextIO) -> Iterator[None]:
    """Keep what is typed off the screen, and put all back at the end.

    Keys would else be echoed into the tiles, `^C` among them, and Ctrl-S would freeze the picture
    while the station works on. Ctrl-C itself keeps its meaning. What was typed is thrown away, so
    that the shell doesn't run it afterwards. Does nothing when `stream` is no terminal, or is one
    that belongs to another program in the foreground.
    """
    if not stream.isatty() or _belongs_to_another(stream.fileno()):
        yield
        return
    descriptor = stream.fileno()
    before = termios.tcgetattr(descriptor)
    silent = termios.tcgetattr(descriptor)
    silent[_LOCAL_MODES] &= ~(termios.ECHO | termios.ICANON)
    silent[_INPUT_MODES] &= ~termios.IXON
    termios.tcsetattr(descriptor, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)


def _belongs_to_another(descriptor: int) -> bool:
    # To change the terminal from the background stops a process (SIGTTOU).
    try:
        return os.tcgetpgrp(descriptor) != os.getpgrp()
    except OSError:
        # Not the terminal that controls this process, so no shell hands it around.
        return False
