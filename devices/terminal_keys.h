// What the keys of a terminal send: the sequences that terminfo has for `vt220` and `screen-256color`, which are the same as
// far as both have them. Those of the cursor keys and of enter depend on what the host has asked for; libtsm knows them
// (terminal.cc).
#pragma once

#include "common/bytes.h"
#include "common/device_items.h"

namespace lekt {

/// Appends the sequence of a key. Alt is an escape before it. `tells_modifiers`: shift and control are told as xterm
/// does; on a VT220 they change nothing. Of the cursor keys and enter it appends only those with modifiers that are
/// told.
void append_key(Bytes& out, const KeyItem& key, bool tells_modifiers);

/// Appends a character that is typed with modifiers.
void append_chord(Bytes& out, const ChordItem& chord);

}  // namespace lekt
