#include "admin/giving_way.h"

#include <sys/socket.h>

namespace lekt::admin {

GivingWay::Place::Place(GivingWay& all, int socket) : all_(all), socket_(socket) {
  const MutexLock lock(all_.mutex_);
  self_ = all_.places_.insert(all_.places_.end(), this);
}

GivingWay::Place::~Place() {
  const MutexLock lock(all_.mutex_);
  all_.places_.erase(self_);
}

void GivingWay::Place::waits(Clock::time_point now) {
  const MutexLock lock(all_.mutex_);
  waits_ = true;
  since_ = now;
}

void GivingWay::Place::goes_on() {
  const MutexLock lock(all_.mutex_);
  waits_ = false;
}

bool GivingWay::end_longest(Clock::duration least, Clock::time_point now) {
  const MutexLock lock(mutex_);
  Place* longest = nullptr;
  Clock::time_point since;
  for (Place* place : places_) {
    place->all_.mutex_.is_held();  // it is this one's
    if (!place->waits_ || now - place->since_ < least) continue;
    if (longest != nullptr && place->since_ >= since) continue;
    longest = place;
    since = place->since_;
  }
  if (longest == nullptr) return false;
  longest->all_.mutex_.is_held();
  longest->waits_ = false;  // it is ended once
  ::shutdown(longest->socket_, SHUT_RDWR);
  return true;
}

}  // namespace lekt::admin
