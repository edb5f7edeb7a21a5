// A lock, its guards and what is waited for under it: those of the standard library, with attributes by which clang
// checks at compile time that members which a lock guards are used only by code that holds the lock (-Wthread-safety).
// Other compilers see no attributes, and every call is the standard library's, inline.
//
// It never decides what is guarded: the class with the lock says so, member by member. What it cannot check: members
// that are reached through a reference or an iterator taken under the lock, constructors and destructors.
//
// Not for server/core/, which takes no locks (tests/tidy/tidy.py).
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define LEKT_ATTRIBUTE(name) __attribute__((name))
#else
#define LEKT_ATTRIBUTE(name)
#endif

/// Behind a member: it is read and written only under this lock.
#define LEKT_GUARDED_BY(mutex) LEKT_ATTRIBUTE(guarded_by(mutex))
/// Behind a function's parameters: its caller holds the lock.
#define LEKT_REQUIRES(...) LEKT_ATTRIBUTE(requires_capability(__VA_ARGS__))
/// Behind a function's parameters: its caller does not hold the lock, because the function takes it or takes long.
#define LEKT_EXCLUDES(...) LEKT_ATTRIBUTE(locks_excluded(__VA_ARGS__))

namespace lekt {

class LEKT_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() LEKT_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  bool try_lock() LEKT_ATTRIBUTE(try_acquire_capability(true)) { return mutex_.try_lock(); }
  void unlock() LEKT_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

  /// Tells the compiler what it cannot see: that the lock is held, for example under another name. Does nothing.
  void is_held() const LEKT_ATTRIBUTE(assert_capability(this)) {}

 private:
  friend class ConditionVariable;
  std::mutex mutex_;
};

/// Holds the lock until the end of the block.
class LEKT_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) LEKT_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) { mutex.lock(); }
  /// Takes over a lock that is already held.
  MutexLock(Mutex& mutex, std::adopt_lock_t) LEKT_REQUIRES(mutex) : mutex_(mutex) {}
  ~MutexLock() LEKT_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

/// Gives the lock up until the end of the block, for work that takes long.
class LEKT_ATTRIBUTE(scoped_lockable) MutexPause {
 public:
  explicit MutexPause(Mutex& mutex) LEKT_ATTRIBUTE(release_capability(mutex)) : mutex_(mutex) {
    mutex.unlock();
  }
  ~MutexPause() LEKT_ATTRIBUTE(release_capability()) { mutex_.lock(); }
  MutexPause(const MutexPause&) = delete;
  MutexPause& operator=(const MutexPause&) = delete;

 private:
  Mutex& mutex_;
};

/// A condition variable. The lock is given up while a thread waits. A condition that reads guarded members says
/// LEKT_REQUIRES behind its parameters.
class ConditionVariable {
 public:
  void notify_one() noexcept { condition_.notify_one(); }
  void notify_all() noexcept { condition_.notify_all(); }

  template <class... Condition>
  void wait(Mutex& mutex, Condition... condition) LEKT_REQUIRES(mutex) {
    Lent lent(mutex.mutex_);
    condition_.wait(lent.lock, condition...);
  }
  template <class Duration, class... Condition>
  auto wait_for(Mutex& mutex, Duration duration, Condition... condition) LEKT_REQUIRES(mutex) {
    Lent lent(mutex.mutex_);
    return condition_.wait_for(lent.lock, duration, condition...);
  }
  template <class Time, class... Condition>
  auto wait_until(Mutex& mutex, Time time, Condition... condition) LEKT_REQUIRES(mutex) {
    Lent lent(mutex.mutex_);
    return condition_.wait_until(lent.lock, time, condition...);
  }

 private:
  /// The lock as the standard library wants it. Its holder gets it back, even when a condition throws.
  struct Lent {
    explicit Lent(std::mutex& mutex) : lock(mutex, std::adopt_lock) {}
    ~Lent() { lock.release(); }
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;
    std::unique_lock<std::mutex> lock;
  };

  std::condition_variable condition_;
};

}  // namespace lekt
