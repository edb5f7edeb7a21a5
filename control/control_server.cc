#include "control/control_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asio/buffer.hpp>
#include <asio/post.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "common/errors.h"
#include "control/control_client.h"
#include "control/requests.h"
#include "control/socket_name.h"
#include "server/operators/log.h"

namespace lekt::control {

namespace fs = std::filesystem;

namespace {

constexpr mode_t socket_mode = 0660;

[[noreturn]] void fail(const fs::path& socket, const std::string& why) {
  throw CodedError(ErrorCode::control_socket_failed, "cannot make the control socket " + socket.string() +
                                                         ": " + why + "; see --control-socket");
}

[[noreturn]] void fail(const fs::path& socket, int error_number) {
  fail(socket, std::generic_category().message(error_number));
}

/// Removes a socket that nobody listens to: a dead server has left it. Anything else is not ours to remove.
void make_room(const fs::path& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) return;  // what is wrong, if anything, bind() says
  if (!S_ISSOCK(found.st_mode)) fail(path, "there is something of that name that is not a socket");
  bool in_use = true;
  try {
    in_use = ControlClient::connect(path).has_value();
  } catch (const CodedError&) {
    // Somebody is there who does not let us in.
  }
  if (in_use) fail(path, "another program listens there");
  unlink(path.c_str());
}

/// The user of the program at the other end.
std::int64_t user_of(int descriptor) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return -1;
  return credentials.uid;
}

void log_request(const Answer& answer, std::int64_t user) {
  const Request& request = answer.request;
  log_event(request.steers || request.reveals ? LogLevel::info : LogLevel::debug, "control",
            {{"command", request.command.empty() ? std::string("-") : request.command},
             {"subject", request.subject.empty() ? std::string("-") : request.subject},
             {"user", user},
             {"done", answer.done}});
}

}  // namespace

/// One connection: a request, its answer, the next request. Lives as long as something is under way on it.
class ControlServer::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Protocol::socket socket, ControlServer& server)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        server_(server),
        user_(user_of(socket_.native_handle())) {
    ++server_.sessions_;
  }
  ~Session() { server_.session_ended(); }

  void read() {
    limit_time();
    asio::async_read_until(socket_, asio::dynamic_buffer(received_, request_bytes_max), '\n',
                           [self = shared_from_this()](const asio::error_code& error, std::size_t size) {
                             self->timer_.cancel();
                             if (error == asio::error::not_found)
                               return self->write(refusal("a request has at most " +
                                                          std::to_string(request_bytes_max) + " bytes"),
                                                  Then::close);
                             if (!error) self->execute(size);
                           });
  }

 private:
  enum class Then { read, close };

  /// Answers on the lane's thread, which hands the session back before it is done: sessions end on the thread of the
  /// sockets.
  void execute(std::size_t size) {
    ReadRequest request({received_.data(), size - 1}, server_.operations_);
    received_.erase(0, size);
    asio::post(
        server_.lane(request.lane()), [self = shared_from_this(), request = std::move(request)]() mutable {
          const Answer answer = request.run();
          log_request(answer, self->user_);
          asio::io_context& io = self->server_.io_;
          asio::post(io, [self = std::move(self), line = answer.line] { self->write(line, Then::read); });
        });
  }

  void write(const std::string& line, Then then) {
    answer_ = line + "\n";
    limit_time();
    asio::async_write(socket_, asio::buffer(answer_),
                      [self = shared_from_this(), then](const asio::error_code& error, std::size_t) {
                        self->timer_.cancel();
                        if (!error && then == Then::read) self->read();
                      });
  }

  /// Closes the connection when the time is over, which ends what is under way, and with it the session.
  void limit_time() {
    timer_.expires_after(server_.settings_.patience);
    timer_.async_wait([weak = weak_from_this()](const asio::error_code& error) {
      const auto self = weak.lock();
      if (error || !self) return;
      asio::error_code ignored;
      self->socket_.close(ignored);
    });
  }

  Protocol::socket socket_;
  asio::steady_timer timer_;
  ControlServer& server_;
  std::int64_t user_;
  std::string received_;
  std::string answer_;
};

void ControlServer::File::bind(Protocol::acceptor& acceptor, const Settings& settings) {
  const SocketName name(settings.socket);
  acceptor.open();
  // The kernel gives the file the mode of the socket, less the umask: nobody else can get in meanwhile.
  if (fchmod(acceptor.native_handle(), socket_mode) != 0) fail(settings.socket, errno);
  acceptor.bind(Protocol::endpoint(name.text()));
  path_ = settings.socket;
  struct stat made {};
  struct stat database {};
  if (lstat(path_.c_str(), &made) != 0) fail(path_, errno);
  number_ = made.st_ino;
  // Only root can give the file away. Where that fails it stays ours, which lets fewer users in.
  if (stat(settings.database.c_str(), &database) == 0) [[maybe_unused]]
    const int given = lchown(path_.c_str(), database.st_uid, database.st_gid);
  if (chmod(path_.c_str(), socket_mode) != 0) fail(path_, errno);
}

ControlServer::File::~File() {
  struct stat found {};
  if (number_ != 0 && lstat(path_.c_str(), &found) == 0 && found.st_ino == number_) unlink(path_.c_str());
}

ControlServer::ControlServer(const Settings& settings, Operations& operations)
    : settings_(settings), operations_(operations), pause_(io_), acceptor_(io_) {
  listen();
  try {
    for (auto& lane : lanes_) lane.emplace(1);
    thread_ = std::thread([this] { io_.run(); });
  } catch (const std::system_error& error) {
    throw CodedError(ErrorCode::start_failed,
                     "cannot start the threads of the control socket: " + error.code().message() +
                         "; raise the limits of threads and memory");
  }
}

ControlServer::~ControlServer() {
  io_.stop();
  thread_.join();
  closing_ = true;
  for (auto& lane : lanes_) {
    lane->stop();
    lane->join();
  }
}

asio::thread_pool& ControlServer::lane(Lane lane) { return *lanes_.at(static_cast<std::size_t>(lane)); }

void ControlServer::listen() {
  make_room(settings_.socket);
  try {
    file_.bind(acceptor_, settings_);
    acceptor_.listen();
  } catch (const std::system_error& error) {
    fail(settings_.socket, error.code().message());
  }
  accept();
}

void ControlServer::accept() {
  accepting_ = true;
  acceptor_.async_accept([this](const asio::error_code& error, Protocol::socket socket) {
    if (error) return pause();
    accepting_ = false;
    std::make_shared<Session>(std::move(socket), *this)->read();
    if (sessions_ < connections_max) accept();
  });
}

/// Stops accepting for a moment: without a free descriptor, it fails until one is free.
void ControlServer::pause() {
  pause_.expires_after(std::chrono::milliseconds(200));
  pause_.async_wait([this](const asio::error_code&) { accept(); });
}

void ControlServer::session_ended() {
  --sessions_;
  if (!accepting_ && !closing_) accept();
}

}  // namespace lekt::control
