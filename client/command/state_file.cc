#include "client/command/state_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "client/command/output.h"
#include "common/descriptor.h"
#include "common/errors.h"
#include "common/text.h"

namespace lekt::command {

namespace {

/// From one write to the next.
constexpr std::chrono::seconds write_every{5};

/// The largest file that is read: a million peers with ten methods each.
constexpr off_t state_bytes_max = 256 * 1024 * 1024;

/// Nothing if there is no such file. Throws CodedError E715.
std::optional<std::string> read_whole(const std::string& path) {
  const auto fail = [](const std::string& why) { throw CodedError(ErrorCode::client_state_unusable, why); };
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file.is_open() && errno == ENOENT) return std::nullopt;
  struct stat information {};
  if (!file.is_open() || ::fstat(file.value(), &information) != 0) fail(std::strerror(errno));
  if (!S_ISREG(information.st_mode)) return std::nullopt;  // who is to write it says so
  if (information.st_size > state_bytes_max) fail("it is larger than any state");
  std::string text(static_cast<std::size_t>(information.st_size), '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t read = ::read(file.value(), text.data() + size, text.size() - size);
    if (read < 0) fail(std::strerror(errno));
    if (read == 0) break;
    size += static_cast<std::size_t>(read);
  }
  text.resize(size);
  return text;
}

}  // namespace

std::optional<ClientState> read_state_file(const std::string& path, const MethodCatalogue& catalogue) try {
  const auto text = read_whole(path);
  // A new file that somebody has made with the rights that he wants.
  if (!text || text->empty()) return std::nullopt;
  return parse_client_state(*text, catalogue);
} catch (const CodedError& error) {
  const std::string why = error.what();
  print_status(Rejection{
      error.code(), "--state \"" + escape(path) +
                        "\" cannot be used, so the whole list is asked for: " + why.substr(why.find(' ') + 1)}
                   .text());
  return std::nullopt;
}

StateFile::StateFile(const std::string& path) : keeper_(OutputFile(path, "--state"), {}) {}

void StateFile::keep(const Client& client) {
  if (!is_current_ && std::chrono::steady_clock::now() >= due_) put(client);
}

bool StateFile::finish(const Client& client, std::chrono::milliseconds limit) {
  if (!is_current_) put(client);
  return keeper_.finish(limit);
}

void StateFile::put(const Client& client) {
  is_current_ = true;
  std::string text = to_text(client.state());
  const std::size_t hash = std::hash<std::string>()(text);
  if (version_ != 0 && hash == hash_) return;
  hash_ = hash;
  due_ = std::chrono::steady_clock::now() + write_every;
  keeper_.put(std::move(text), ++version_);
}

}  // namespace lekt::command
