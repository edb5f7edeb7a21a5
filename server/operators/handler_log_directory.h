// The files of the handler log: one for each device's address, in one directory. devices/handler_log.h says what their
// lines, names and limits are.
//
// A file that is full becomes the one older copy. For one address too many, the file that was written to the longest ago
// goes, with its copy; files that were there at the start are the oldest by their times. Nothing stays open between two
// calls, so files and directory may be moved or removed at any time, and are made anew.
//
// No link is followed: what is no file is moved aside, as a full file is. Only names that addresses have are touched.
//
// It waits for the disk. Used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "common/address.h"
#include "common/descriptor.h"
#include "devices/handler_log.h"

namespace lekt {

class HandlerLogDirectory {
 public:
  struct Limits {
    std::size_t file_bytes = limits::handler_log_file_bytes;
    std::size_t files = limits::handler_log_files;
  };

  /// Opens a file to append to, and makes it if it is not there. As openat(2).
  using OpenFile = std::function<Descriptor(int directory, const std::string& name)>;
  static Descriptor open_file(int directory, const std::string& name);

  /// The directory is made with the first line, readable for the server's group; the one above it has to be there.
  HandlerLogDirectory(std::filesystem::path path, Limits limits, OpenFile open)
      : path_(std::move(path)), limits_(limits), open_(std::move(open)) {}

  /// Appends whole lines to the file of an address, and takes those from `lines` that are written. Throws CodedError E623
  /// when the disk does not take one; no part of it is in the file then.
  void append(Address device, std::string_view& lines);

 private:
  struct Opened {
    Descriptor descriptor;
    std::size_t bytes;
  };

  Descriptor open_directory();
  void list_files(const Descriptor& directory);
  void make_room(const Descriptor& directory, Address device);
  void note_written(Address device, std::int64_t when);
  Opened open_regular(const Descriptor& directory, const std::string& name);
  void set_aside(const Descriptor& directory, Address device);
  [[noreturn]] void fail(const std::string& what, const std::string& name) const;

  const std::filesystem::path path_;
  const Limits limits_;
  const OpenFile open_;
  bool is_listed_ = false;
  /// When files were last written to: nanoseconds of their times at first, and later a number that only grows.
  std::map<Address, std::int64_t> written_;
  std::set<std::pair<std::int64_t, Address>> by_time_;
  std::int64_t newest_ = 0;
};

}  // namespace lekt
