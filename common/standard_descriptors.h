// Makes sure that standard input, output and error are open before a program opens anything else.
//
// If the caller has closed them, the next file that is opened gets the number 0, 1 or 2, and a log line goes
// into a database's lock file.
#pragma once

namespace lekt {

/// Leads closed standard descriptors to /dev/null. Reading standard input and writing standard output still
/// fail, as they did while these were closed, so nobody takes an output for written. What is written to
/// standard error is lost. Ends the program if this is not possible.
void open_standard_descriptors();

}  // namespace lekt
