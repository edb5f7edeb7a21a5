// The file of --output: readers see the old text or the new one, and never a part, wherever that can be had.
//
// Links are followed first, so a link stays a link. What they lead to is a regular file, or nothing yet; a
// device, a pipe or a directory is never replaced. Owner, group, mode and access list of a file that exists
// are kept. The text goes into a new file next to it, whose name begins with a dot and ends in no suffix that
// a program looks for, and which then takes the file's place.
//
// Where that cannot work (the file is a mount of its own, its directory may not be written, its owner cannot
// be given to a new file), the file is written in place, and in_place() says why: then a reader may see a
// part.
//
// Used by one thread at a time.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>

namespace lekt::command {

class OutputFile {
 public:
  /// Makes sure that the file can be written, changes nothing in it, and removes what a writer that was
  /// killed has left next to it. Throws CodedError E705 if the path names what is no regular file, and E706 if
  /// it cannot be written. `flag` is what the user has named it with.
  explicit OutputFile(std::string path, std::string flag = "--output");

  /// Throws CodedError E706; what was there is then untouched, unless it is written in place.
  void write(std::string_view text);

  enum class Found { same, missing, other };
  /// Whether the file still holds the text that was written last. A file that others have replaced by an
  /// equal one is the same. Throws nothing: what cannot be looked at is missing.
  Found look(std::string_view text);

  /// Why the file is written in place, as of the last check or write; empty if it is replaced.
  const std::string& in_place() const { return in_place_; }
  const std::string& path() const { return path_; }

 private:
  struct Target;

  Target find() const;
  [[noreturn]] void refuse(const std::string& why) const;
  void attempt(const std::optional<std::string_view>& text);
  void write_in_place(const Target& target, const std::optional<std::string_view>& text);
  void remember(const struct stat& information);
  void remove_leftovers() const;

  const std::string path_;
  const std::string flag_;
  const mode_t mode_of_new_;  ///< as the umask was at the beginning
  std::string in_place_;
  std::optional<struct stat> written_;  ///< what the file was after the last write
};

}  // namespace lekt::command
