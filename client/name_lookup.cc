#include "client/name_lookup.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>
#include <thread>
#include <utility>

#include "common/mutex.h"

namespace lekt {

namespace {

using Clock = std::chrono::steady_clock;

/// How long an answer that came while no attempt was under way can be used for the next one.
constexpr std::chrono::seconds answer_age_max{30};

std::atomic<std::size_t> lookups{0};

/// Takes one of the places for threads; false if there is none.
bool take_place() {
  // The threads of this process do not exist in one that it forks.
  static const int registered = ::pthread_atfork(nullptr, nullptr, [] { lookups = 0; });
  static_cast<void>(registered);
  if (lookups.fetch_add(1) < lookups_max) return true;
  lookups.fetch_sub(1);
  return false;
}

/// Whether the error is about the name, and not about the way to its servers.
bool is_of_name(int error) { return error == EAI_NONAME || error == EAI_NODATA || error == EAI_ADDRFAMILY; }

std::string trouble_of(int error, int system_error) {
  switch (error) {
    case EAI_NONAME:
      return "the name is not known";
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
      return "the name has no IPv4 address, and the protocol knows no others";
    case EAI_AGAIN:
      return "the machine's name servers do not answer, or know no answer now";
    case EAI_SYSTEM:
      return "the name cannot be looked up (" + std::generic_category().message(system_error) + ")";
    default:
      return std::string("the name cannot be looked up (") + ::gai_strerror(error) + ")";
  }
}

NameAnswer look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found))
    return {{}, trouble_of(error, errno), is_of_name(error)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  NameAnswer answer;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family != AF_INET) continue;
    const auto* name = reinterpret_cast<const sockaddr_in*>(entry->ai_addr);
    const Address address = Address::v4(ntohl(name->sin_addr.s_addr));
    if (std::ranges::find(answer.addresses, address) == answer.addresses.end())
      answer.addresses.push_back(address);
  }
  if (answer.addresses.empty()) answer.trouble = trouble_of(EAI_NODATA, 0);
  return answer;
}

/// While it lives, this thread takes no signals, and neither does a thread that it starts: signals are for the
/// program's own threads.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

/// What the asker and the thread share.
struct NameLookup::Question {
  Question(std::string name, asio::io_context& where) : host(std::move(name)), context(&where) {}

  const std::string host;
  Mutex mutex;
  asio::io_context* context LEKT_GUARDED_BY(mutex);  ///< null once the asker has gone
  // What follows is for the thread of the io_context alone.
  Handler handler;  ///< empty while nobody waits for the answer
  NameAnswer answer;
  std::optional<Clock::time_point> answered;

  /// Whether an answer that came while nobody waited is of no use: it brought no address, or is too old.
  bool is_stale() const {
    return answered && (!answer.trouble.empty() || Clock::now() - *answered > answer_age_max);
  }
};

NameLookup::~NameLookup() {
  cancel();
  if (!question_) return;
  const MutexLock lock(question_->mutex);
  question_->context = nullptr;
}

void NameLookup::ask(Handler handler) {
  if (question_ && question_->is_stale()) question_.reset();
  if (!question_) begin();
  busy_.emplace(context_.get_executor());
  question_->handler = [this, handler = std::move(handler)](const NameAnswer& answer) {
    busy_.reset();
    question_.reset();
    handler(answer);
  };
  if (question_->answered)
    asio::post(context_, [question = question_] { answer(question, question->answer); });
}

void NameLookup::cancel() {
  if (question_) question_->handler = nullptr;
  busy_.reset();
}

void NameLookup::begin() {
  question_ = std::make_shared<Question>(host_, context_);
  const auto fail = [&](std::string trouble) {
    asio::post(context_, [question = question_, failed = NameAnswer{{}, std::move(trouble), false}] {
      answer(question, failed);
    });
  };
  if (!take_place())
    return fail("the machine's name servers do not answer; " + std::to_string(lookups_max) +
                " earlier questions still wait for them");
  const NoSignals no_signals;
  try {
    std::thread(work, question_).detach();
  } catch (const std::system_error& error) {
    lookups.fetch_sub(1);
    fail(std::string("the name cannot be looked up (no thread: ") + error.what() + ")");
  }
}

/// Looks up the name, on a thread of its own.
void NameLookup::work(const std::shared_ptr<Question>& question) {
  NameAnswer found;
  try {
    found = look_up(question->host);
  } catch (const std::exception& error) {
    found = {{}, std::string("the name cannot be looked up (") + error.what() + ")", false};
  }
  lookups.fetch_sub(1);
  const MutexLock lock(question->mutex);
  if (question->context == nullptr) return;
  asio::post(*question->context, [question, found = std::move(found)] { answer(question, found); });
}

/// Gives the answer to the asker, on the thread of the io_context.
void NameLookup::answer(const std::shared_ptr<Question>& question, NameAnswer found) {
  question->answer = std::move(found);
  question->answered = Clock::now();
  if (const Handler handler = std::exchange(question->handler, nullptr)) handler(question->answer);
}

}  // namespace lekt
