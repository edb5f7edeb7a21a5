#!/usr/bin/python3
"""Prints what a screen shows after the bytes of a telnet host, as another terminal than ours has it (pyte).

    pyte_screen.py ROWS COLUMNS FILE

Each row without the blanks at its end; then where the cursor is, counted from 0, and "shown" or "hidden". Exit code 77:
python3-pyte is not installed.
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


def screen_after(rows: int, columns: int, text: str):
    """What pyte shows. It knows no SU and SD (CSI n S, CSI n T), which scroll between the margins."""
    import pyte

    class Screen(pyte.Screen):
        def scroll(self, count: int, is_up: bool) -> None:
            row, column = self.cursor.y, self.cursor.x
            top, bottom = self.margins or (0, self.lines - 1)
            self.cursor.y = bottom if is_up else top
            for _ in range(count or 1):
                self.index() if is_up else self.reverse_index()
            self.cursor.y, self.cursor.x = row, column

        def scroll_up(self, count: int = 1) -> None:
            self.scroll(count, True)

        def scroll_down(self, count: int = 1) -> None:
            self.scroll(count, False)

    class Stream(pyte.Stream):
        csi = {**pyte.Stream.csi, "S": "scroll_up", "T": "scroll_down"}
        events = pyte.Stream.events | {"scroll_up", "scroll_down"}

    screen = Screen(columns, rows)
    Stream(screen).feed(text)
    return screen


def main() -> int:
    rows, columns = int(sys.argv[1]), int(sys.argv[2])
    with open(sys.argv[3], "rb") as file:
        text = without_telnet(file.read())
    try:
        screen = screen_after(rows, columns, text.decode("utf-8", "replace"))
    except ImportError:
        return 77
    for row in screen.display:
        print(row.rstrip())
    # After the last column it waits for the next character, and is seen on the last one.
    column = min(screen.cursor.x, columns - 1)
    print(screen.cursor.y, column, "hidden" if screen.cursor.hidden else "shown")
    return 0


if __name__ == "__main__":
    sys.exit(main())
