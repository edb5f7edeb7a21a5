// Decides which connection gives way when every thread serves one and another comes: the one that has waited longest for
// its client, for the rest of a request or for room to send. So nobody can occupy the listener by being silent or by
// reading slowly, and a connection whose answer is being made is never ended.
//
// Shared by the threads that serve connections and the one that accepts them; any thread, under its own lock.
#pragma once

#include <chrono>
#include <list>

#include "common/mutex.h"

namespace lekt::admin {

class GivingWay {
 public:
  using Clock = std::chrono::steady_clock;

  /// Stands for a connection as long as its socket is open.
  class Place {
   public:
    Place(GivingWay& all, int socket);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    /// From now until goes_on(), the connection waits for its client.
    void waits(Clock::time_point now);
    void goes_on();

   private:
    friend class GivingWay;
    GivingWay& all_;
    int socket_;
    bool waits_ LEKT_GUARDED_BY(all_.mutex_) = false;
    Clock::time_point since_ LEKT_GUARDED_BY(all_.mutex_);
    std::list<Place*>::iterator self_;
  };

  /// Shuts the socket of the connection that waits for the longest time, if that is `least` or more; its thread
  /// then finds that the client has gone. False when there is none.
  bool end_longest(Clock::duration least, Clock::time_point now);

 private:
  Mutex mutex_;
  std::list<Place*> places_ LEKT_GUARDED_BY(mutex_);
};

}  // namespace lekt::admin
