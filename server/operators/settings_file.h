// Reads the settings' file: TOML, as strictly as TOML is specified, and only the parts of it that a setting can be.
//
// Nothing in the file is passed over. Whatever is not TOML, a key that is given twice, a table, and a path that is no
// regular file are refused with file, line and column. The reader does not know which settings there are.
//
// Pure, except for read_settings_file().
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lekt {

/// A setting, or the file of them, that cannot be used. what() has no code: it names the place, the value and
/// what is allowed.
class WrongSetting : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct FileValue {
  enum class Kind : std::uint8_t { text, integer, boolean, fraction, time, list, table };

  Kind kind = Kind::text;
  std::string text;  ///< of a text or an integer
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::vector<FileValue> elements;  ///< of a list; those that are lists themselves have none here
};

struct FileSetting {
  std::string name;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  FileValue value;
};

/// A file of settings has some hundred lines. Ten thousand addresses to deny take 200 KB.
inline constexpr std::size_t settings_bytes_max = 1024 * 1024;

/// In the order of the file. `file` is what messages call it. Throws WrongSetting.
std::vector<FileSetting> parse_settings(std::string_view text, const std::string& file);

/// Throws WrongSetting, also when the path leads to something that is no regular file, or to none.
std::vector<FileSetting> read_settings_file(const std::filesystem::path& path);

/// "a whole number"
std::string_view describe(FileValue::Kind kind);

/// "/etc/lekt/lektd.toml:3:15"
std::string place_text(const std::string& file, std::uint32_t line, std::uint32_t column);

/// A value in single quotes, without characters that a terminal would obey, and cut when it is long.
std::string quote_value(std::string_view value);

}  // namespace lekt
