#!/usr/bin/python3
"""Prints what a screen shows after the bytes of a telnet host, as another terminal than ours has it (pyte).

    pyte_screen.py ROWS COLUMNS FILE

Each row without the blanks at its end. Exit code 77: python3-pyte is not installed.
"""

import sys

IAC, SE, SB, WILL, DONT = 255, 240, 250, 251, 254


def without_telnet(data: bytes) -> bytes:
    """The text: no commands, no NUL after a carriage return."""
    text = bytearray()
    at = 0
    while at < len(data):
        if data[at] == IAC and at + 1 < len(data):
            command = data[at + 1]
            if command == IAC:
                text.append(IAC)
                at += 2
            elif command == SB:
                end = data.find(bytes([IAC, SE]), at)
                at = len(data) if end < 0 else end + 2
            else:
                at += 3 if WILL <= command <= DONT else 2
        elif data[at] == 0 and text.endswith(b"\r"):
            at += 1
        else:
            text.append(data[at])
            at += 1
    return bytes(text)


def main() -> int:
    try:
        import pyte
    except ImportError:
        return 77
    rows, columns = int(sys.argv[1]), int(sys.argv[2])
    with open(sys.argv[3], "rb") as file:
        text = without_telnet(file.read())
    screen = pyte.Screen(columns, rows)
    pyte.Stream(screen).feed(text.decode("utf-8", "replace"))
    for row in screen.display:
        print(row.rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
